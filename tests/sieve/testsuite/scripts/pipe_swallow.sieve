require "vnd.dovecot.pipe";
pipe "swallow";
