/* list - links embedded in what is listed
 *
 * A ring with the list itself as first and last.  An item's link that is zero is
 * in no list.  Pure.
 *
 *	for (link = list_first(&list); link != NULL; link = list_next(&list, link))
 *		CONTAINER_OF(link, struct item, in_list)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *next, *previous;
};

struct list {
	struct list_link ring;
};

static inline void
list_init(struct list *list)
{
	list->ring.next = list->ring.previous = &list->ring;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->ring.next == &list->ring;
}

static inline bool
list_has(const struct list_link *link)
{
	return link->next != NULL;
}

static inline void
list_insert(struct list_link *link, struct list_link *before)
{
	link->next = before;
	link->previous = before->previous;
	before->previous->next = link;
	before->previous = link;
}

static inline void
list_add_last(struct list *list, struct list_link *link)
{
	list_insert(link, &list->ring);
}

static inline void
list_add_first(struct list *list, struct list_link *link)
{
	list_insert(link, list->ring.next);
}

/* Nothing when it is in no list. */
static inline void
list_remove(struct list_link *link)
{
	if (link->next == NULL)
		return;
	link->next->previous = link->previous;
	link->previous->next = link->next;
	link->next = link->previous = NULL;
}

/* NULL: there is none. */
static inline struct list_link *
list_first(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->ring.next;
}

static inline struct list_link *
list_next(const struct list *list, const struct list_link *link)
{
	return link->next == &list->ring ? NULL : link->next;
}

#endif
