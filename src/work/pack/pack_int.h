/* Inside work/pack_*.c: when versions are packed, how large packs may become, and what goes once they are. */
#ifndef TARN_WORK_PACK_PACK_INT_H
#define TARN_WORK_PACK_PACK_INT_H

#include "content/lake.h"

/* How long (ns) after it ended a version is cold. */
int64_t pack_cold_after(struct lake *lake);
/* How large (bytes) a pack may become, and a version in it. 0: none can be made now. */
uint64_t pack_room(struct lake *lake);
/* V was packed, durably so, or lost: its own files go, and those who read through them read the pack. */
void pack_remove_own(struct lake *lake, const struct version_row *v);

#endif
