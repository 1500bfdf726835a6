EXTRA_DIST += %D%/README.md %D%/doorstep.conf %D%/system-users.conf %D%/virtual-users.conf
EXTRA_DIST += %D%/postfix
EXTRA_DIST += %D%/quickstart
