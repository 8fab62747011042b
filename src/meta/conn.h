/*
 * Connections to the database, and queries on them. Inside meta/ only.
 *
 * A connection belongs to one thread at a time (SQLite is opened without its mutexes). It keeps each statement that it
 * ever used. A query is one use of a statement, from query_start() to query_end():
 *
 *	_cleanup_query_ struct query q = {};
 *	int err = query_start(&q, conn, SQL_NODE);
 *
 *	query_int(&q, id);		in the order of the SQL's parameters
 *	if (!err)
 *		err = query_row(&q);	1: a row, whose columns query_get…() takes from left to right
 *
 * A query may be started while another of the same statement is still in use, as a callback may; it then prepares one
 * of its own. When query_start() failed, the other calls do nothing and answer with its error.
 */
#ifndef TARN_META_CONN_H
#define TARN_META_CONN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meta/sql.h"

struct store;

#define BUSY_MSEC 5000 /* another program writes, or recovers after a crash */

struct conn {
	sqlite3 *db;
	unsigned transactions; /* nested read transactions */
	sqlite3_stmt *statements[SQL_COUNT];
	bool used[SQL_COUNT];
	/* a reader's place in its store's list; protected by the store's lock */
	struct store *store;
	struct conn *next, *prev;
};

enum conn_kind { CONN_READER, CONN_WRITER, CONN_CHECKPOINT };
int conn_open(const char *path, enum conn_kind kind, struct conn **out);
void conn_close(struct conn *c); /* NULL is fine */
/* Prepares every statement: 0, or an SQLite code when a table is missing or damaged. */
int conn_prepare_all(struct conn *c);
/* The database file grows and shrinks by BYTES at a time; 0: as it needs. */
void conn_set_chunk(struct conn *c, int bytes);
/* -errno for an SQLite code; nothing is logged. */
int conn_errno(sqlite3 *db, int rc);
/* The same, and logs SQLite's message, once per kind of error in a minute. */
int conn_error(struct conn *c, int rc, const char *doing);

/* One moment of the store for several queries. Nests. 0 or -errno. */
int conn_begin(struct conn *c);
void conn_end(struct conn *c);

struct query {
	struct conn *conn;
	sqlite3_stmt *st;
	enum sql id;
	bool own;
	int error;  /* of query_start() */
	int bound;  /* parameters */
	int column; /* next to be taken */
};

int query_start(struct query *q, struct conn *c, enum sql id);
void query_int(struct query *q, int64_t value);
/* Both borrow until query_end(). NULL is SQL's NULL. */
void query_blob(struct query *q, const void *bytes, size_t len);
void query_text(struct query *q, const char *text);
/* SQLite's code. */
int query_step(struct query *q);
/* 1: a row. 0: no more. -errno: failed, and logged. */
int query_row(struct query *q);
/* Again from the start, with new parameters. */
void query_again(struct query *q);
void query_end(struct query *q);
#define _cleanup_query_ __attribute__((cleanup(query_end)))

int64_t query_get(struct query *q);
/* Borrowed until the next step. NULL and length 0 for SQL's NULL. */
const void *query_get_blob(struct query *q, size_t *len);
/* Likewise, ended by a NUL. */
const char *query_get_string(struct query *q);
/* Cut to ROOM - 1 bytes; "" for SQL's NULL. */
void query_get_text(struct query *q, char *to, size_t room);

#endif
