/*
 * Opening what is packed in the cloud without an index of it here, as after a lake was restored: the maps of an object
 * and of all that it builds on are needed first. One after the other they would take a request each; the store knows
 * where all of them end, so they come beside each other, and who waits for them can be interrupted.
 */
#ifndef TARN_CONTENT_PACK_PACK_AHEAD_H
#define TARN_CONTENT_PACK_PACK_AHEAD_H

#include "content/lake.h"
#include "tier/tier.h"

/* Would pack_open() ask the remote? Asks only the store and the disk. */
bool pack_asks_remote(struct lake *lake, const uint8_t sha256[SHA256_BYTES]);
/* Waits until it would not. 0; as recall_want(); -errno. */
int pack_bring_maps(struct lake *lake, const uint8_t sha256[SHA256_BYTES], const struct tier_call *call);

#endif
