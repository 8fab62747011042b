/* What was found out about a version, as the store keeps it. */
#ifndef TARN_WORK_DESCRIBED_H
#define TARN_WORK_DESCRIBED_H

#include "meta/store.h"
#include "sniff/description.h"

/* D is what VERSION of NODE is; what it suggests as tags is suggested. Nothing happens when nothing was looked at. */
void described_record(struct record *r, uint64_t node, uint64_t version, const struct description *d);

#endif
