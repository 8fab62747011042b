#include "cli/daemon_history.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cli/facts.h"
#include "work/gc.h"

#define LISTED 5000
#define LIST_BYTES (2 * 1024 * 1024) /* below CONTROL_REPLY_MAX */

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* Where the file is now, or was with this version. */
static void find_path(struct lake *lake, const struct version_row *v, struct buf *path)
{
	if (store_path(lake->store, v->node, path) && store_path_at(lake->store, v->node, v->cut_commit, path))
		buf_adds(path, "?");
}

static struct json_object *describe(struct lake *lake, const struct gc_plan *plan, const struct gc_item *item,
				    size_t *bytes)
{
	struct json_object *o = json_object_new_object();
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct version_row v;

	if (!store_version(lake->store, item->version, &v)) {
		find_path(lake, &v, &path);
		add_number(o, "version", v.number);
		add_number(o, "size", v.size);
	}
	add_text(o, "path", buf_str(&path));
	add_number(o, "bytes", item->bytes);
	add_text(o, "reason", plan->reasons[item->reason].text);
	*bytes += path.len + 128;
	return o;
}

static void add_list(struct lake *lake, const struct gc_plan *plan, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();
	size_t bytes = 0, n = 0;

	for (; n < plan->n && n < LISTED && bytes < LIST_BYTES; n++)
		json_object_array_add(list, describe(lake, plan, &plan->items[n], &bytes));
	json_object_object_add(reply, "list", list);
	json_object_object_add(reply, "truncated", json_object_new_boolean(n < plan->n));
}

static void add_reasons(const struct gc_plan *plan, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < plan->nreasons; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "reason", plan->reasons[i].text);
		add_number(o, "versions", plan->reasons[i].versions);
		add_number(o, "bytes", plan->reasons[i].bytes);
		json_object_array_add(list, o);
	}
	json_object_object_add(reply, "reasons", list);
}

int daemon_answer_gc(struct lake *lake, struct json_object *request, struct json_object *reply)
{
	bool dry_run = json_object_get_boolean(json_object_object_get(request, "dry_run"));
	uint64_t versions, bytes;
	struct gc_plan plan;
	int rc = gc_plan(lake, NULL, &plan);

	if (!rc) {
		versions = plan.n;
		bytes = plan.bytes;
		add_list(lake, &plan, reply); /* before they go */
		if (!dry_run && lake->read_only)
			rc = -EROFS;
	}
	if (!rc && !dry_run)
		rc = gc_carry_out(lake, &plan, NULL, &versions, &bytes);
	if (!rc) {
		json_object_object_add(reply, "dry_run", json_object_new_boolean(dry_run));
		add_number(reply, "versions", versions);
		add_number(reply, "bytes", bytes);
		add_reasons(&plan, reply);
	}
	gc_plan_release(&plan);
	return rc;
}
