#include "ns/opened.h"

#include "base/cleanup.h"
#include "ns/view/view.h"

void opened_add(struct lake *lake, struct opened **list, struct opened *o)
{
	SCOPED_LOCK(&lake->opened_lock);

	o->next = *list;
	o->at = list;
	if (o->next)
		o->next->at = &o->next;
	*list = o;
}

void opened_remove(struct lake *lake, struct opened *o)
{
	SCOPED_LOCK(&lake->opened_lock);

	if (!o->at)
		return;
	*o->at = o->next;
	if (o->next)
		o->next->at = o->at;
	o->at = NULL;
}

/* The first that FRONT has open in a list; NULL for FRONT: that anybody has. */
static struct opened *first_of(struct lake *lake, struct opened **list, const struct frontend *front)
{
	SCOPED_LOCK(&lake->opened_lock);
	struct opened *o = *list;

	while (o && front && o->front != front)
		o = o->next;
	return o;
}

static void release_of(struct lake *lake, const struct frontend *front)
{
	struct opened *o;

	while ((o = first_of(lake, &lake->open_files, front)))
		ns_release(lake, (struct open_file *)o);
	while ((o = first_of(lake, &lake->open_folders, front)))
		ns_release_folder(lake, (struct listing *)o);
}

void ns_release_all(struct lake *lake)
{
	release_of(lake, NULL);
}

void ns_drop_front(struct lake *lake, const struct frontend *front)
{
	release_of(lake, front);
	view_forget_front(front);
}
