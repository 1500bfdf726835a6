noinst_LIBRARIES += %D%/libsieve.a
%C%_libsieve_a_SOURCES = \
	%D%/sieve.h %D%/host.h %D%/commands.def \
	%D%/compile.c %D%/compile.h \
	%D%/lex.c %D%/lex.h \
	%D%/ast.h \
	%D%/parse.c %D%/parse.h \
	%D%/registry.c %D%/registry.h \
	%D%/check.c %D%/check.h \
	%D%/emit.c %D%/emit.h \
	%D%/program.h \
	%D%/evaluate.c %D%/evaluate.h \
	%D%/inclusion.c %D%/inclusion.h \
	%D%/compare.c %D%/compare.h \
	%D%/conflict.c %D%/conflict.h \
	%D%/fields.c %D%/fields.h \
	%D%/current.c %D%/current.h \
	%D%/loop.c %D%/loop.h \
	%D%/match.c %D%/match.h \
	%D%/comparator.c %D%/comparator.h \
	%D%/part.c %D%/part.h \
	%D%/addresspart.c %D%/addresspart.h \
	%D%/legacy.c %D%/legacy.h \
	%D%/result.c %D%/result.h \
	%D%/report.c %D%/report.h \
	%D%/settings.c %D%/settings.h \
	%D%/core_control.c %D%/core_actions.c %D%/core_tests.c \
	%D%/ext/ascii_numeric.c \
	%D%/ext/body.c \
	%D%/ext/copy.c \
	%D%/ext/date.c \
	%D%/ext/duplicate.c \
	%D%/ext/editheader.c \
	%D%/ext/encoded_character.c \
	%D%/ext/enclose.c \
	%D%/ext/enotify.c \
	%D%/ext/envelope.c \
	%D%/ext/environment.c \
	%D%/ext/extlists.c %D%/ext/extlists.h \
	%D%/ext/convert.c \
	%D%/ext/execute.c \
	%D%/ext/external.c %D%/ext/external.h \
	%D%/ext/filter.c \
	%D%/ext/pipe.c \
	%D%/ext/newmessage.c %D%/ext/newmessage.h \
	%D%/ext/replace.c \
	%D%/ext/extracttext.c \
	%D%/ext/fcc.c %D%/ext/fcc.h \
	%D%/ext/fileinto.c %D%/ext/fileinto.h \
	%D%/ext/foreverypart.c \
	%D%/ext/ihave.c \
	%D%/ext/imap4flags.c \
	%D%/ext/index.c %D%/ext/index.h \
	%D%/ext/include.c \
	%D%/ext/keep_target.c \
	%D%/ext/log.c \
	%D%/mailboxname.c %D%/mailboxname.h \
	%D%/ext/mailbox.c %D%/ext/mailboxid.c %D%/ext/metadata.c \
	%D%/ext/special_use.c \
	%D%/ext/mime.c %D%/ext/mime.h \
	%D%/ext/redirect_deliverby.c %D%/ext/redirect_dsn.c \
	%D%/ext/regex.c \
	%D%/ext/reject.c \
	%D%/ext/report.c \
	%D%/ext/relational.c \
	%D%/ext/spamvirus.c \
	%D%/ext/subaddress.c \
	%D%/ext/testsuite.c %D%/ext/testsuite.h \
	%D%/ext/unicode_casemap.c \
	%D%/ext/vacation.c \
	%D%/ext/variables.c %D%/ext/variables.h
