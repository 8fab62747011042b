#include "cli/daemon/daemon_fsck.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/facts.h"
#include "content/lake.h"
#include "content/cloud/remote.h"
#include "work/fsck/fsck.h"
#include "work/fsck/scrub.h"

#define LISTED 10000
#define LIST_BYTES (3 * 1024 * 1024) /* below CONTROL_REPLY_MAX */

struct told {
	struct json_object *list;
	size_t bytes;
	bool truncated;
};

static void tell(void *arg, const struct fsck_finding *f)
{
	struct told *t = arg;
	struct json_object *o;

	t->bytes += strlen(f->place) * 2 + strlen(f->what) + 200;
	t->truncated |= t->bytes > LIST_BYTES || json_object_array_length(t->list) >= LISTED;
	if (t->truncated)
		return;
	o = json_object_new_object();
	json_add_text(o, "place", f->place);
	json_add_text(o, "what", f->what);
	json_add_text(o, "remedy", f->remedy);
	json_add_text(o, "state", fsck_state_name(f->state));
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
		.repair = json_flag(request, "repair"),
		.remote = json_flag(request, "remote"),
		.stop = ending,
		.work = work,
		.tell = tell,
		.arg = &told,
	};
	struct fsck_result r;
	int rc = fsck_run(lake, &options, &r);

	json_object_object_add(reply, "findings", told.list);
	if (options.remote && is_remote_error(rc)) {
		json_add_text(reply, "remote_error",
			      rc == -ENODEV		     ? "no remote is configured"
			      : remote_is_others(lake, NULL) ? "it is another lake's"
							     : strerror(-rc));
		rc = 0;
	}
	if (rc == -EBUSY)
		json_add_text(reply, "error", "it is being checked already");
	json_object_object_add(reply, "truncated", json_object_new_boolean(told.truncated));
	json_add_number(reply, "notes", r.notes);
	json_add_number(reply, "left", r.left);
	json_add_number(reply, "repaired", r.repaired);
	json_add_number(reply, "names", r.names);
	json_add_number(reply, "versions", r.versions);
	json_add_number(reply, "packs", r.packs);
	json_add_number(reply, "objects", r.objects);
	return rc;
}

/* ---- scrub ---- */

#define STEP NSEC_PER_SEC

static void add_time(struct json_object *o, const char *key, int64_t time)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_add_time(&text, time);
	json_add_text(o, key, time ? buf_str(&text) : NULL);
}

static void add_damaged(struct json_object *reply, const struct buf *damaged)
{
	struct json_object *list = json_object_new_array();
	const char *text = buf_str(damaged), *end;

	for (; (end = strchr(text, '\n')); text = end + 1)
		json_object_array_add(list, json_object_new_string_len(text, (int)(end - text)));
	json_object_object_add(reply, "list", list);
}

static int add_state(struct lake *lake, struct json_object *reply)
{
	static const char *const phases[] = {"never", "files", "packs", "cloud", "done"};
	_cleanup_buf_ struct buf damaged = BUF_INIT;
	struct scrub_state state;
	int rc = scrub_state_read(lake->store, &state, &damaged);

	if (rc)
		return rc;
	json_add_text(reply, "phase", phases[state.phase]);
	json_object_object_add(reply, "done", json_object_new_boolean(state.phase == SCRUB_DONE));
	add_time(reply, "begun", state.begun);
	add_time(reply, "last", state.last);
	json_add_number(reply, "contents", state.files);
	json_add_number(reply, "bytes", state.bytes);
	json_add_number(reply, "damaged", state.damaged);
	json_add_number(reply, "repaired", state.repaired);
	add_damaged(reply, &damaged);
	return 0;
}

int daemon_answer_scrub(struct lake *lake, struct work *work, const _Atomic bool *ending, struct json_object *request,
			struct json_object *reply)
{
	struct told told = {.list = json_object_new_array()};
	struct scrub_options options = {
		.anew = json_flag(request, "anew"),
		.cloud = json_flag(request, "cloud"),
		.rate = (uint64_t)json_object_get_int64(json_object_object_get(request, "rate")),
		.budget = STEP,
		.stop = ending,
		.work = work,
		.tell = tell,
		.arg = &told,
	};
	struct scrub_state state;
	int rc = json_flag(request, "look") ? 0 : scrub_step(lake, &options, &state);

	json_object_object_add(reply, "findings", told.list);
	if (rc == -EBUSY)
		json_add_text(reply, "error", "another scrub is at it");
	if (rc == -ENODEV)
		json_add_text(reply, "error", "no remote is configured");
	return rc && rc != -ECANCELED ? rc : add_state(lake, reply);
}
