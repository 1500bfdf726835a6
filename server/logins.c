/* SPDX-License-Identifier: MIT */
#include "server/logins.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/password.h"

#include "base/banned.h"

/* One login, with its texts behind it. */
struct item {
	struct list_link link;
	struct login login;
	struct str stored, given;
	size_t size;
	char texts[];
};

#define ITEM_OF(link_) CONTAINER_OF(link_, struct item, link)

struct logins {
	pthread_t threads[LOGINS_THREADS_MAX];
	size_t thread_count;
	int fds[2]; /* a pipe: a byte for each result */
	struct item *shown;

	pthread_mutex_t mutex; /* of the rest */
	pthread_cond_t more;
	struct list waiting, busy, done;
	size_t waiting_count; /* in all three */
	bool is_ending;
};

int
logins_open(struct logins **logins_out, struct err *err)
{
	struct logins *logins = memory_get(sizeof(*logins));

	if (pipe2(logins->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		memory_free(logins);
		return err_temp_errno(err, "4.3.0", "pipe2");
	}
	pthread_mutex_init(&logins->mutex, NULL);
	pthread_cond_init(&logins->more, NULL);
	list_init(&logins->waiting);
	list_init(&logins->busy);
	list_init(&logins->done);
	*logins_out = logins;
	return 0;
}

int
logins_fd(const struct logins *logins)
{
	return logins->fds[0];
}

static void
item_close(struct item *item)
{
	if (item == NULL)
		return;
	password_forget(item->texts, item->size);
	memory_free(item);
}

/* ---- the threads ---- */

static size_t
count_name(const struct list *list, struct str name)
{
	struct list_link *link;
	size_t count = 0;

	for (link = list_first(list); link != NULL;
		link = list_next(list, link))
		count += str_equal(ITEM_OF(link)->login.name, name);
	return count;
}

/* The first one whose name nobody is at.  With the mutex. */
static struct item *
find_item(const struct logins *logins)
{
	struct list_link *link;

	for (link = list_first(&logins->waiting); link != NULL;
		link = list_next(&logins->waiting, link))
		if (count_name(&logins->busy, ITEM_OF(link)->login.name) == 0)
			return ITEM_OF(link);
	return NULL;
}

/* NULL: it is to end.  With the mutex. */
static struct item *
next_item(struct logins *logins)
{
	while (!logins->is_ending) {
		struct item *item = find_item(logins);

		if (item != NULL) {
			list_remove(&item->link);
			list_add_last(&logins->busy, &item->link);
			return item;
		}
		pthread_cond_wait(&logins->more, &logins->mutex);
	}
	return NULL;
}

/* The pipe has room for more results than there can be. */
static void
add_result(struct logins *logins, struct item *item)
{
	list_remove(&item->link);
	list_add_last(&logins->done, &item->link);
	(void)!write(logins->fds[1], "", 1);
	/* The next one of that name may be another thread's. */
	pthread_cond_broadcast(&logins->more);
}

/* Mail goes first.  It is this thread's alone. */
static void
be_modest(void)
{
	enum { NICE = 10 };

	(void)setpriority(PRIO_PROCESS, 0, NICE);
}

static void *
work(void *argument)
{
	struct logins *logins = argument;
	struct item *item;

	be_modest();
	pthread_mutex_lock(&logins->mutex);
	while ((item = next_item(logins)) != NULL) {
		pthread_mutex_unlock(&logins->mutex);
		item->login.result = password_check(
			item->stored, item->given, &item->login.err);
		pthread_mutex_lock(&logins->mutex);
		add_result(logins, item);
	}
	pthread_mutex_unlock(&logins->mutex);
	return NULL;
}

/* One more for one more login, as far as there may be.  Signals are not its to
 * take. */
static int
start(struct logins *logins, struct err *err)
{
	sigset_t all, before;
	size_t needed;
	int error;

	pthread_mutex_lock(&logins->mutex);
	needed = logins->waiting_count + 1;
	pthread_mutex_unlock(&logins->mutex);
	if (needed <= logins->thread_count ||
		logins->thread_count == LOGINS_THREADS_MAX)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(
		&logins->threads[logins->thread_count], NULL, work, logins);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		logins->thread_count++;
	else if (logins->thread_count == 0)
		return err_temp(err, "4.3.0", "there can be no thread: %s",
			strerror(error));
	return 0;
}

/* ---- the process ---- */

static struct str
put_text(struct item *item, struct str text)
{
	char *at = item->texts + item->size;

	if (text.len > 0)
		memcpy(at, text.data, text.len);
	item->size += text.len;
	return str_of(at, text.len);
}

static struct item *
item_open(const struct login *login, struct str stored, struct str given)
{
	struct item *item =
		memory_get(sizeof(*item) + login->name.len +
			   login->session.len + stored.len + given.len + 1);

	item->login.request = login->request;
	item->login.front = login->front;
	item->login.name = put_text(item, login->name);
	item->login.session = put_text(item, login->session);
	item->stored = put_text(item, stored);
	item->given = put_text(item, given);
	return item;
}

/* With the mutex. */
static bool
is_full(const struct logins *logins, struct str name)
{
	return logins->waiting_count >= LOGINS_WAITING_MAX ||
	       count_name(&logins->waiting, name) >= LOGINS_OF_NAME_MAX;
}

int
logins_add(struct logins *logins, const struct login *login, struct str stored,
	struct str given, struct err *err)
{
	bool is_added;

	if (start(logins, err) < 0)
		return -1;
	pthread_mutex_lock(&logins->mutex);
	is_added = !is_full(logins, login->name);
	if (is_added) {
		struct item *item = item_open(login, stored, given);

		list_add_last(&logins->waiting, &item->link);
		logins->waiting_count++;
		pthread_cond_signal(&logins->more);
	}
	pthread_mutex_unlock(&logins->mutex);
	return is_added ? 0
	                : err_temp(err, "4.3.2", "too many logins are waiting");
}

const struct login *
logins_take(struct logins *logins)
{
	struct list_link *link;
	char byte;

	item_close(logins->shown);
	logins->shown = NULL;
	pthread_mutex_lock(&logins->mutex);
	link = list_first(&logins->done);
	if (link != NULL) {
		logins->shown = ITEM_OF(link);
		list_remove(link);
		logins->waiting_count--;
		(void)!read(logins->fds[0], &byte, 1);
	}
	pthread_mutex_unlock(&logins->mutex);
	return logins->shown != NULL ? &logins->shown->login : NULL;
}

static void
close_items(struct list *list)
{
	struct list_link *link;

	while ((link = list_first(list)) != NULL) {
		list_remove(link);
		item_close(ITEM_OF(link));
	}
}

static void
end_threads(struct logins *logins)
{
	size_t i;

	pthread_mutex_lock(&logins->mutex);
	logins->is_ending = true;
	pthread_cond_broadcast(&logins->more);
	pthread_mutex_unlock(&logins->mutex);
	for (i = 0; i < logins->thread_count; i++)
		pthread_join(logins->threads[i], NULL);
}

void
logins_close(struct logins **logins)
{
	struct logins *ended = *logins;

	if (ended == NULL)
		return;
	end_threads(ended);
	item_close(ended->shown);
	close_items(&ended->waiting);
	close_items(&ended->busy);
	close_items(&ended->done);
	pthread_mutex_destroy(&ended->mutex);
	pthread_cond_destroy(&ended->more);
	fd_close(&ended->fds[0]);
	fd_close(&ended->fds[1]);
	memory_free(ended);
	*logins = NULL;
}
