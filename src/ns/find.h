/*
 * Finding files by what they are.
 *
 *	customer "de luxe" invoic*	a word, a phrase, a beginning: in name, columns, tags, comment or text
 *	name:sales column:email		words in the name, among the columns
 *	tag:pii				has exactly this tag
 *	type:csv type:table type:image/	format or kind; a MIME type, or all that begin with it
 *	bucket:raw-data			lies in this bucket
 *	size:>1M			bytes; also <, >=, <=, =; K M G T are powers of 1024
 *	modified:>2026-11-01		since that moment (base/moment.h), likewise; =: on that day
 *
 * All must hold. What looks like none of these is words.
 */
#ifndef TARN_NS_FIND_H
#define TARN_NS_FIND_H

#include "ns/reader.h"

#define FIND_ROWS 1000
#define FIND_NS NSEC_PER_SEC
#define FIND_CONDITIONS 32

enum find_facet { FIND_TAG, FIND_MIME, FIND_BUCKET, FIND_SIZE, FIND_MODIFIED };

struct find_condition {
	enum find_facet facet;
	char *text;	  /* a tag, MIME type or bucket */
	int64_t from, to; /* size or time, both included */
};

struct find {
	struct buf match; /* the query of FTS5; empty: none */
	bool words;	  /* it has more in it than tags */
	struct find_condition conditions[FIND_CONDITIONS];
	int n;
};

struct find_hit {
	uint64_t node;
	const struct node_row *row;
	const char *path;
	double rank; /* the lower the better; 0: none */
};
typedef int (*find_fn)(void *arg, const struct find_hit *hit);

/* 0; -EINVAL: with why in WHY; -ENOMEM. */
int find_parse(struct find *f, const char *expression, struct buf *why);
void find_release(struct find *f);
#define _cleanup_find_ __attribute__((cleanup(find_release)))

/* What F finds of what R sees, the best first, at most FIND_ROWS and for at most FIND_NS. *CUT: there is more. */
int find_run(const struct find *f, struct reader *r, find_fn fn, void *arg, bool *cut);
/* Is ROW, a file that R sees, among what F finds? 1, 0 or -errno. */
int find_has(const struct find *f, struct reader *r, const struct node_row *row);

#endif
