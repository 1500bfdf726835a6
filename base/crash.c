/* SPDX-License-Identifier: MIT */
#include "base/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/attributes.h"
#include "base/log.h"

#include "base/banned.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static const struct {
	int number;
	const char *text;
} faults[] = {{SIGSEGV, "died of signal 11 (Segmentation fault)"},
	{SIGBUS, "died of signal 7 (Bus error)"},
	{SIGFPE, "died of signal 8 (Arithmetic error)"},
	{SIGILL, "died of signal 4 (Illegal instruction)"},
	{SIGABRT, "died of signal 6 (Aborted)"}};

static struct {
	/* Empty while they are changed. */
	volatile bool is_set;
	char session[128], recipient[320];
	char stack[64 * 1024]; /* its own, as the other one may be full */
} crash;

static void
die(int number)
{
	const char *text = "died of a fault";
	int reason = errno;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(faults); i++)
		if (faults[i].number == number)
			text = faults[i].text;
	log_crash(text, crash.is_set ? crash.session : "",
		crash.is_set ? crash.recipient : "");
	errno = reason;
	/* SA_RESETHAND: this time it ends us, when the handler returns. */
	raise(number);
}

void
crash_open(void)
{
	const stack_t stack = {
		.ss_sp = crash.stack, .ss_size = sizeof(crash.stack)};
	struct sigaction action = {.sa_handler = die,
		.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK)};
	size_t i;

	if (IS_SANITIZED)
		return;
	log_prepare_crash();
	if (sigaltstack(&stack, NULL) < 0)
		action.sa_flags &= ~SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < ARRAY_LENGTH(faults); i++)
		if (sigaction(faults[i].number, &action, NULL) < 0)
			log_warning("sigaction: %s", strerror(errno));
}

static void
copy(char *to, size_t size, struct str text)
{
	if (text.len >= size)
		text.len = size - 1;
	if (text.len > 0)
		memcpy(to, text.data, text.len);
	to[text.len] = '\0';
}

void
crash_about(const char *session, struct str recipient)
{
	crash.is_set = false;
	copy(crash.session, sizeof(crash.session), str_from(session));
	copy(crash.recipient, sizeof(crash.recipient), recipient);
	crash.is_set = true;
}
