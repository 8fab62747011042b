/*
 * Changing config/settings.yaml in place and keeping everything else of it: comments, order, quoting. Works on the
 * text by the positions that libyaml reports; the result is loaded again before it replaces the file (temporary file,
 * fsync, rename), so a bad value never gets in.
 */
#ifndef TARN_CONFIG_SETTINGS_EDIT_H
#define TARN_CONFIG_SETTINGS_EDIT_H

#include "config/settings.h"

struct bucket_setting {
	const char *key, *value;
};
/*
 * Sets the N keys of bucket NAME (declaring it when needed) to their values, quoted as YAML needs it, all of them or
 * none; a key that takes a list has its items separated by commas. 0; -EINVAL with findings; -errno.
 */
int settings_set_bucket(const char *lake, const char *name, const struct bucket_setting *set, int n,
			struct findings *findings);
/* Renames the declaration of a bucket, in the environments too; one of TO is replaced. Nothing to do without one. */
int settings_rename_bucket(const char *lake, const char *from, const char *to, struct findings *findings);
/* Drops the declaration of a bucket, in the environments too; nothing to do when it has none. */
int settings_remove_bucket(const char *lake, const char *name, struct findings *findings);

/* The text of a new lake's settings.yaml: the starter buckets, or none when EMPTY. */
void settings_template(struct buf *out, bool empty);
/* The starter buckets' names and purposes, NULL-terminated. */
struct starter_bucket {
	const char *name, *purpose;
};
extern const struct starter_bucket starter_buckets[];

#endif
