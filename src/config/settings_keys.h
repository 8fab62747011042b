/*
 * Inside config/: the table of all known keys. Reading the file, finding unknown keys, the TARN_* overrides and
 * `tarn bucket set` all go by it, and tests/lint/settings-keys holds it against tarn.yaml(5).
 */
#ifndef TARN_CONFIG_SETTINGS_KEYS_H
#define TARN_CONFIG_SETTINGS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum value_type {
	VALUE_TEXT,   /* char * */
	VALUE_PATH,   /* char *, as written; config/settings_paths.c makes it a path of this machine */
	VALUE_URL,    /* char *, http:// or https:// */
	VALUE_NUMBER, /* double */
	VALUE_COUNT,  /* int or int64_t, a whole number */
	VALUE_TIME,   /* int64_t of seconds or days: a fraction is rounded up */
	VALUE_BOOL,   /* bool */
	VALUE_WORD,   /* an enum, or bool: one of `words` stands for its number */
	VALUE_CHOICE, /* char *: one of `words`, NULL where its number is 0 */
	VALUE_GLOBS,  /* char **, NULL-terminated */
};

struct settings_word {
	const char *word;
	int number;
};

/* Bits of settings_key.range */
#define RANGE_ABOVE_MIN 1   /* min itself is out */
#define RANGE_OR_FOR_EVER 2 /* -1 is in */

struct settings_key {
	const char *section; /* "bucket" for the keys of each bucket */
	const char *name;
	enum value_type type;
	size_t offset, size; /* of the member in struct settings, or in struct bucket_policy; size 0: not kept */
	double min, max;
	unsigned range;
	const struct settings_word *words;
};

#define SECTION_HEADER "tarn"
#define SECTION_BUCKET "bucket"

extern const struct settings_key settings_keys[]; /* ends with a section of NULL */
extern const char *const settings_sections[];	  /* the top-level keys, NULL at the end */

const struct settings_key *settings_key_find(const char *section, const char *name);
/* "; did you mean X?", or where nothing is like it, what comes nearest. Section NULL: among the top-level keys. */
void settings_key_suggest(struct buf *out, const char *section, const char *name);
/* The same among KNOWN, which ends with NULL. */
void settings_suggest_among(struct buf *out, const char *const *known, const char *name);
/* TARN_<SECTION>_<KEY>; false for keys that the environment cannot set (lists, buckets, the header). */
bool settings_key_variable(const struct settings_key *k, struct buf *out);

/* What a value's text means. */
struct settings_value {
	double number;
	char *text;   /* NULL: not said */
	char **globs; /* grows with each settings_value_add_glob() */
};
#define _cleanup_value_ __attribute__((cleanup(settings_value_release)))
void settings_value_release(struct settings_value *v);
/* Reads TEXT as a scalar of K (an item, for globs). 0; -EINVAL with the complaint in WHY ("\"x\" is not a number"). */
int settings_value_parse(const struct settings_key *k, const char *text, struct settings_value *v, struct buf *why);
/* Moves the value to its member of BASE, a struct settings or a struct bucket_policy. */
void settings_value_store(const struct settings_key *k, struct settings_value *v, void *base);

/*
 * Replaces ${NAME} and ${NAME:-default} by the environment's values; an empty variable is as good as none, and $${ is
 * a plain ${. 0; -EINVAL with the complaint in WHY; -ENXIO likewise, when a variable without default is not set.
 */
int settings_expand(const char *text, struct buf *out, struct buf *why);

#endif
