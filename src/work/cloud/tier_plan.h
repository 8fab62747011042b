/*
 * What the next burst would take, for who wants to know it before: by the same order and thresholds, and nothing is
 * done.
 */
#ifndef TARN_WORK_CLOUD_TIER_PLAN_H
#define TARN_WORK_CLOUD_TIER_PLAN_H

#include "content/lake.h"

struct tier_plan {
	uint64_t use, threshold, target; /* bytes: here now; from where on files leave; down to where */
	uint64_t release, release_bytes; /* files that would leave */
	uint64_t upload, upload_bytes;	 /* those of them that are to be uploaded before */
};

/* Reads the store; some seconds for a million files. 0 or -errno. */
int tier_plan(struct lake *lake, struct tier_plan *out);

#endif
