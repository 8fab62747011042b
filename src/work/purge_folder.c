/*
 * What is to be purged of a folder: the versions of all files that ever were in it and below, under whatever series
 * they are, in its line of removed folders, too; but not of what was renamed to elsewhere, which took its past along.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "work/purge.h"
#include "work/work_int.h"

struct nodes {
	uint64_t *ids;
	size_t n, room;
};

struct tree {
	struct lake *lake;
	struct purge *plan;
	struct nodes folders, files;
};

static int add_node(struct nodes *l, uint64_t id)
{
	if (array_grow(&l->ids, l->n, &l->room, sizeof(*l->ids)))
		return -ENOMEM;
	l->ids[l->n++] = id;
	return 0;
}

static int note_folder(void *arg, uint64_t folder)
{
	struct tree *t = arg;

	return add_node(&t->folders, folder);
}

static int note_entry(void *arg, const struct ever_entry *e)
{
	struct tree *t = arg;

	if (e->ended == ENDED_RENAME)
		return 0;
	return e->kind == KIND_FOLDER ? add_node(&t->folders, e->node)
	       : e->kind == KIND_FILE ? add_node(&t->files, e->node)
				      : 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int add_version(void *arg, const struct version_row *v)
{
	struct tree *t = arg;

	/* one that is in no series any more has no number */
	return v->state == VERSION_LIVE || purge_is_done(v)
		       ? 0
		       : purge_add(t->plan, v, (int64_t)v->asset > 0 ? v->number : 0);
}

/* What a file had in another node's time, before one was renamed over it, is that node's. */
static int add_file(struct tree *t, uint64_t node)
{
	struct node_row row;
	int rc = store_node(t->lake->store, node, &row);

	if (!rc)
		t->plan->others |= row.uid != t->plan->owner;
	return rc == -ENOENT ? 0 : rc ? rc : store_versions_of_node(t->lake->store, node, 0, add_version, t);
}

int purge_plan_folder(struct lake *lake, uint64_t folder, struct purge *out)
{
	struct tree t = {.lake = lake, .plan = out};
	int rc = store_line(lake->store, folder, note_folder, &t);

	out->folder = true;
	/* a folder that was renamed may have come by twice, but no folder is below itself */
	for (size_t i = 0; !rc && i < t.folders.n; i++)
		rc = store_entries_ever(lake->store, t.folders.ids[i], note_entry, &t);
	if (t.files.n)
		qsort(t.files.ids, t.files.n, sizeof(*t.files.ids), compare_ids);
	for (size_t i = 0; !rc && i < t.files.n; i++)
		if (!i || t.files.ids[i] != t.files.ids[i - 1])
			rc = add_file(&t, t.files.ids[i]);
	free(t.folders.ids);
	free(t.files.ids);
	return rc < 0 ? rc : 0;
}
