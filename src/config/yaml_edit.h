/*
 * Inside config/: changing a YAML text at the places that its tree knows, and nowhere else. Edits are collected against
 * one text and made all at once.
 */
#ifndef TARN_CONFIG_YAML_EDIT_H
#define TARN_CONFIG_YAML_EDIT_H

#include "config/yaml_tree.h"

struct yaml_edit {
	size_t start, end; /* bytes of the old text that TEXT replaces */
	char *text;
};

struct yaml_edits {
	const struct buf *old;
	const char *eol; /* as the text ends its lines */
	struct yaml_edit *list;
	int n;
	int error; /* -ENOMEM, or -EINVAL: this place cannot be edited (by hand, perhaps) */
};

void yaml_edits_init(struct yaml_edits *e, const struct buf *old);
void yaml_edits_release(struct yaml_edits *e);
#define _cleanup_edits_ __attribute__((cleanup(yaml_edits_release)))
/* The new text. 0 or the error. */
int yaml_edits_apply(struct yaml_edits *e, struct buf *out);

/* VALUE as a scalar that means it anywhere, in quotes where those are needed. AS_TEXT: also where it looks like
 * something else than text (true, 12, null). */
void yaml_add_scalar(struct buf *out, const char *value, bool as_text);

/* Replaces the text of the value of ENTRY, which stands in MAP. */
void yaml_edit_replace(struct yaml_edits *e, const struct yaml_entry *entry, const char *scalar);
void yaml_edit_rename(struct yaml_edits *e, const struct yaml_entry *entry, const char *key);
/*
 * Adds PATH[0]: PATH[1]: … : SCALAR as the last entry of MAP, or below the entry PARENT of MAP, which has no value yet.
 * Keys are given as plain texts, the scalar as it is to be written.
 */
void yaml_edit_insert(struct yaml_edits *e, const struct yaml_node *map, const char *const *path, int n,
		      const char *scalar);
void yaml_edit_insert_below(struct yaml_edits *e, const struct yaml_node *map, const struct yaml_entry *parent,
			    const char *const *path, int n, const char *scalar);
/* Takes the entry out of MAP: its lines, or what stands between the commas. */
void yaml_edit_remove(struct yaml_edits *e, const struct yaml_node *map, const struct yaml_entry *entry);

#endif
