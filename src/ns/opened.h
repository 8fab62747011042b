/*
 * What is open: files and listings. The kernel tells of the end of each with RELEASE, but what it had not yet sent when
 * the mount went, as after the last close of a lazily detached one, it drops: ns_release_all() does those in its stead.
 */
#ifndef TARN_NS_OPENED_H
#define TARN_NS_OPENED_H

#include "content/lake.h"

/* The first member of what is open. */
struct opened {
	struct opened *next, **at;    /* protected by lake->opened_lock */
	const struct frontend *front; /* the mount that has it open; NULL: the live one */
};

/* LIST: lake->open_files or lake->open_folders. */
void opened_add(struct lake *lake, struct opened **list, struct opened *o);
/* One that was never added is fine. */
void opened_remove(struct lake *lake, struct opened *o);

#endif
