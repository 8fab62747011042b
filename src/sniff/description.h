/*
 * What one version of a file is: type, table and columns, facts of media, text. The helper process (sniff/worker.h)
 * finds it out, and it travels from there, and lies in the store, as one form of JSON.
 *
 *	{"kind": "table", "format": "csv", "mime": "text/csv", "compression": "gzip",
 *	 "delimiter": ",", "quote": "\"", "header": true, "encoding": "UTF-8",
 *	 "rows": 344, "rows_estimated": true, "sampled": true,
 *	 "tables": [{"name": "orders", "rows": 12}],
 *	 "columns": [{"name": "id", "table": "orders", "type": "BIGINT", "not_null": true, "count": 344, "nulls": 0,
 *		"distinct": 344, "approximate": true, "min": "1", "max": "344", "mean": "172.5", "std": "99.4",
 *		"q25": "86", "q50": "172", "q75": "258", "top": [{"value": "1", "count": 1}], "pii": "email"}],
 *	 "facts": {"width": "640"}, "unreadable": "why",
 *	 "text": "…", "sample": "id,name\r\n1,Ann\r\n"}
 *
 * In this order, everything that is not known, empty or false left out but kind, format and mime. All values of columns
 * are text, as DuckDB would print them: a BIGINT and a DATE have a least value alike. All of it is UTF-8.
 *
 * Ownership: a description owns all of its strings. Threads: none of its own; use it from one at a time.
 */
#ifndef TARN_SNIFF_DESCRIPTION_H
#define TARN_SNIFF_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum described {
	DESCRIBED_OTHER,
	DESCRIBED_TEXT,
	DESCRIBED_TABLE, /* rows and columns: CSV, Parquet, JSON lines, JSON that is a list of objects */
	DESCRIBED_JSON,	 /* any other JSON */
	DESCRIBED_DATABASE,
	DESCRIBED_IMAGE,
	DESCRIBED_AUDIO,
	DESCRIBED_VIDEO,
	DESCRIBED_DOCUMENT,
	DESCRIBED_ARCHIVE,
};
const char *described_name(enum described kind); /* "table"; static */

#define DESCRIPTION_TEXT_MAX (1 << 20)	   /* bytes of text */
#define DESCRIPTION_SAMPLE_ROWS 20	   /* as many rows at most, */
#define DESCRIPTION_SAMPLE_MAX (64 * 1024) /* in so many bytes */
#define DESCRIPTION_VALUE_MAX 256	   /* bytes of a least, greatest or frequent value; longer ones are cut */
#define DESCRIPTION_COLUMNS_MAX 4096	   /* what has more has so many, and the fact "columns" says how many */
#define DESCRIPTION_TOP 10		   /* values, the most frequent first */
#define DESCRIPTION_JSON_MAX (24 << 20)	   /* bytes of JSON that are read */

struct top_value {
	char *value;
	uint64_t count;
};

/* Text that is not known is NULL. */
struct column {
	char *name;
	char *table;   /* of a file that has several; else NULL */
	char *type;    /* BOOLEAN, BIGINT, DOUBLE, DATE, TIME, TIMESTAMP, VARCHAR, STRUCT(a BIGINT, b VARCHAR)[], … */
	bool not_null; /* the file itself declares that */
	uint64_t count; /* values looked at, the nulls among them; 0: no statistics */
	uint64_t nulls;
	uint64_t distinct;
	bool approximate; /* distinct is an estimate */
	char *min, *max;
	char *mean, *std, *q25, *q50, *q75;
	struct top_value *top;
	size_t ntop;
	char *pii; /* "email", "phone", "card" or "name": what the values, or the column's name, look like */
};

struct described_table {
	char *name;
	int64_t rows; /* -1: not known */
};

struct description_fact {
	char *key, *value;
};

struct description {
	enum described kind;
	char *format; /* "csv", "tsv", "json", "jsonl", "geojson", "parquet", "sqlite", "png", "pdf"; "": of no name */
	char *mime;   /* of the file as it is: application/gzip */
	char *compression; /* "gzip", "zstd" or NULL */

	char delimiter, quote; /* CSV's; 0: none */
	bool header;
	char *encoding; /* of text: "UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1" */

	int64_t rows;			/* -1: it has none */
	bool rows_estimated;		/* else they were counted */
	bool sampled;			/* the statistics are of a sample of the rows */
	struct described_table *tables; /* of a database */
	size_t ntables, tables_room;
	struct column *columns;
	size_t ncolumns, columns_room;

	struct description_fact *facts; /* width, height, duration, rate, channels, pages, codec, language, words, … */
	size_t nfacts, facts_room;

	char *unreadable; /* why its format, above, could not be read; else NULL */

	char *text;   /* for full-text search, at most DESCRIPTION_TEXT_MAX; or NULL */
	char *sample; /* its first rows as CSV with a header; or NULL */
};

/* Nothing is known: kind other, no rows. */
void description_init(struct description *d);
void description_release(struct description *d); /* to be used again only after another init */
static inline void description_releasep(struct description *d)
{
	description_release(d);
}
#define _cleanup_description_ __attribute__((cleanup(description_releasep)))

/* Building one. Texts are copied, bytes that are not UTF-8 becoming U+FFFD; each is 0 or -ENOMEM. */
int description_set(char **member, const char *text); /* in place of what *MEMBER had; NULL is fine */
int description_set_bytes(char **member, const char *bytes, size_t len);
/* Cut at DESCRIPTION_VALUE_MAX, between two characters. */
int description_set_value(char **member, const char *bytes, size_t len);
int description_add_fact(struct description *d, const char *key, const char *value);
int description_add_factf(struct description *d, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int description_add_table(struct description *d, const char *name, int64_t rows);
/* A new last column, its name and type set; valid until the next one is added. NULL: out of memory. */
struct column *description_add_column(struct description *d, const char *name, size_t len, const char *type);
int column_add_top(struct column *c, const char *value, size_t len, uint64_t count);

/* Borrowed; NULL when there is no such fact. */
const char *description_fact(const struct description *d, const char *key);
/* Borrowed; NULL when there is none. TABLE: NULL where the file is one. */
const struct column *description_column(const struct description *d, const char *table, const char *name);

/* Adds it as JSON, in one line. WHOLE: with text and sample, else without, as the store keeps it. */
void description_add_json(struct buf *b, const struct description *d, bool whole);
/*
 * *D from LEN bytes of JSON, initialised by this in any case. What is not in it is as description_init() left it, what
 * has another type than above is left out: a store can have been written by a later tarn, and a helper that was taken
 * over can say anything. 0; -EBADMSG: no JSON object, or above a limit; -ENOMEM.
 */
int description_parse(struct description *d, const char *json, size_t len);

#endif
