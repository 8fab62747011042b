/*
 * Listings of views. What a folder shows is read at once, when it is opened: it is what one moment says, however long
 * the reader takes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view.h"

struct listed {
	size_t name; /* where it begins in `names` */
	enum node_kind kind;
	bool known;
	uint64_t number;
	struct view_fact fact; /* when it is known */
};

struct view_listing {
	uint64_t ino;
	struct buf names;
	struct listed *entries;
	size_t n, room;
};

static int add_entry(void *arg, const char *name, enum node_kind kind, uint64_t number, const struct view_fact *fact)
{
	struct view_listing *l = arg;
	struct listed *e;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct listed *more = reallocarray(l->entries, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->entries = more;
		l->room = room;
	}
	e = &l->entries[l->n++];
	*e = (struct listed){.name = l->names.len, .kind = kind, .number = number, .known = fact};
	if (fact)
		e->fact = *fact;
	buf_add(&l->names, name, strlen(name) + 1);
	return buf_error(&l->names);
}

int view_list_start(struct lake *lake, uint64_t ino, struct view_listing **out)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	struct view_listing *l;
	int rc;

	if (!n || !n->ops->list)
		return n ? -ENOTDIR : -ESTALE;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->ino = ino;
	rc = add_entry(l, ".", KIND_FOLDER, ino, NULL);
	if (!rc)
		rc = add_entry(l, "..", KIND_FOLDER, 0, NULL);
	if (!rc)
		rc = n->ops->list(lake, n, add_entry, l);
	if (rc < 0) {
		view_listing_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void view_listing_free(struct view_listing *l)
{
	buf_release(&l->names);
	free(l->entries);
	free(l);
}

static mode_t type_of(enum node_kind kind)
{
	return kind == KIND_FOLDER ? S_IFDIR : kind == KIND_SYMLINK ? S_IFLNK : S_IFREG;
}

static int look_up(struct lake *lake, const struct view_listing *l, const struct listed *entry,
		   const struct actor *actor, struct ns_entry *e)
{
	_cleanup_view_node_ struct view_node *folder = view_find(l->ino);
	struct view_node draft = {.fd = -1};

	if (!folder)
		return -ESTALE;
	if (!entry->known || !folder->ops->from_fact)
		return view_look_up(lake, l->ino, l->names.data + entry->name, actor, e);
	draft.ops = folder->ops;
	draft.front = folder->front;
	folder->ops->from_fact(folder, &entry->fact, entry->kind, &draft);
	return view_answer_known(lake, &draft, &entry->fact.st, e);
}

int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg)
{
	for (size_t i = (size_t)offset; i < l->n; i++) {
		const struct listed *entry = &l->entries[i];
		struct ns_entry e = {
			.st = {.st_mode = type_of(entry->kind), .st_ino = entry->number ? entry->number : l->ino}};
		int rc = 0;

		if (plus && i > 1)
			rc = look_up(lake, l, entry, actor, &e);
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = emit(arg, l->names.data + entry->name, &e, (off_t)i + 1);
		if (rc == -ENOSPC && e.ino)
			view_forget(e.ino, 1);
		if (rc)
			return rc == -ENOSPC ? 0 : rc;
	}
	return 0;
}
