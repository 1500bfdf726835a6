noinst_LIBRARIES += %D%/libserver.a
%C%_libserver_a_SOURCES = \
	%D%/claims.c %D%/claims.h \
	%D%/control.c %D%/control.h \
	%D%/job.c %D%/job.h \
	%D%/jobmemory.c %D%/jobmemory.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/listen.c %D%/listen.h \
	%D%/run_as.c %D%/run_as.h \
	%D%/state.c %D%/state.h \
	%D%/run_files.c %D%/run_files.h \
	%D%/wire.c %D%/wire.h \
	%D%/worker.c
