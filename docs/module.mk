# Manual pages: docs/man/NAME.SECTION.scd, listed once here.
MAN_SCD += %D%/man/doorstep.1.scd %D%/man/doorstep-lda.8.scd \
	%D%/man/doorstep-lmtpd.8.scd \
	%D%/man/doorstep-maildir.5.scd %D%/man/doorstep-mbox.5.scd \
	%D%/man/doorstep-quota.5.scd \
	%D%/man/doorstep-userdb.5.scd %D%/man/doorstep.conf.5.scd \
	%D%/man/doorstep-sieve.7.scd
man_MANS = $(MAN_SCD:.scd=)
CLEANFILES += $(man_MANS)
EXTRA_DIST += $(MAN_SCD) %D%/decisions %D%/rfc-coverage.md %D%/mta.md %D%/scaling.md %D%/coming-from.md

# scdoc takes the date of a page from SOURCE_DATE_EPOCH; without it, today's.
docs/man/%: $(srcdir)/docs/man/%.scd
	@$(MKDIR_P) docs/man
	$(AM_V_GEN)$(SCDOC) <$< >$@.tmp && mv $@.tmp $@

# The settings in doorstep.conf(5) come from conf/keys.def and are kept in the
# page; tests/unit/conf/manual.sh sees that they are the same.
update-settings: conf/settings_table
	page=$(srcdir)/%D%/man/doorstep.conf.5.scd; \
	{ sed '/^; begin of settings$$/q' $$page; echo; conf/settings_table; \
	  sed -n '/^; end of settings$$/,$$p' $$page; } >page.tmp && \
	mv page.tmp $$page
.PHONY: update-settings
