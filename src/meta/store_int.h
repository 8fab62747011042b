/*
 * The store itself, and what its reading half shares. Inside meta/ only.
 */
#ifndef TARN_META_STORE_INT_H
#define TARN_META_STORE_INT_H

#include <pthread.h>

#include "meta/conn.h"
#include "meta/store.h"
#include "meta/writer.h"

#define PATH_DEEP 4096 /* folders in a path: a loop in damaged rows must end */

/* Numbers given out for runs that may not be in the table yet; the oldest is forgotten first. */
#define RUNS_REMEMBERED 512

struct run_number {
	uint64_t id, start;
	pid_t tgid;
	bool told; /* to somebody as new, who records it */
	char boot[37];
};

struct store {
	char *path;
	enum store_mode mode;
	int lock_fd; /* -1 for STORE_READ */
	bool clean;
	struct writer *writer; /* NULL for STORE_READ */
	pthread_key_t key;     /* each thread's connection */
	bool has_key;

	pthread_mutex_t lock;
	/* protected by lock */
	struct conn *readers;
	struct run_number runs[RUNS_REMEMBERED];
	size_t runs_at;
};

/* This thread's connection; NULL with *ERR when there is none to be had. */
struct conn *store_conn(struct store *s, int *err);
/* The same, for several queries that see one moment of the store, until conn_end(). 0 or -errno. */
int store_begin(struct store *s, struct conn **c);
/* A query on this thread's connection. */
int store_query(struct store *s, struct query *q, enum sql id);

/*
 * By halves: the highest number, of those that SQL ("number, time" of the newest numbered at most so) finds, whose time
 * is at or before TIME. SERIES: its first parameter; 0: it has none. 1 and *FOUND, 0 when there is none, or -errno.
 */
int store_search_time(struct store *s, enum sql id, uint64_t series, int64_t time, uint64_t *found);
/* Joins names, the last one first and each followed by a NUL, to a path. */
void store_join_backward(struct buf *path, const struct buf *names);

/* The columns of one node or version, from the query's next column on. */
void node_from_query(struct query *q, struct node_row *out);
void version_from_query(struct query *q, struct version_row *out);
void version_brief_from_query(struct query *q, struct version_row *out);
/* What node_past has of a node that was: its mode, uid, gid, mtime, acl. */
void past_attributes_from_query(struct query *q, struct node_row *n);
/* N, a file, had V as its content; V's id is 0 when it had none. */
void past_set_content(struct node_row *n, const struct version_row *v);

#endif
