noinst_LIBRARIES += %D%/liblmtp.a
%C%_liblmtp_a_SOURCES = \
	%D%/command.c %D%/command.h \
	%D%/confirm.c %D%/confirm.h \
	%D%/connection.c %D%/connection.h %D%/counters.h \
	%D%/data.c %D%/data.h \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/front.c %D%/front.h \
	%D%/listener.c %D%/listener.h \
	%D%/peer.c %D%/peer.h \
	%D%/proxied.c %D%/proxied.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/relay.c %D%/relay.h \
	%D%/rawlog.c %D%/rawlog.h \
	%D%/reply.c %D%/reply.h \
	%D%/session.c %D%/session.h \
	%D%/spool.c %D%/spool.h \
	%D%/xclient.c %D%/xclient.h

sbin_PROGRAMS += %D%/doorstep-lmtpd
%C%_doorstep_lmtpd_SOURCES = %D%/lmtpd.c
%C%_doorstep_lmtpd_LDADD = %D%/liblmtp.a policy/libpolicy.a proxy/libproxy.a server/libserver.a ipc/libipc.a \
	dict/libdict.a $(DELIVER_LIBS) $(BDB_LIBS) $(TLS_LIBS) $(SECCOMP_LIBS) \
	$(CRYPT_LIBS) $(ARGON2_LIBS) $(HIREDIS_LIBS)
