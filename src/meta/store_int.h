/*
 * The store itself, and what its reading half shares. Inside meta/ only.
 */
#ifndef TARN_META_STORE_INT_H
#define TARN_META_STORE_INT_H

#include <pthread.h>

#include "meta/conn.h"
#include "meta/store.h"
#include "meta/writer.h"

/* Numbers given out for runs that may not be in the table yet; the oldest is forgotten first. */
#define RUNS_REMEMBERED 512

struct run_number {
	uint64_t id, start;
	pid_t tgid;
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
/* A query on this thread's connection. */
int store_query(struct store *s, struct query *q, enum sql id);

/* The columns of one node or version, from the query's next column on. */
void node_from_query(struct query *q, struct node_row *out);
void version_from_query(struct query *q, struct version_row *out);

#endif
