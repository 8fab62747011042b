#include "cli/daemon/daemon_tier.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/daemon/daemon_import.h"
#include "cli/facts.h"
#include "content/cloud/remote.h"
#include "work/cloud/tier_plan.h"
#include "work/tree.h"

#define BUDGET (NSEC_PER_SEC / 2)
#define AT_ONCE 4 /* requests, as a rule */

static bool stopping(void *arg)
{
	struct daemon_state *d = arg;

	return atomic_load(&d->ending);
}

static void add_skipped(const struct tree_reply *t, struct json_object *reply)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < t->told; i++)
		json_add_skipped(list, t->list[i].path, t->list[i].why);
	json_object_object_add(reply, "list", list);
}

static void add_reply(const struct tree_reply *t, enum tree_verb verb, struct json_object *reply)
{
	json_object_object_add(reply, "ended", json_object_new_boolean(t->ended));
	if (!t->ended)
		json_add_text(reply, "after", buf_str(&t->after));
	if (verb == TREE_COUNT) {
		json_add_number(reply, "local", t->local);
		json_add_number(reply, "local_bytes", t->local_bytes);
		json_add_number(reply, "both", t->both);
		json_add_number(reply, "both_bytes", t->both_bytes);
		json_add_number(reply, "cloud", t->cloud);
		json_add_number(reply, "cloud_bytes", t->cloud_bytes);
		json_add_number(reply, "cloud_stored", t->cloud_stored);
		json_add_number(reply, "requests", t->requests);
		return;
	}
	json_add_number(reply, "done", t->done);
	json_add_number(reply, "done_bytes", t->done_bytes);
	json_add_number(reply, "already", t->already);
	json_add_number(reply, "already_bytes", t->already_bytes);
	json_add_number(reply, "waiting", t->waiting);
	json_add_number(reply, "waiting_bytes", t->waiting_bytes);
	json_add_number(reply, "skipped", t->skipped);
	json_add_number(reply, "skipped_bytes", t->skipped_bytes);
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
		json_add_text(reply, "error", "no cloud is configured, or it cannot be used (see `tarn doctor`)");
		return -ENODEV;
	}
	rc = tree_work(d->lake, &q, &t);
	if (!rc)
		add_reply(&t, verb, reply);
	tree_reply_release(&t);
	return rc;
}

/* Bytes a second of one request after the other, as seen since the remote was opened; several go at once. */
static double speed_of(const struct tier_stats *s, enum tier_verb verb, uint64_t bytes)
{
	return s->verb[verb].ns && bytes ? (double)bytes * NSEC_PER_SEC / (double)s->verb[verb].ns * AT_ONCE : 0;
}

static void add_prices(struct lake *lake, const struct tier_plan *plan, struct json_object *reply)
{
	struct settings *s = lake_settings(lake);
	double cost = (double)plan->upload / 1000 * s->cloud_price_put;

	json_object_object_add(reply, "price_get", json_object_new_double(s->cloud_price_get));
	json_object_object_add(reply, "price_out", json_object_new_double(s->cloud_price_out));
	json_object_object_add(reply, "upload_cost", json_object_new_double(s->cloud_price_put > 0 ? cost : -1));
	settings_unref(s);
}

static int answer_plan(struct daemon_state *d, struct json_object *reply)
{
	_cleanup_tier_ struct tier *tier = lake_tier(d->lake);
	struct tier_stats stats = {0};
	struct tier_plan plan;
	int rc = store_barrier(d->lake->store, 0);

	if (!rc)
		rc = tier_plan(d->lake, &plan);
	if (rc < 0)
		return rc;
	if (tier)
		tier_stats(tier, &stats);
	json_add_number(reply, "use_bytes", plan.use);
	json_add_number(reply, "threshold_bytes", plan.threshold);
	json_add_number(reply, "target_bytes", plan.target);
	json_add_number(reply, "release", plan.release);
	json_add_number(reply, "release_bytes", plan.release_bytes);
	json_add_number(reply, "upload", plan.upload);
	json_add_number(reply, "upload_bytes", plan.upload_bytes);
	add_prices(d->lake, &plan, reply);
	json_object_object_add(reply, "upload_speed",
			       json_object_new_double(speed_of(&stats, TIER_VERB_PUT, stats.sent)));
	json_object_object_add(reply, "download_speed",
			       json_object_new_double(speed_of(&stats, TIER_VERB_GET, stats.received)));
	return 0;
}

