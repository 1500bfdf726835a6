/* SPDX-License-Identifier: MIT */
#include "base/flush.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/memory.h"

#include "base/banned.h"

enum { STACK_BYTES = 64 * 1024 };

struct flush_crew {
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	pthread_t *threads;
	size_t count, most;
	bool is_ending;
	/* What is under way. */
	const int *fds;
	int *errors;
	size_t file_count;
	atomic_size_t next; /* that nobody has taken */
	size_t round;
	size_t busy; /* threads that look after this round */
};

struct flush_crew *
flush_crew_open(size_t most)
{
	struct flush_crew *crew = memory_get(sizeof(*crew));

	crew->most = most;
	crew->threads = memory_get(memory_product(most, sizeof(pthread_t)));
	pthread_mutex_init(&crew->mutex, NULL);
	pthread_cond_init(&crew->work, NULL);
	pthread_cond_init(&crew->done, NULL);
	return crew;
}

static int
flush(int fd)
{
	int result;

	do
		result = fsync(fd);
	while (result < 0 && errno == EINTR);
	return result < 0 ? errno : 0;
}

static void
flush_what_is_left(struct flush_crew *crew)
{
	size_t place;

	while ((place = atomic_fetch_add(&crew->next, 1)) < crew->file_count)
		crew->errors[place] = flush(crew->fds[place]);
}

/* A round is over when nobody looks after it any more, so that no late thread meets
 * the files of the next one half way. */
static void *
work(void *argument)
{
	struct flush_crew *crew = argument;
	size_t round = 0;

	pthread_mutex_lock(&crew->mutex);
	while (!crew->is_ending) {
		if (round == crew->round) {
			pthread_cond_wait(&crew->work, &crew->mutex);
			continue;
		}
		round = crew->round;
		crew->busy++;
		pthread_mutex_unlock(&crew->mutex);
		flush_what_is_left(crew);
		pthread_mutex_lock(&crew->mutex);
		if (--crew->busy == 0)
			pthread_cond_signal(&crew->done);
	}
	pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

static void
add_thread(struct flush_crew *crew)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0)
		return;
	if (pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
		pthread_create(&crew->threads[crew->count], &attributes, work,
			crew) == 0)
		crew->count++;
	pthread_attr_destroy(&attributes);
}

/* Signals are not theirs to take. */
static void
add_threads(struct flush_crew *crew, size_t wanted)
{
	sigset_t all, before;
	size_t had;

	if (wanted > crew->most)
		wanted = crew->most;
	if (crew->count >= wanted)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	do {
		had = crew->count;
		add_thread(crew);
	} while (crew->count > had && crew->count < wanted);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
wait_for_all(struct flush_crew *crew)
{
	while (crew->busy > 0)
		pthread_cond_wait(&crew->done, &crew->mutex);
}

static void
flush_together(
	struct flush_crew *crew, const int *fds, int *errors, size_t count)
{
	/* One of them is done here. */
	add_threads(crew, count - 1);
	pthread_mutex_lock(&crew->mutex);
	wait_for_all(crew);
	crew->fds = fds;
	crew->errors = errors;
	crew->file_count = count;
	crew->round++;
	atomic_store(&crew->next, 0);
	pthread_cond_broadcast(&crew->work);
	pthread_mutex_unlock(&crew->mutex);
	flush_what_is_left(crew);
	pthread_mutex_lock(&crew->mutex);
	wait_for_all(crew);
	pthread_mutex_unlock(&crew->mutex);
}

void
flush_files(struct flush_crew *crew, const int *fds, int *errors, size_t count)
{
	size_t i;

	if (crew != NULL && count > 1) {
		flush_together(crew, fds, errors, count);
		return;
	}
	for (i = 0; i < count; i++)
		errors[i] = flush(fds[i]);
}

void
flush_crew_close(struct flush_crew **crew)
{
	struct flush_crew *it = *crew;

	if (it == NULL)
		return;
	*crew = NULL;
	pthread_mutex_lock(&it->mutex);
	it->is_ending = true;
	pthread_cond_broadcast(&it->work);
	pthread_mutex_unlock(&it->mutex);
	while (it->count > 0)
		pthread_join(it->threads[--it->count], NULL);
	pthread_cond_destroy(&it->work);
	pthread_cond_destroy(&it->done);
	pthread_mutex_destroy(&it->mutex);
	memory_free(it->threads);
	memory_free(it);
}
