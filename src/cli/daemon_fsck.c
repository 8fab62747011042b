#include "cli/daemon_fsck.h"

#include <errno.h>
#include <string.h>

#include "work/fsck.h"

#define LISTED 10000
#define LIST_BYTES (3 * 1024 * 1024) /* below CONTROL_REPLY_MAX */

struct told {
	struct json_object *list;
	size_t bytes;
	bool truncated;
};

static void add_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void tell(void *arg, const struct fsck_finding *f)
{
	struct told *t = arg;
	struct json_object *o;

	t->bytes += strlen(f->place) * 2 + strlen(f->what) + 200;
	t->truncated |= t->bytes > LIST_BYTES || json_object_array_length(t->list) >= LISTED;
	if (t->truncated)
		return;
	o = json_object_new_object();
	add_text(o, "place", f->place);
	add_text(o, "what", f->what);
	add_text(o, "remedy", f->remedy);
	add_text(o, "state", fsck_state_name(f->state));
	json_object_array_add(t->list, o);
}

static bool is_remote_error(int rc)
{
	return rc == -EHOSTUNREACH || rc == -ETIMEDOUT || rc == -ENODEV || rc == -EACCES || rc == -EIO;
}

int daemon_answer_fsck(struct lake *lake, struct work *work, const _Atomic bool *ending, struct json_object *request,
		       struct json_object *reply)
{
	struct told told = {.list = json_object_new_array()};
	struct fsck_options options = {
		.repair = json_object_get_boolean(json_object_object_get(request, "repair")),
		.remote = json_object_get_boolean(json_object_object_get(request, "remote")),
		.stop = ending,
		.work = work,
		.tell = tell,
		.arg = &told,
	};
	struct fsck_result r;
	int rc = fsck_run(lake, &options, &r);

	json_object_object_add(reply, "findings", told.list);
	if (options.remote && is_remote_error(rc)) {
		add_text(reply, "remote_error", rc == -ENODEV ? "no remote is configured" : strerror(-rc));
		rc = 0;
	}
	if (rc == -EBUSY)
		add_text(reply, "error", "it is being checked already");
	json_object_object_add(reply, "truncated", json_object_new_boolean(told.truncated));
	add_number(reply, "notes", r.notes);
	add_number(reply, "left", r.left);
	add_number(reply, "repaired", r.repaired);
	add_number(reply, "names", r.names);
	add_number(reply, "versions", r.versions);
	add_number(reply, "packs", r.packs);
	add_number(reply, "objects", r.objects);
	return rc;
}
