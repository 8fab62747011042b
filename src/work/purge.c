#include "work/purge.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "content/reach.h"
#include "content/recall/recall.h"
#include "content/pack/repack.h"
#include "work/work_int.h"

#define PURGED "purged"
#define SCRUB_WAIT_MS 10000

/* ---- the plan ---- */

void purge_release(struct purge *p)
{
	free(p->items);
	*p = (struct purge){0};
}

int purge_add(struct purge *p, const struct version_row *v, uint64_t number)
{
	if (array_grow(&p->items, p->n, &p->room, sizeof(*p->items)))
		return -ENOMEM;
	p->items[p->n++] = (struct purge_item){v->id, number, v->node, v->size, v->stored, v->state};
	p->bytes += v->stored;
	return 0;
}

struct collect {
	struct purge *plan;
	const struct version_row *only; /* NULL: all */
	bool listed;
};

bool purge_is_done(const struct version_row *v)
{
	return v->state == VERSION_PURGED && v->how == HOW_NONE && !v->hashed && !v->mime[0];
}

static int collect(void *arg, const struct version_row *v)
{
	struct collect *c = arg;

	if (v->state == VERSION_LIVE || purge_is_done(v))
		return 0;
	if (c->listed && c->only && v->id != c->only->id)
		return 0;
	/* What repeats another version has its bytes, too. */
	if (!c->listed && c->only &&
	    !(v->hashed && c->only->hashed && !memcmp(v->sha256, c->only->sha256, SHA256_BYTES)))
		return 0;
	return purge_add(c->plan, v, c->listed ? v->number : 0);
}

/* The series, and what has left it: see store.h. */
static int collect_all(struct lake *lake, uint64_t series, const struct version_row *only, struct purge *plan)
{
	struct collect c = {.plan = plan, .only = only, .listed = true};
	int rc = store_versions(lake->store, series, collect, &c);

	c.listed = false;
	return rc ? rc : store_versions(lake->store, (uint64_t) - (int64_t)series, collect, &c);
}

/* The name NAME in PARENT now, else what lay there last. */
static int look_up(struct lake *lake, uint64_t parent, const char *name, struct node_row *row)
{
	int rc = store_entry(lake->store, parent, name, row);

	return rc == -ENOENT ? store_entry_last(lake->store, parent, name, row) : rc;
}

static int find_file(struct lake *lake, const char *path, struct node_row *row, uint64_t *parent, const char **name)
{
	_cleanup_free_ char *copy = strdup(path);
	char *save, *part;
	int rc = copy ? 0 : -ENOMEM;

	*name = strrchr(path, '/');
	*name = *name ? *name + 1 : path;
	row->id = NODE_ROOT;
	part = copy ? strtok_r(copy, "/", &save) : NULL;
	for (; part && !rc; part = strtok_r(NULL, "/", &save)) {
		*parent = row->id;
		rc = look_up(lake, *parent, part, row);
	}
	return rc ? rc : row->id == NODE_ROOT || row->kind == KIND_FOLDER ? -EISDIR : 0;
}

/* -EISDIR: it is a folder, *NODE. */
static int find_series(struct lake *lake, const char *path, struct purge *out, uint64_t *series, uint64_t *node,
		       struct buf *error)
{
	struct node_row row = {0};
	const char *name = "";
	uint64_t parent = 0, live = 0;
	int rc = store_barrier(lake->store, 0);

	if (!rc)
		rc = find_file(lake, path, &row, &parent, &name);
	if (rc == -EISDIR && row.id != NODE_ROOT) { /* a file may have had its name */
		int none = store_series(lake->store, parent, name, series, &live);

		rc = none && none != -ENOENT ? none : rc;
	} else if (!rc) {
		rc = store_series(lake->store, parent, name, series, &live);
	}
	if (rc == -ENOENT)
		buf_addf(error, "%s: nothing is known of such a file", path);
	out->lives = live;
	out->owner = row.uid;
	*node = row.id;
	return rc ? rc : *series ? 0 : -ENODATA;
}

/* Whose what is to go was: that is whoever the file was of at the end of it, not who has its name now. */
static int find_owner(struct lake *lake, struct purge *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct node_row row;
		int rc;

		if (i && plan->items[i].node == plan->items[i - 1].node)
			continue;
		rc = store_node(lake->store, plan->items[i].node, &row);
		if (rc && rc != -ENOENT)
			return rc;
		if (!i && !rc)
			plan->owner = row.uid;
		plan->others |= rc || row.uid != plan->owner;
	}
	return 0;
}

/* Of a folder, and of the file that had its name before: SERIES, 0 for none. */
static int plan_folder(struct lake *lake, uint64_t folder, uint64_t series, struct purge *out)
{
	uid_t owner = out->owner;
	int rc = series ? collect_all(lake, series, NULL, out) : 0;

	if (!rc)
		rc = find_owner(lake, out);
	out->others |= out->owner != owner;
	out->owner = owner;
	return rc ? rc : purge_plan_folder(lake, folder, out);
}

