/*
 * Runs and jobs: what workers and lineage ask for.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "meta/store_int.h"

static struct run_number *remembered(struct store *s, const char *boot, pid_t tgid, uint64_t start)
{
	for (size_t i = 0; i < RUNS_REMEMBERED; i++) {
		struct run_number *r = &s->runs[i];

		if (r->id && r->start == start && r->tgid == tgid && strncmp(r->boot, boot, sizeof(r->boot) - 1) == 0)
			return r;
	}
	return NULL;
}

static void remember(struct store *s, uint64_t id, const char *boot, pid_t tgid, uint64_t start, bool told)
{
	struct run_number *r = &s->runs[s->runs_at++ % RUNS_REMEMBERED];
	size_t len = strnlen(boot, sizeof(r->boot) - 1);

	*r = (struct run_number){.id = id, .start = start, .tgid = tgid, .told = told};
	memcpy(r->boot, boot, len);
}

static uint64_t find(struct store *s, const char *boot, pid_t tgid, uint64_t start)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_RUN_FIND);
	query_text(&q, boot);
	query_int(&q, tgid);
	query_int(&q, (int64_t)start);
	return query_row(&q) > 0 ? (uint64_t)query_get(&q) : 0;
}

/*
 * What was given out is remembered until long after its record_run() is committed, so that two threads that meet a new
 * run at once get one number, and only the first is told that it is new.
 */
uint64_t store_run(struct store *s, const char *boot, pid_t tgid, uint64_t start, bool changes, bool *known)
{
	uint64_t in_table = find(s, boot, tgid, start), drawn = s->writer ? 0 : RUN_UNKNOWN;
	struct run_number *r;

	*known = true;
	if (in_table || drawn)
		return in_table ? in_table : drawn;
	SCOPED_LOCK(&s->lock);
	r = remembered(s, boot, tgid, start);
	if (r) {
		*known = !changes || r->told;
		r->told |= changes;
		return r->id;
	}
	*known = !changes;
	drawn = writer_number(s->writer, COUNTER_RUN);
	remember(s, drawn, boot, tgid, start, changes);
	return drawn;
}

int store_run_exe(struct store *s, uint64_t run, struct buf *exe)
{
	_cleanup_query_ struct query q = {};
	const void *path;
	size_t len;
	int got;

	store_query(s, &q, SQL_RUN_EXE);
	query_int(&q, (int64_t)run);
	got = query_row(&q);
	if (got <= 0)
		return got < 0 ? got : -ENOENT;
	path = query_get_blob(&q, &len);
	buf_add(exe, path, len);
	return buf_error(exe);
}

int store_jobs(struct store *s, enum job_type type, int64_t now, struct job_row *jobs, int n)
{
	_cleanup_query_ struct query q = {};
	int count = 0, got = 0;

	store_query(s, &q, SQL_JOBS);
	query_int(&q, type);
	query_int(&q, now);
	query_int(&q, n);
	while (count < n && (got = query_row(&q)) > 0) {
		jobs[count].id = (uint64_t)query_get(&q);
		jobs[count].type = type;
		jobs[count].subject = (uint64_t)query_get(&q);
		jobs[count].tries = (int)query_get(&q);
		count++;
	}
	return got < 0 ? got : count;
}

int store_next_job(struct store *s, enum job_type type, int64_t *due)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_JOB_NEXT);
	query_int(&q, type);
	got = query_row(&q);
	if (got > 0)
		*due = query_get(&q);
	return got > 0 ? 0 : got ? got : -ENOENT;
}
