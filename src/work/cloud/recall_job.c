/*
 * JOB_RECALL: a file's bytes are to be here again: somebody asked for it, or they came while it was read and now take
 * the stub's place, or it was written (content/cloud/draft.h). What fails is not tried for ever, but for the last: who
 * needs the file brings it back.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "content/cloud/draft.h"
#include "content/cloud/stub.h"
#include "work/work_int.h"

#define TICK_NS NSEC_PER_SEC
#define BATCH 16
#define AGAIN_NS (60 * NSEC_PER_SEC)

static bool is_over(void *arg)
{
	return work_stopping(arg);
}

/* What was written to a stub has to become whole some time. */
static void try_again(struct inode *inode, struct record *r)
{
	if (inode_is_draft(inode))
		record_job_add(r, JOB_RECALL, inode->id, clock_wall() + AGAIN_NS);
}

/* False: it is to be done again by the next daemon. R: adds what is to be done later. */
static bool run_job(struct work *w, const struct job_row *job, struct record *r)
{
	struct tier_call call = {.stop = is_over, .arg = w};
	struct inode *inode;
	int rc = reach_node(w->lake, job->subject, &inode);

	if (!rc) {
		rc = stub_recall(w->lake, inode, &call);
		if (rc < 0)
			try_again(inode, r);
		inode_unref(w->lake, inode);
	}
	if (rc < 0 && rc != -ENOENT && rc != -ESTALE && rc != -ECANCELED)
		log_warning("node %llu stays in the cloud: %s", (unsigned long long)job->subject, strerror(-rc));
	return rc != -ECANCELED;
}

static void run_jobs(struct work *w)
{
	struct job_row jobs[BATCH];
	struct record *r;
	int n;

	while ((n = store_jobs(w->lake->store, JOB_RECALL, clock_wall(), jobs, BATCH)) > 0) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		for (int i = 0; r && i < n && !work_stopping(w); i++)
			if (run_job(w, &jobs[i], r))
				record_job_done(r, jobs[i].id);
		if (!r || store_submit(w->lake->store, r, NULL) < 0 || store_barrier(w->lake->store, 0) < 0 ||
		    work_stopping(w))
			return; /* later */
	}
}

void *recall_main(void *arg)
{
	struct work *w = arg;

	work_be_nice(5);
	while (!w->lake->read_only && work_sleep(w, TICK_NS))
		run_jobs(w);
	return NULL;
}
