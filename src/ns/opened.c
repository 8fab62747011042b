#include "ns/opened.h"

#include "base/cleanup.h"
#include "ns/ns.h"

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

void ns_release_all(struct lake *lake)
{
	while (lake->open_files)
		ns_release(lake, (struct open_file *)lake->open_files);
	while (lake->open_folders)
		ns_release_folder(lake, (struct listing *)lake->open_folders);
}
