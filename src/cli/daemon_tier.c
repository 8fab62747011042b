#include "cli/daemon_tier.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/facts.h"
#include "content/remote.h"
#include "work/tree.h"

#define BUDGET (NSEC_PER_SEC / 2)

static void add(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static bool stopping(void *arg)
{
	struct daemon_state *d = arg;

	return atomic_load(&d->ending);
}

static void add_skipped(const struct tree_reply *t, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < t->told; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "path", t->list[i].path);
		add_text(o, "why", t->list[i].why);
		json_object_array_add(list, o);
	}
	json_object_object_add(reply, "list", list);
}

static void add_reply(const struct tree_reply *t, enum tree_verb verb, struct json_object *reply)
{
	json_object_object_add(reply, "ended", json_object_new_boolean(t->ended));
	if (!t->ended)
		add_text(reply, "after", buf_str(&t->after));
	if (verb == TREE_COUNT) {
		add(reply, "local", t->local);
		add(reply, "local_bytes", t->local_bytes);
		add(reply, "both", t->both);
		add(reply, "both_bytes", t->both_bytes);
		add(reply, "cloud", t->cloud);
		add(reply, "cloud_bytes", t->cloud_bytes);
		add(reply, "cloud_stored", t->cloud_stored);
		add(reply, "requests", t->requests);
		return;
	}
	add(reply, "done", t->done);
	add(reply, "done_bytes", t->done_bytes);
	add(reply, "already", t->already);
	add(reply, "already_bytes", t->already_bytes);
	add(reply, "waiting", t->waiting);
	add(reply, "waiting_bytes", t->waiting_bytes);
	add(reply, "skipped", t->skipped);
	add(reply, "skipped_bytes", t->skipped_bytes);
	add_skipped(t, reply);
}

static int answer_tree(struct daemon_state *d, enum tree_verb verb, const char *path, struct json_object *request,
		       struct json_object *reply)
{
	const struct tree_request q = {.verb = verb,
				       .path = path,
				       .after = json_text(request, "after"),
				       .budget = BUDGET,
				       .stop = stopping,
				       .arg = d};
	_cleanup_tier_ struct tier *tier = lake_tier(d->lake);
	struct tree_reply t;
	int rc;

	if (verb != TREE_COUNT && d->lake->read_only)
		return -EROFS;
	if (verb != TREE_COUNT && !tier) {
		add_text(reply, "error", "no cloud is configured, or it cannot be used (see `tarn doctor`)");
		return -ENODEV;
	}
	rc = tree_work(d->lake, &q, &t);
	if (!rc)
		add_reply(&t, verb, reply);
	tree_reply_release(&t);
	return rc;
}

int daemon_answer_tier(struct daemon_state *d, struct json_object *request, struct json_object *reply)
{
	const char *what = json_text(request, "do"), *path = json_text(request, "path");

	if (!what || !path)
		return -EINVAL;
	if (!strcmp(what, "count"))
		return answer_tree(d, TREE_COUNT, path, request, reply);
	if (!strcmp(what, "evict"))
		return answer_tree(d, TREE_EVICT, path, request, reply);
	if (!strcmp(what, "recall"))
		return answer_tree(d, TREE_RECALL, path, request, reply);
	return -EINVAL;
}
