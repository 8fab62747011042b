#include "config/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void yaml_tree_release(struct yaml_tree *t)
{
	while (t->owned) {
		struct yaml_node *n = t->owned;

		t->owned = n->next_owned;
		free(n->text);
		free(n->entries);
		free(n);
	}
	*t = (struct yaml_tree){0};
}

const struct yaml_entry *yaml_get_entry(const struct yaml_node *map, const char *key)
{
	size_t len = strlen(key);

	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (int i = 0; i < map->n; i++) {
		const struct yaml_node *k = map->entries[i].key;

		if (k->len == len && memcmp(k->text, key, len) == 0)
			return &map->entries[i];
	}
	return NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	const struct yaml_entry *e = yaml_get_entry(map, key);

	return e ? e->value : NULL;
}

bool yaml_is_null(const struct yaml_node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; n->kind == YAML_SCALAR && n->plain && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(n->text, words[i]) == 0)
			return true;
	}
	return false;
}

const char *yaml_kind_name(const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "keys and values";
	default:
		return yaml_is_null(n) ? "nothing" : "one value";
	}
}

int yaml_add_entry(struct yaml_node *n, struct yaml_node *key, struct yaml_node *value)
{
	/* The room is always the next power of two: it grows whenever n is one. */
	if ((n->n & (n->n - 1)) == 0) {
		size_t room = n->n ? (size_t)n->n * 2 : 1;
		struct yaml_entry *entries = realloc(n->entries, room * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		n->entries = entries;
	}
	n->entries[n->n++] = (struct yaml_entry){key, value};
	return 0;
}

int yaml_merge(struct yaml_node *base, const struct yaml_node *over)
{
	int r = 0;

	for (int i = 0; i < over->n && r == 0; i++) {
		const struct yaml_entry *from = &over->entries[i];
		struct yaml_entry *to = (struct yaml_entry *)yaml_get_entry(base, from->key->text);

		if (!to)
			r = yaml_add_entry(base, from->key, from->value);
		else if (to->value->kind == YAML_MAP && from->value->kind == YAML_MAP)
			r = yaml_merge(to->value, from->value);
		else if (to->value->kind != YAML_MAP || !yaml_is_null(from->value))
			to->value = from->value;
	}
	return r;
}
