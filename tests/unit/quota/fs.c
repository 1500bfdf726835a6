/* Against a kernel that says what a test wants: `syscall` is wrapped.  The real
 * one is asked by tests/lda/kernel_quota.sh.
 * SPDX-License-Identifier: MIT */
#include "quota/quota.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

enum { BLOCK = 1024 };

/* Of user and group; with an errno there is no answer. */
static struct dqblk told[2];
static int failed[2];
static unsigned asked[2];

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	va_list list;
	struct dqblk *out;
	unsigned command, type, id;

	va_start(list, number);
	(void)va_arg(list, int);
	command = va_arg(list, unsigned);
	id = va_arg(list, unsigned);
	out = va_arg(list, struct dqblk *);
	va_end(list);
	type = command & 0xff;
	REQUIRE(number == SYS_quotactl_fd && type < 2);
	REQUIRE(command >> SUBCMDSHIFT == Q_GETQUOTA);
	asked[type]++;
	REQUIRE(id == (type == USRQUOTA ? geteuid() : getegid()));
	errno = failed[type];
	if (failed[type] != 0)
		return -1;
	*out = told[type];
	return 0;
}

static void
kernel_says(int type, uint64_t soft, uint64_t hard, uint64_t use,
	uint64_t files_limit, uint64_t files)
{
	failed[type] = 0;
	told[type] = (struct dqblk){.dqb_bsoftlimit = soft / BLOCK,
		.dqb_bhardlimit = hard / BLOCK,
		.dqb_curspace = use,
		.dqb_isoftlimit = files_limit,
		.dqb_curinodes = files};
}

struct asked {
	int result;
	struct err err;
	struct quota_report report;
};

/* What is reported, and whether 100 bytes would fit. */
static struct asked
ask(const char *spec, const char *rule_text)
{
	struct arena *arena = arena_open();
	struct store_settings store_settings = box_settings();
	struct store *store = box_open(&store_settings);
	struct conf_quota_rule rule;
	struct conf_quota_fault fault;
	const struct quota_root_settings root = {
		.number = 1, .spec = spec, .rules = {&rule, 1, {true, 0}}};
	const struct quota_settings settings = {.arena = arena,
		.store = store,
		.roots = &root,
		.root_count = 1,
		.full_text = "full"};
	struct quota_report *reports;
	struct asked answer;
	struct quota *quota;
	size_t count;

	REQUIRE(conf_quota_parse_rule(str_from(rule_text), &rule, &fault) == 0);
	REQUIRE(quota_open(&settings, &quota, &answer.err) == 0);
	answer.result = quota_check(quota, STR("INBOX"), 100, &answer.err);
	if (answer.result == 0 || answer.err.kind != ERR_TEMPORARY) {
		REQUIRE(quota_report(quota, STR(""), &reports, &count,
				&answer.err) == 0);
		answer.report = reports[0];
	}
	quota_close(&quota);
	store_close(&store);
	arena_close(&arena);
	return answer;
}

TEST(the_soft_limit_counts_where_there_is_one)
{
	struct asked answer;

	failed[GRPQUOTA] = ESRCH;
	kernel_says(USRQUOTA, 10240, 20480, 5000, 9, 7);
	answer = ask("fs:Disk", "?:storage=0");
	CHECK_INT(answer.result, 0);
	CHECK_UINT(answer.report.limits.bytes, 10240);
	CHECK_UINT(answer.report.use.bytes, 5000);
	CHECK_UINT(answer.report.use.messages, 0);
	CHECK_UINT(answer.report.limits.messages, 0);
	kernel_says(USRQUOTA, 0, 20480, 5000, 0, 0);
	CHECK_UINT(ask("fs:Disk", "?:storage=0").report.limits.bytes, 20480);
}

TEST(the_kernels_limit_refuses)
{
	struct asked answer;

	failed[GRPQUOTA] = ESRCH;
	kernel_says(USRQUOTA, 10240, 0, 10200, 0, 0);
	answer = ask("fs:Disk", "?:storage=0");
	CHECK_INT(answer.result, -1);
	CHECK_INT(answer.err.kind, ERR_OVER_QUOTA);
	CHECK_INT(ask("fs:Disk:noenforcing", "?:storage=0").result, 0);
}

TEST(a_rule_for_all_folders_comes_before_the_kernels_limit)
{
	failed[GRPQUOTA] = ESRCH;
	kernel_says(USRQUOTA, 10240, 0, 10200, 0, 0);
	CHECK_INT(ask("fs:Disk", "*:storage=20K").result, 0);
}

TEST(of_user_and_group_the_lesser_limit_counts)
{
	struct asked answer;

	kernel_says(USRQUOTA, 40960, 0, 100, 50, 5);
	kernel_says(GRPQUOTA, 20480, 0, 9000, 0, 800);
	answer = ask("fs:Disk:inode_per_mail", "?:storage=0");
	CHECK_UINT(answer.report.limits.bytes, 20480);
	CHECK_UINT(answer.report.use.bytes, 9000);
	/* The group has no limit of files. */
	CHECK_UINT(answer.report.limits.messages, 50);
	CHECK_UINT(answer.report.use.messages, 5);
	answer = ask("fs:Disk:user", "?:storage=0");
	CHECK_UINT(answer.report.limits.bytes, 40960);
	asked[USRQUOTA] = 0;
	answer = ask("fs:Disk:group", "?:storage=0");
	CHECK_UINT(answer.report.limits.bytes, 20480);
	CHECK_UINT(asked[USRQUOTA], 0);
}

TEST(files_are_messages_where_they_are_said_to_be)
{
	failed[GRPQUOTA] = ENOTSUP;
	kernel_says(USRQUOTA, 0, 0, 100, 8, 8);
	CHECK_INT(ask("fs:Disk", "?:storage=0").result, 0);
	CHECK_INT(ask("fs:Disk:inode_per_mail", "?:storage=0").result, -1);
}

TEST(a_kernel_that_refuses_to_tell_is_trouble)
{
	struct asked answer;

	kernel_says(USRQUOTA, 10240, 0, 0, 0, 0);
	failed[GRPQUOTA] = EPERM;
	answer = ask("fs:Disk", "?:storage=0");
	CHECK_INT(answer.result, -1);
	CHECK_INT(answer.err.kind, ERR_TEMPORARY);
	CHECK_STR(answer.err.status, "4.3.0");
}
