# What we write ourselves, read by somebody else.
check_PROGRAMS += %D%/letters
%C%_letters_SOURCES = %D%/letters.c
%C%_letters_LDADD = mail/libmail.a base/libbase.a $(CORE_LIBS)

TAP_TESTS += %D%/letters.sh
EXTRA_DIST += %D%/letters.sh %D%/letters.py
