# Runs cases in the svtest language (README.md).
check_PROGRAMS += %D%/svtest
%C%_svtest_SOURCES = %D%/svtest.c \
	%D%/errors.c \
	%D%/mailboxes.c \
	%D%/metadata.c \
	%D%/orders.c \
	%D%/outbound.c \
	%D%/outcome.c \
	%D%/scripts.c \
	%D%/settings.c \
	%D%/world.c %D%/world.h
%C%_svtest_LDADD = $(DELIVER_LIBS)

TAP_TESTS += %D%/selftest.sh
EXTRA_DIST += %D%/selftest.sh %D%/README.md
