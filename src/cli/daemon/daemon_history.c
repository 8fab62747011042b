#include "cli/daemon/daemon_history.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "work/gc.h"
#include "work/purge.h"

#define LISTED 5000
#define LIST_BYTES (2 * 1024 * 1024) /* below CONTROL_REPLY_MAX */

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
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
	json_add_text(o, "path", buf_str(&path));
	add_number(o, "bytes", item->bytes);
	json_add_text(o, "reason", plan->reasons[item->reason].text);
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

		json_add_text(o, "reason", plan->reasons[i].text);
		add_number(o, "versions", plan->reasons[i].versions);
		add_number(o, "bytes", plan->reasons[i].bytes);
		json_object_array_add(list, o);
	}
	json_object_object_add(reply, "reasons", list);
}

int daemon_answer_gc(struct lake *lake, struct json_object *request, struct json_object *reply)
{
	bool dry_run = json_flag(request, "dry_run");
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

/* ---- purge ---- */

static void add_file(struct lake *lake, const struct purge_item *item, struct json_object *o)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct version_row v;

	if (!store_version(lake->store, item->version, &v))
		find_path(lake, &v, &path);
	json_add_text(o, "path", buf_str(&path));
}

static void add_items(struct lake *lake, const struct purge *p, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();
	size_t n = 0;

	for (; n < p->n && n < LISTED; n++) {
		struct json_object *o = json_object_new_object();

		add_number(o, "version", p->items[n].number);
		add_number(o, "size", p->items[n].size);
		json_add_text(o, "state", version_state_name(p->items[n].state));
		if (p->folder)
			add_file(lake, &p->items[n], o);
		json_object_array_add(list, o);
	}
	json_object_object_add(reply, "list", list);
	json_object_object_add(reply, "truncated", json_object_new_boolean(n < p->n));
}

static int carry_out(struct lake *lake, const struct purge *p, const struct ucred *peer, struct json_object *reply,
		     struct buf *error)
{
	struct actor actor = {.caller = {.uid = peer->uid, .gid = peer->gid, .pid = peer->pid}};
	uint64_t left;
	int rc;

	if (lake->read_only)
		return -EROFS;
	actor.run = run_of(lake, &actor.caller, true);
	rc = purge_carry_out(lake, p, &actor, &left, error);
	add_number(reply, "left", left);
	return rc;
}

int daemon_answer_purge(struct lake *lake, const struct ucred *peer, struct json_object *request,
			struct json_object *reply)
{
	bool dry_run = json_flag(request, "dry_run");
	int64_t number = json_object_get_int64(json_object_object_get(request, "version"));
	const char *path = json_text(request, "path");
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct purge plan = {0};
	int rc = path && number >= 0 ? purge_plan(lake, path, (uint64_t)number, &plan, &error) : -EINVAL;

	if (!rc && peer->uid && peer->uid != geteuid() && (peer->uid != plan.owner || plan.others)) {
		buf_adds(&error, plan.others ? "some of it is or was the file of others: only root may erase that"
					     : "only its owner and root may erase its history");
		rc = -EPERM;
	}
	if (!rc) {
		json_object_object_add(reply, "dry_run", json_object_new_boolean(dry_run));
		json_object_object_add(reply, "lives", json_object_new_boolean(plan.lives));
		add_number(reply, "versions", plan.n);
		add_number(reply, "bytes", plan.bytes);
		add_items(lake, &plan, reply);
	}
	if (!rc && !dry_run)
		rc = carry_out(lake, &plan, peer, reply, &error);
	if (rc < 0 && error.len)
		json_add_text(reply, "error", buf_str(&error));
	purge_release(&plan);
	return rc;
}
