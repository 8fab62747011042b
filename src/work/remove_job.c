/*
 * JOB_EXPIRE: the bytes of one version that is over, because the next one has the same content. That must be durable
 * before they go, or a crash would leave a version that is listed and cannot be read.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/past/kept.h"
#include "work/work_int.h"

#define BATCH 64

static void run_job(struct lake *lake, const struct job_row *job, struct record *r)
{
	struct version_row v;

	if (!store_version(lake->store, job->subject, &v) && v.state == VERSION_EXPIRED) {
		kept_remove(lake, &v);
		if (!kept_occupies(lake, &v)) /* nothing of it is needed for others */
			record_version_drop(r, v.id);
	}
	record_job_done(r, job->id);
}

void remove_jobs(struct work *w)
{
	struct store *store = w->lake->store;
	struct job_row jobs[BATCH];
	struct record *r;
	int n;

	if (w->lake->read_only)
		return;
	while ((n = store_jobs(store, JOB_EXPIRE, clock_wall(), jobs, BATCH)) > 0) {
		if (store_sync(store, 0) < 0 || !(r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL)))
			return; /* later */
		for (int i = 0; i < n; i++)
			run_job(w->lake, &jobs[i], r);
		if (store_submit(store, r, NULL) < 0 || store_barrier(store, 0) < 0)
			return;
	}
}
