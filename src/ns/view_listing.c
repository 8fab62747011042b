/*
 * Listings of views. What a folder shows is read at once, when it is first asked for: it is what one moment says,
 * however long the reader takes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view.h"

struct listed {
	size_t name; /* where it begins in `names` */
	enum node_kind kind;
	uint64_t number;
};

struct view_listing {
	struct view_node *folder; /* in use */
	bool read;
	struct buf names;
	struct listed *entries;
	size_t n, room;
};

static int add_entry(void *arg, const char *name, enum node_kind kind, uint64_t number)
{
	struct view_listing *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct listed *more = reallocarray(l->entries, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->entries = more;
		l->room = room;
	}
	l->entries[l->n++] = (struct listed){.name = l->names.len, .kind = kind, .number = number};
	buf_add(&l->names, name, strlen(name) + 1);
	return buf_error(&l->names);
}

static int read_all(struct lake *lake, struct view_listing *l)
{
	int rc;

	if (l->read)
		return 0;
	l->n = 0;
	buf_clear(&l->names);
	rc = add_entry(l, ".", KIND_FOLDER, l->folder->number);
	if (!rc)
		rc = add_entry(l, "..", KIND_FOLDER, 0);
	if (!rc)
		rc = l->folder->ops->list(lake, l->folder, add_entry, l);
	l->read = !rc;
	return rc;
}

int view_list_start(uint64_t ino, struct view_listing **out)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	struct view_listing *l;

	if (!n || !n->ops->list)
		return n ? -ENOTDIR : -ESTALE;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->folder = steal_ptr(&n);
	*out = l;
	return 0;
}

void view_listing_free(struct view_listing *l)
{
	view_put(&l->folder);
	buf_release(&l->names);
	free(l->entries);
	free(l);
}

/* What can be read changes only with a commit: when bytes expire, are purged, or begin to be overwritten. */
bool view_list_is_cached(struct lake *lake, struct view_listing *l, bool *keep)
{
	uint64_t commit = store_last_commit(lake->store);

	if (!l->folder->ops->lists_the_past)
		return false;
	*keep = atomic_exchange(&l->folder->listed_at, commit) == commit;
	return true;
}

static mode_t type_of(enum node_kind kind)
{
	return kind == KIND_FOLDER ? S_IFDIR : kind == KIND_SYMLINK ? S_IFLNK : S_IFREG;
}

int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg)
{
	int rc = read_all(lake, l);

	if (rc)
		return rc;
	for (size_t i = (size_t)offset; i < l->n; i++) {
		const struct listed *entry = &l->entries[i];
		const char *name = l->names.data + entry->name;
		struct ns_entry e = {.st = {.st_mode = type_of(entry->kind),
					    .st_ino = entry->number ? entry->number : l->folder->number}};

		if (plus && i > 1)
			rc = view_look_up(lake, l->folder->number, name, actor, &e);
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = emit(arg, name, &e, (off_t)i + 1);
		if (rc == -ENOSPC && e.ino)
			view_forget(e.ino, 1);
		if (rc)
			return rc == -ENOSPC ? 0 : rc;
	}
	return 0;
}
