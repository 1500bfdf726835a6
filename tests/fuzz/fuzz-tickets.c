/* The table of tickets, by what a front makes master do with it: every ticket that
 * was given out is found with its user until it is removed, and no other is.
 *
 * Each byte is a step: the two highest bits say which, the rest whose ticket.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "server/ticket.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLACES = 64, BYTES_MAX = 3000, USER_LONGEST = 200 };

static const char users[USER_LONGEST + PLACES];

struct known {
	struct wire_ticket id;
	size_t user_len;
	bool is_there;
};

struct model {
	struct ticket_table table;
	struct known known[PLACES];
	size_t count;
};

static void
add(struct model *model, size_t place, size_t step)
{
	struct known *known = &model->known[place];
	struct str user = str_of(users, (step * 37 + place) % USER_LONGEST);
	struct ticket *ticket;
	struct err err;

	if (known->is_there)
		return;
	ticket = tickets_add(&model->table, NULL, user, &err);
	if (ticket == NULL)
		return; /* no more memory for tickets */
	known->id = ticket->id;
	known->user_len = user.len;
	known->is_there = true;
	model->count++;
}

static void
find(struct model *model, size_t place, uint8_t change)
{
	struct known *known = &model->known[place];
	struct wire_ticket id = known->id;
	struct ticket *ticket;

	id.bytes[change % sizeof(id.bytes)] ^= change;
	ticket = tickets_find(&model->table, &id);
	if ((ticket != NULL) != (known->is_there && change == 0))
		BUG("a ticket that was not given out is found, or one that was "
		    "is not");
	if (ticket != NULL && ticket_user(ticket).len != known->user_len)
		BUG("a ticket has another user");
}

static void
drop(struct model *model, size_t place)
{
	struct known *known = &model->known[place];

	if (!known->is_there)
		return;
	tickets_remove(&model->table, tickets_find(&model->table, &known->id));
	known->is_there = false;
	model->count--;
}

static void
take(struct model *model, uint8_t step, size_t number)
{
	size_t place = step & 0x3f;

	switch (step >> 6) {
	case 0:
		add(model, place, number);
		break;
	case 1:
		find(model, place, 0);
		break;
	case 2:
		find(model, place, (uint8_t)(number | 1));
		break;
	case 3:
		drop(model, place);
		break;
	}
	if (model->table.count != model->count ||
		model->table.bytes > BYTES_MAX)
		BUG("the table does not know what it holds");
}

/* As when a front dies. */
static void
drop_any(struct model *model)
{
	struct ticket *ticket;

	while ((ticket = tickets_any(&model->table)) != NULL) {
		tickets_remove(&model->table, ticket);
		model->count--;
	}
	if (model->count != 0 || model->table.count != 0 ||
		model->table.bytes != 0)
		BUG("a ticket is left");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model model;
	size_t i;

	memset(&model, 0, sizeof(model));
	tickets_init(&model.table, BYTES_MAX);
	for (i = 0; i < size; i++)
		take(&model, data[i], i);
	drop_any(&model);
	tickets_clear(&model.table);
	return 0;
}
