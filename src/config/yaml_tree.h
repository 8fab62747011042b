/*
 * Inside config/: a YAML text as a tree of nodes that know where they stand, for messages and for edits.
 *
 * The tree owns a copy of nothing outside it; nodes live until yaml_tree_release(). Aliases are copies of what they
 * name and merge keys (<<) are resolved; both are marked `aliased`, for their text stands elsewhere. Depth and number
 * of nodes are bounded, so that a few lines of aliases cannot grow into all memory.
 */
#ifndef TARN_CONFIG_YAML_TREE_H
#define TARN_CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/finding.h"

#define YAML_TEXT_MAX (4 << 20)

enum yaml_kind { YAML_SCALAR = 1, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, col;	    /* from 1, in characters */
	size_t start, end;	    /* its bytes in the text, without blanks, comments and line ends behind it */
	bool plain;		    /* a scalar without quotes */
	bool flow;		    /* a list in [], a map in {} */
	bool aliased;		    /* its text stands elsewhere */
	bool shared;		    /* an alias elsewhere stands for this text too */
	char *text;		    /* scalars: never NULL, holds no NUL */
	size_t len;		    /* of text */
	struct yaml_entry *entries; /* maps; lists have no keys */
	int n;
	struct yaml_node *next_owned; /* for the tree */
};

struct yaml_entry {
	struct yaml_node *key, *value;
};

struct yaml_tree {
	struct yaml_node *root; /* NULL after an error */
	struct yaml_node *owned;
	int count;
};

/*
 * Parses LEN bytes. What is wrong (not UTF-8, not YAML, a key twice, no document or two) is one finding in the name of
 * FILE. 0, -EINVAL with a finding, -ENOMEM.
 */
int yaml_tree_parse(struct yaml_tree *t, const char *text, size_t len, const char *file, struct findings *f);
void yaml_tree_release(struct yaml_tree *t);
#define _cleanup_yaml_ __attribute__((cleanup(yaml_tree_release)))

/* The value of KEY in a map, NULL without one (or where MAP is NULL or no map). */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
const struct yaml_entry *yaml_get_entry(const struct yaml_node *map, const char *key);
/* Nothing, ~ or null: as good as not said. */
bool yaml_is_null(const struct yaml_node *n);
/* "a list", "keys and values", "text": what a message calls it. */
const char *yaml_kind_name(const struct yaml_node *n);
int yaml_add_entry(struct yaml_node *n, struct yaml_node *key, struct yaml_node *value); /* 0, -ENOMEM */
/*
 * Merges the map OVER into the map BASE: maps key by key (nothing over a map leaves it), all else replaces. Both are of
 * one tree. 0, -ENOMEM.
 */
int yaml_merge(struct yaml_node *base, const struct yaml_node *over);

#endif
