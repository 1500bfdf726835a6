require "vnd.dovecot.pipe";
pipe "fail";