int purge_plan(struct lake *lake, const char *path, uint64_t number, struct purge *out, struct buf *error)
{
	struct version_row only;
	uint64_t series = 0, node = 0;
	int rc;

	*out = (struct purge){.whole = !number};
	rc = find_series(lake, path, out, &series, &node, error);
	if (rc == -ENODATA) /* a file without versions */
		return 0;
	if (rc == -EISDIR && number && series)
		rc = 0;
	else if (rc == -EISDIR && (number || node == NODE_ROOT))
		buf_addf(error, "%s: a folder, %s", path, number ? "which has no numbered versions" : "the whole lake");
	else if (rc == -EISDIR)
		return plan_folder(lake, node, series, out);
	if (!rc && number) {
		rc = store_version_by_number(lake->store, series, number, &only);
		if (rc == -ENOENT)
			buf_addf(error, "%s has no version %" PRIu64, path, number);
		if (!rc && only.state == VERSION_LIVE) {
			buf_addf(error, "%s: version %" PRIu64 " is the file as it is; change or remove that first",
				 path, number);
			rc = -EBUSY;
		}
	}
	if (!rc)
		rc = collect_all(lake, series, number ? &only : NULL, out);
	return rc ? rc : find_owner(lake, out);
}

/* ---- carrying it out ---- */

struct erasing {
	struct lake *lake;
	const struct purge *plan;
	struct version_row *rows;
	uint8_t (*hashes)[SHA256_BYTES]; /* of contents that packs may have */
	size_t n, nhashes;
};

static int load(struct erasing *e)
{
	e->rows = calloc(e->plan->n, sizeof(*e->rows));
	e->hashes = calloc(e->plan->n, sizeof(*e->hashes));
	if (!e->rows || !e->hashes)
		return -ENOMEM;
	for (size_t i = 0; i < e->plan->n; i++) {
		struct version_row *v = &e->rows[e->n];
		int rc = store_version(e->lake->store, e->plan->items[i].version, v);

		if (rc == -ENOENT || (!rc && v->state == VERSION_LIVE))
			continue;
		if (rc)
			return rc;
		e->n++;
		if (v->hashed)
			memcpy(e->hashes[e->nhashes++], v->sha256, SHA256_BYTES);
	}
	return 0;
}

static struct record *new_record(const struct actor *actor, uint64_t node)
{
	return record_new(OP_SYSTEM, actor->run, actor->caller.uid, node, 0, NULL);
}

static int record_purged(struct erasing *e, const struct actor *actor)
{
	struct record *r = new_record(actor, e->rows[0].node);
	uint64_t commit;
	int rc;

	for (size_t i = 0; i < e->n; i++) {
		const struct version_row *v = &e->rows[i];
		/* Files of its own may be needed for others; nobody needs what a pack or the cloud has of it. */
		enum version_how how = v->how == HOW_PACKED || v->how == HOW_CLOUD ? HOW_NONE : v->how;

		record_version_state(r, v->id, VERSION_PURGED, how, PURGED);
	}
	rc = store_submit(e->lake->store, r, &commit);
	return rc ? rc : store_sync(e->lake->store, commit);
}

static int record_forgotten(struct erasing *e, const struct actor *actor)
{
	struct record *r = new_record(actor, e->rows[0].node);

	for (size_t i = 0; i < e->n; i++) {
		record_version_forget(r, e->rows[i].id);
		if (e->plan->whole)
			record_node_forget(r, e->rows[i].node);
	}
	return store_submit(e->lake->store, r, NULL);
}

/* Those that have files still: others are read through them. */
static uint64_t count_left(struct erasing *e)
{
	uint64_t left = 0;
	struct version_row v;

	for (size_t i = 0; i < e->n; i++)
		left += !store_version(e->lake->store, e->rows[i].id, &v) && v.how != HOW_NONE;
	return left;
}

/* What came back of them from the cloud. */
static void forget_recalls(struct erasing *e)
{
	_cleanup_free_ uint64_t *ids = calloc(e->n, sizeof(*ids));
	struct volume *volume;

	for (size_t i = 0; ids && i < e->n; i++)
		ids[i] = e->rows[i].id;
	for (int i = 0; ids && (volume = reach_volume(e->lake, i)); i++)
		recalls_forget(e->lake->recalls, volume->cachefd, ids, e->n);
}

static int erase(struct erasing *e, const struct actor *actor, uint64_t *left, struct buf *error)
{
	int rc = record_purged(e, actor);

	for (size_t i = 0; !rc && i < e->n; i++)
		if (!i || e->rows[i].node != e->rows[i - 1].node)
			expire_remove(e->lake, &e->rows[i]);
	if (!rc)
		forget_recalls(e);
	if (!rc && e->nhashes)
		rc = packs_erase(e->lake, (const uint8_t(*)[SHA256_BYTES])e->hashes, e->nhashes);
	if (rc < 0) {
		buf_addf(error, "not all bytes could be erased: %s (do it again)", strerror(-rc));
		return rc;
	}
	rc = record_forgotten(e, actor);
	if (!rc)
		rc = store_barrier(e->lake->store, 0);
	if (!rc)
		*left = count_left(e);
	if (!rc)
		rc = store_scrub(e->lake->store, SCRUB_WAIT_MS);
	if (rc == -EBUSY)
		buf_adds(error, "all is erased but what the store's log has of it: somebody reads long (do it again)");
	return rc;
}

int purge_carry_out(struct lake *lake, const struct purge *p, const struct actor *actor, uint64_t *left,
		    struct buf *error)
{
	struct erasing e = {.lake = lake, .plan = p};
	int rc = 0;

	*left = 0;
	if (p->n)
		rc = load(&e);
	if (!rc && e.n)
		rc = erase(&e, actor, left, error);
	else if (!rc) /* the log may have something of what was purged before */
		rc = store_scrub(lake->store, SCRUB_WAIT_MS);
	if (!rc && e.n)
		log_info("history: %zu versions were purged by uid %u", e.n, (unsigned)actor->caller.uid);
	free(e.rows);
	free(e.hashes);
	return rc;
}
