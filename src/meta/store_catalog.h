/*
 * What files are: descriptions, schemas, tags, and finding files by them. Included by meta/store.h, whose contract
 * holds here, too.
 *
 * A description belongs to a version. What can be found is the live files that have one: their names, columns, tags,
 * comments and text, as FTS5 has them. Private buckets (".name") are never told of.
 *
 * Tags are a file's, or a folder's: those of its extended attribute user.xdg.tags follow that attribute wherever it is
 * recorded; beside them are those that a settings file declares and those that its description suggests.
 */
#ifndef TARN_META_STORE_CATALOG_H
#define TARN_META_STORE_CATALOG_H

#include "meta/store.h"

#define TAGS_MOST 64		   /* of one file and origin; more are left out */
#define TAG_BYTES 128		   /* a longer one is left out, as is one that is not UTF-8 */
#define XATTR_TAGS "user.xdg.tags" /* separated by commas */
#define XATTR_COMMENT "user.xdg.comment"

enum tag_origin { TAG_ATTRIBUTE = 1, TAG_DECLARED, TAG_SUGGESTED };

/* Text that is NULL is not known; what was read is borrowed and valid during the call. */
struct description_row {
	uint64_t version;
	int kind;	     /* enum described of sniff/description.h, whose values therefore never change */
	const char *format;  /* "csv"; "" */
	int64_t rows;	     /* -1: it has none */
	const char *columns; /* a JSON list of objects, the same for all versions that have the same; NULL: none */
	const char *names;   /* those of the columns, one a line, to be found by */
	const char *unreadable;
	const char *facts; /* all of it but text and sample, as JSON */
	const char *text, *sample;
	uint64_t schema; /* only read: which list of columns; 0: none */
};

/* What a version is, in place of what was said before. Of a live one it is what its file is found by from now on; text
 * and sample are kept only of that. A version that is not known is no error. */
void record_description(struct record *r, const struct description_row *d);
/* All tags of NODE of this origin from now on; TAG_ATTRIBUTE is no origin to be recorded. TAGS: a JSON list. */
void record_tags(struct record *r, uint64_t node, enum tag_origin origin, const char *tags);

/* Whether the rows of a version keep the rules of its table. */
struct quality_row {
	uint64_t version;
	int64_t declaration; /* which one, as a hash: not this one any more, and it is to be looked at again */
	int64_t time;	     /* wall clock, ns */
	int64_t failed;	     /* rules that are not kept */
	const char *found;   /* JSON as in sniff/checks.h; borrowed */
};
/* In place of what was said of that version. It has rows of the table in it: no copy of the store that is not full has
 * it. */
void record_quality(struct record *r, const struct quality_row *q);

/* ---- reading ---- */

typedef int (*store_quality_fn)(void *arg, const struct quality_row *q);
/* FN's answer, or -ENOENT. */
int store_quality(struct store *s, uint64_t version, store_quality_fn fn, void *arg);

typedef int (*store_description_fn)(void *arg, const struct description_row *d);
/* That of a version; `sample` of one that is live. FN's answer, or -ENOENT. */
int store_description(struct store *s, uint64_t version, store_description_fn fn, void *arg);

/* The version that NODE is found by, which may be older than its live one for a moment; TABLE (may be NULL): it has
 * columns. -ENOENT. */
int store_document(struct store *s, uint64_t node, uint64_t *version, bool *table);

/* The tags of a node of ORIGIN (0: of any), each once, by name. */
typedef int (*store_tag_fn)(void *arg, const char *tag, uint64_t count);
int store_tags_of(struct store *s, uint64_t node, enum tag_origin origin, store_tag_fn fn, void *arg);
/* Every tag, and how many nodes have it. */
int store_tags(struct store *s, store_tag_fn fn, void *arg);
/* Has NODE this tag, of any origin; is its live version of this MIME type? 1, 0 or -errno. */
int store_has_tag(struct store *s, uint64_t node, const char *tag);
int store_has_mime(struct store *s, uint64_t node, const char *mime);
/* The nodes that have tags of TAG_DECLARED. */
int store_declared(struct store *s, int (*fn)(void *arg, uint64_t node), void *arg);
/* The nodes that have all N TAGS, by rising id, after AFTER. */
typedef int (*store_tagged_fn)(void *arg, uint64_t node);
int store_tagged(struct store *s, const char *const *tags, int n, uint64_t after, store_tagged_fn fn, void *arg);

/*
 * The files whose document MATCH finds, a query of FTS5 over name, columns, tags, comment, text and type: the best
 * first while there are at most FOUND_RANKED, else those that were made last. RANK: the lower the better. FN's non-zero
 * answer ends it and is returned. After UNTIL (CLOCK_MONOTONIC) it ends with -ETIME. -EINVAL: MATCH is no query.
 */
#define FOUND_RANKED 2000
typedef int (*store_found_fn)(void *arg, uint64_t node, double rank);
int store_found(struct store *s, const char *match, int64_t until, store_found_fn fn, void *arg);
/* All that can be found, whose day (since 1970) of last change is one of these, the latest first. */
int store_documents(struct store *s, int64_t from_day, int64_t to_day, int64_t until, store_found_fn fn, void *arg);
/* Likewise by their size in bytes, the largest first. */
int store_documents_by_size(struct store *s, int64_t from, int64_t to, int64_t until, store_found_fn fn, void *arg);
/* A node that has a name, its first one, and the folder that is in; as store_node() and store_name(). */
int store_node_place(struct store *s, uint64_t node, struct node_row *row, uint64_t *parent, struct buf *name);
/* The nodes whose live version is of a MIME type; that can be found and changed on a day; that are tables. */
int store_of_mime(struct store *s, const char *mime, store_tagged_fn fn, void *arg);
int store_of_day(struct store *s, int64_t day, store_tagged_fn fn, void *arg);
int store_table_nodes(struct store *s, store_tagged_fn fn, void *arg);
/* The MIME types that live versions have, in order. */
typedef int (*store_mime_fn)(void *arg, const char *mime);
int store_mimes(struct store *s, store_mime_fn fn, void *arg);
/* The same, and how many have each. */
int store_count_mimes(struct store *s, store_tag_fn fn, void *arg);
/* The nodes whose series were opened most often, the most often first, at most 1,000. */
typedef int (*store_popular_fn)(void *arg, uint64_t node, uint64_t opens);
int store_popular(struct store *s, store_popular_fn fn, void *arg);
struct catalog_totals {
	uint64_t tables, columns, tags;
};
int store_catalog_totals(struct store *s, struct catalog_totals *out);
/* The first day, FROM or later, of which there is something to be found. -ENOENT. */
int store_first_day(struct store *s, int64_t from, int64_t *day);
/* The words around what MATCH found in the document of NODE, each hit between the bytes 2 and 3. */
int store_snippet(struct store *s, const char *match, uint64_t node, struct buf *snippet);

#endif
