/* ticket - what a front may have delivered, without knowing how
 *
 * A ticket is a random number under which master keeps the packed record of one
 * accepted recipient, and the group that it belongs to.  A table holds the tickets
 * of one front; those of another are not in it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_TICKET_H
#define SERVER_TICKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "server/wire.h"

/* Bytes of all tickets of a front; more is 452 4.3.1. */
enum { TICKETS_BYTES_MAX = 256 * 1024 * 1024 };

struct concurrency_user;
struct pool_group;
struct question;

struct ticket {
	struct wire_ticket id;
	struct pool_group *group;
	struct concurrency_user *counted; /* NULL: for nobody; the owner's */
	struct question *promise;         /* NULL: none; the owner's */
	struct ticket *next;              /* the table's own */
	size_t user_len;
	char user[]; /* as lookup packed it */
};

struct ticket_table {
	struct ticket **buckets;
	size_t bucket_count; /* 0, or a power of two */
	size_t count;
	size_t sweep; /* no bucket before it has any */
	size_t bytes, bytes_max;
};

void tickets_init(struct ticket_table *table, size_t bytes_max);
void tickets_clear(struct ticket_table *table);

/* A new ticket; lives until it is removed.  NULL: 452 4.3.1. */
struct ticket *tickets_add(struct ticket_table *table, struct pool_group *group,
	struct str user, struct err *err);

/* NULL: there is none of that number. */
struct ticket *tickets_find(
	const struct ticket_table *table, const struct wire_ticket *id);

void tickets_remove(struct ticket_table *table, struct ticket *ticket);

/* Some ticket, NULL when there is none left: to end them all. */
struct ticket *tickets_any(struct ticket_table *table);

static inline struct str
ticket_user(const struct ticket *ticket)
{
	return str_of(ticket->user, ticket->user_len);
}

#endif
