#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/past/pin.h"
#include "content/reach.h"
#include "content/cloud/remote.h"
#include "content/cloud/stub.h"
#include "work/tree_int.h"

#define THREADS 8
#define PIECE (UINT64_C(8) << 20) /* of one request, when a file is read: RECALL_PIECE */
#define RECALL_SLICE (20 * NSEC_PER_SEC)
#define RECALL_PATIENT (10 * NSEC_PER_SEC) /* without a byte: then it is said that the cloud cannot be reached */

/* ---- one file ---- */

static void skip(struct tree *t, const struct tree_file *f, uint64_t bytes, const char *why)
{
	struct tree_reply *out = t->out;
	SCOPED_LOCK(&t->lock);

	out->skipped++;
	out->skipped_bytes += bytes;
	if (out->told < TREE_TOLD) {
		out->list[out->told].path = strdup(f->path);
		out->list[out->told].why = why;
		out->told += out->list[out->told].path != NULL;
	}
}

static void count(struct tree *t, uint64_t *files, uint64_t *total, uint64_t bytes)
{
	SCOPED_LOCK(&t->lock);

	++*files;
	*total += bytes;
}

static const char *why_not_evicted(int rc)
{
	switch (rc) {
	case -EBUSY:
	case -EAGAIN:
		return "in use, or just changed";
	case -EMLINK:
		return "has several names";
	case -EXDEV:
		return "older versions are read through it; these leave first";
	case -EPERM:
		return "has attributes that the record cannot keep";
	case -ENOENT:
	case -ESTALE:
		return "is not there any more";
	default:
		return "failed; the log tells why";
	}
}

static int ask_to_leave(struct tree *t, uint64_t node)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_job_add(r, JOB_EVICT, node, clock_wall());
	return store_submit(t->lake->store, r, NULL);
}

static void evict(struct tree *t, const struct tree_file *f, const struct node_row *row)
{
	struct lake *lake = t->lake;
	struct inode *inode;
	int rc;

	if (row->stub || !row->size) {
		count(t, &t->out->already, &t->out->already_bytes, row->size);
		return;
	}
	if (pin_of(lake, f->node) > 0) {
		skip(t, f, row->size, "pinned");
		return;
	}
	if (remote_is_others(lake, NULL)) {
		skip(t, f, row->size, "what lies in the cloud is another lake's (see `tarn tier status`)");
		return;
	}
	if (!row->version) {
		skip(t, f, row->size, row->writing ? "being written" : "no version is kept of it, so none can leave");
		return;
	}
	rc = remote_is_held(lake) ? reach_node(lake, f->node, &inode) : -ENODATA;
	if (!rc) {
		rc = stub_evict(lake, inode);
		inode_unref(lake, inode);
	}
	if (!rc)
		count(t, &t->out->done, &t->out->done_bytes, row->size);
	else if (rc == -EALREADY)
		count(t, &t->out->already, &t->out->already_bytes, row->size);
	else if (rc == -ENODATA && !ask_to_leave(t, f->node))
		count(t, &t->out->waiting, &t->out->waiting_bytes, row->size);
	else
		skip(t, f, row->size, why_not_evicted(rc));
}

static const char *why_not_recalled(int rc)
{
	switch (rc) {
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return "the cloud cannot be reached";
	case -EACCES:
		return "the cloud refuses it";
	case -ENODATA:
		return "archived; it has been asked for, and comes in hours";
	case -ENOSPC:
	case -EDQUOT:
		return "there is no room for it here";
	case -ENOENT:
	case -ESTALE:
		return "is not there any more";
	default:
		return "failed; the log tells why";
	}
}

static void recall(struct tree *t, const struct tree_file *f, const struct node_row *row)
{
	struct lake *lake = t->lake;
	const struct tier_call call = {.deadline = clock_monotonic() + RECALL_SLICE,
				       .patience = RECALL_PATIENT,
				       .stop = t->request->stop,
				       .arg = t->request->arg};
	struct inode *inode;
	int rc;

	if (!row->stub) {
		count(t, &t->out->already, &t->out->already_bytes, row->size);
		return;
	}
	rc = reach_node(lake, f->node, &inode);
	if (!rc) {
		rc = stub_recall(lake, inode, &call);
		inode_unref(lake, inode);
	}
	if (!rc) {
		count(t, &t->out->done, &t->out->done_bytes, row->size);
	} else if ((rc == -ETIMEDOUT && clock_monotonic() >= call.deadline) || rc == -ECANCELED) {
		count(t, &t->out->waiting, &t->out->waiting_bytes, row->size);
	} else {
		skip(t, f, row->size, why_not_recalled(rc));
	}
}

static void look(struct tree *t, const struct node_row *row)
{
	struct tree_reply *out = t->out;
	struct cloud_row c;
	bool there = row->version && !store_cloud_of_version(t->lake->store, row->version, &c);

	if (!row->stub) {
		if (there)
			count(t, &out->both, &out->both_bytes, row->size);
		else
			count(t, &out->local, &out->local_bytes, row->size);
		return;
	}
	count(t, &out->cloud, &out->cloud_bytes, row->size);
	SCOPED_LOCK(&t->lock);
	out->cloud_stored += there ? c.stored : row->size;
	out->requests += row->size ? (row->size + PIECE - 1) / PIECE : 0;
}

static void work_on(struct tree *t, const struct tree_file *f)
{
	struct node_row row;
	int rc = store_node(t->lake->store, f->node, &row);

	if (rc < 0)
		skip(t, f, 0, "is not there any more");
	else if (t->request->verb == TREE_EVICT)
		evict(t, f, &row);
	else if (t->request->verb == TREE_RECALL)
		recall(t, f, &row);
	else
		look(t, &row);
}

/* ---- a batch ---- */

static struct tree_file *take(struct tree *t)
{
	SCOPED_LOCK(&t->lock);

	return t->next < t->n ? &t->batch[t->next++] : NULL;
}

static void *batch_main(void *arg)
{
	struct tree *t = arg;
	struct tree_file *f;

	while ((f = take(t)))
		work_on(t, f);
	return NULL;
}

int tree_flush(struct tree *t)
{
	int wanted = t->request->verb == TREE_COUNT ? 0 : t->n < THREADS ? t->n : THREADS, n = 0;
	pthread_t threads[THREADS];

	if (!t->n)
		return 0;
	t->next = 0;
	pthread_mutex_init(&t->lock, NULL);
	while (n + 1 < wanted && !pthread_create(&threads[n], NULL, batch_main, t))
		n++;
	batch_main(t);
	while (n)
		pthread_join(threads[--n], NULL);
	pthread_mutex_destroy(&t->lock);
	buf_clear(&t->out->after);
	buf_adds(&t->out->after, t->batch[t->n - 1].path);
	for (int i = 0; i < t->n; i++)
		free(t->batch[i].path);
	t->n = 0;
	return buf_error(&t->out->after);
}

int tree_add(struct tree *t, uint64_t node, const char *path)
{
	int rc = 0;

	if (t->n == TREE_BATCH) {
		rc = tree_flush(t);
		if (!rc && (clock_monotonic() >= t->until || t->request->stop(t->request->arg)))
			rc = 1;
	}
	if (rc)
		return rc;
	t->batch[t->n].node = node;
	t->batch[t->n].path = strdup(path);
	if (!t->batch[t->n].path)
		return -ENOMEM;
	t->n++;
	return 0;
}
