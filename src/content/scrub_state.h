/*
 * How far a scrub (work/fsck/scrub.h) has come, and what came of it: kept in the store, so that the next one goes on
 * there and `tarn status` can tell.
 */
#ifndef TARN_CONTENT_SCRUB_STATE_H
#define TARN_CONTENT_SCRUB_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "meta/store.h"

enum scrub_phase { SCRUB_NEVER, SCRUB_FILES, SCRUB_PACKS, SCRUB_CLOUD, SCRUB_DONE };

struct scrub_state {
	enum scrub_phase phase;
	bool cloud;		    /* objects in the cloud are read, too */
	uint64_t at;		    /* of the phase: the version, pack or object that was done last */
	int64_t begun, last;	    /* ns, wall clock: this one; when the last one came to its end, 0: none did */
	uint64_t files, bytes;	    /* read by this one: versions and objects */
	uint64_t damaged, repaired; /* of these; repaired ones are not among the damaged */
};

/* A lake that was never scrubbed has SCRUB_NEVER. DAMAGED (may be NULL) gets what is damaged, a line for each. 0 or
 * -errno. */
int scrub_state_read(struct store *s, struct scrub_state *out, struct buf *damaged);
void scrub_state_record(struct record *r, const struct scrub_state *state, const struct buf *damaged);

#endif