static void add_remote(struct lake *lake, struct tier *tier, struct json_object *reply)
{
	_cleanup_buf_ struct buf others = BUF_INIT, since = BUF_INIT, paused = BUF_INIT;
	struct tier_stats s;

	tier_stats(tier, &s);
	json_add_text(reply, "cloud", tier_url(tier));
	json_add_text(reply, "engine", tier_engine(tier));
	if (remote_is_others(lake, &others))
		json_add_text(reply, "used_by", buf_str(&others));
	if (s.unreachable_since) {
		buf_add_time(&since, s.unreachable_since);
		json_add_text(reply, "unreachable_since", buf_str(&since));
	}
	if (s.paused_until) {
		buf_add_time(&paused, s.paused_until);
		json_add_text(reply, "paused_until", buf_str(&paused));
	}
	if (s.last_error[0])
		json_add_text(reply, "last_error", s.last_error);
	for (enum tier_verb v = 0; v < TIER_VERBS; v++) {
		_cleanup_buf_ struct buf key = BUF_INIT;

		buf_addf(&key, "requests_%s", tier_verb_name(v));
		json_add_number(reply, buf_str(&key), s.verb[v].requests);
	}
	json_add_number(reply, "sent_bytes", s.sent);
	json_add_number(reply, "received_bytes", s.received);
	json_add_number(reply, "retries", s.retries);
}

static int answer_status(struct daemon_state *d, struct json_object *reply)
{
	_cleanup_tier_ struct tier *tier = lake_tier(d->lake);
	_cleanup_buf_ struct buf copied = BUF_INIT;
	int error = atomic_load(&d->lake->backup_error);
	struct store_totals t;
	int rc = store_barrier(d->lake->store, 0);

	if (!rc)
		rc = store_totals(d->lake->store, &t);
	if (rc < 0)
		return rc;
	if (tier)
		add_remote(d->lake, tier, reply);
	else
		json_add_text(reply, "cloud", "none");
	json_add_number(reply, "files_local", t.files - (t.uploaded < t.files ? t.uploaded : t.files));
	json_add_number(reply, "files_local_bytes",
			t.bytes - (t.uploaded_bytes < t.bytes ? t.uploaded_bytes : t.bytes));
	json_add_number(reply, "files_both", t.uploaded - (t.stubs < t.uploaded ? t.stubs : t.uploaded));
	json_add_number(reply, "files_both_bytes",
			t.uploaded_bytes - (t.stub_bytes < t.uploaded_bytes ? t.stub_bytes : t.uploaded_bytes));
	json_add_number(reply, "files_cloud", t.stubs);
	json_add_number(reply, "files_cloud_bytes", t.stub_bytes);
	json_add_number(reply, "objects", t.cloud);
	json_add_number(reply, "objects_bytes", t.cloud_bytes);
	json_add_number(reply, "uploading", t.cloud_intents);
	json_add_number(reply, "uploading_bytes", t.cloud_intent_bytes);
	json_add_number(reply, "to_be_removed", t.cloud_going);
	if (atomic_load(&d->lake->backup_at)) {
		buf_add_time(&copied, atomic_load(&d->lake->backup_at));
		json_add_text(reply, "metadata_copied_at", buf_str(&copied));
	}
	if (error)
		json_add_text(reply, "metadata_not_copied_because", strerror(-error));
	return 0;
}

static int answer_take_over(struct daemon_state *d, struct json_object *reply)
{
	_cleanup_buf_ struct buf who = BUF_INIT;
	int rc = d->lake->read_only ? -EROFS : remote_take(d->lake, NULL, &who);

	if (!rc)
		json_add_text(reply, "was", buf_str(&who));
	return rc;
}

int daemon_answer_tier(struct daemon_state *d, struct json_object *request, struct json_object *reply)
{
	const char *what = json_text(request, "do"), *path = json_text(request, "path");

	if (!what || !path)
		return -EINVAL;
	if (!strcmp(what, "status"))
		return answer_status(d, reply);
	if (!strcmp(what, "take-over"))
		return answer_take_over(d, reply);
	if (!strcmp(what, "plan"))
		return answer_plan(d, reply);
	if (!strcmp(what, "import") || !strcmp(what, "sync"))
		return daemon_answer_import(d, *what == 's', request, reply);
	if (!strcmp(what, "missing"))
		return daemon_answer_missing(d, request, reply);
	if (!strcmp(what, "count"))
		return answer_tree(d, TREE_COUNT, path, request, reply);
	if (!strcmp(what, "evict"))
		return answer_tree(d, TREE_EVICT, path, request, reply);
	if (!strcmp(what, "recall"))
		return answer_tree(d, TREE_RECALL, path, request, reply);
	return -EINVAL;
}
