/* What chain.c and chain_load.c share. */
#ifndef TARN_CONTENT_PAST_CHAIN_INT_H
#define TARN_CONTENT_PAST_CHAIN_INT_H

#include "content/past/chain.h"
#include "content/pack/packs.h"
#include "content/past/undo_file.h"

/* A version, and what was saved of it. */
struct chain_link {
	uint64_t version, size;
	struct undo_file *undo;	    /* NULL: nothing saved in one */
	int whole;		    /* a descriptor of its whole copy, else -1 */
	struct pack_object *packed; /* it is in a pack; else NULL */
	enum version_how how;	    /* of these two */
};

struct chain {
	atomic_uint refs;
	uint64_t node;
	struct volume *volume;
	pthread_mutex_t save;

	/* protected by save */
	uint64_t after; /* versions up to this one had other raw files */

	pthread_mutex_t lock;
	/* protected by lock */
	struct chain_link *links; /* by version; one that is here stays until the end, only the last may be replaced */
	size_t n, room;
	uint64_t from; /* links of versions before this one are not loaded */
	uint64_t lost; /* versions after `lost_from` up to this one cannot be read any more */
	uint64_t lost_from;
};

struct chain *chain_new(uint64_t node, struct volume *volume);
/* There is room for one more: appends, or puts it before the first one. */
int chain_make_room_locked(struct chain *c);
/* What lies in versions/ for VERSION: its undo file and its whole copy, if there are any. */
int chain_load_link(struct lake *lake, const struct chain *c, const struct version_row *v, struct chain_link *out);
static inline bool chain_link_is_whole(const struct chain_link *l)
{
	return l->whole >= 0 || l->packed;
}
void chain_link_release(struct chain_link *l);

#endif
