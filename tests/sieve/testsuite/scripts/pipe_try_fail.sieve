require "vnd.dovecot.pipe";
pipe :try "fail";
