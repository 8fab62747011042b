#include "cli/daemon/daemon_control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/daemon/daemon_fsck.h"
#include "cli/daemon/daemon_history.h"
#include "cli/daemon/daemon_tier.h"
#include "cli/facts.h"
#include "content/tables.h"
#include "ns/facts.h"
#include "ns/publish/publish.h"
#include "work/quality.h"

#define DRAIN_TRIES 12
#define DRAIN_PAUSE_NS 250000000 /* a commit that failed is tried again each second */

static int add_fact(void *arg, const struct fact *f)
{
	struct json_object *value = f->text	  ? json_object_new_string(f->text)
				    : f->fraction ? json_object_new_double(f->number)
						  : json_object_new_int64((int64_t)f->number);

	return json_object_object_add(arg, f->name, value) ? -ENOMEM : 0;
}

static int answer_lake(struct daemon_state *d, struct json_object *reply)
{
	_cleanup_buf_ struct buf since = BUF_INIT;
	int rc = store_barrier(d->lake->store, 0);

	buf_add_time(&since, d->lake->since);
	json_add_text(reply, "lake", d->lake->path);
	json_object_object_add(reply, "pid", json_object_new_int(getpid()));
	json_add_text(reply, "since", buf_str(&since));
	daemon_mounts_tell(&d->mounts, reply);
	json_object_object_add(reply, "privileged", json_object_new_boolean(d->lake->privileged));
	json_object_object_add(reply, "read_only", json_object_new_boolean(d->lake->read_only));
	return rc ? rc : lake_facts(d->lake, add_fact, reply);
}

static void add_version_facts(struct lake *lake, const struct node_row *row, struct json_object *reply)
{
	_cleanup_buf_ struct buf hex = BUF_INIT;
	struct version_row v;

	if (!row->version || store_version(lake->store, row->version, &v))
		return;
	json_object_object_add(reply, "version", json_object_new_int64((int64_t)v.number));
	if (v.mime[0])
		json_add_text(reply, "mime", v.mime);
	if (v.hashed) {
		buf_add_hex(&hex, v.sha256, sizeof(v.sha256));
		json_add_text(reply, "sha256", buf_str(&hex));
	}
}

static int answer_path(struct daemon_state *d, const char *path, struct json_object *reply)
{
	struct lake *lake = d->lake;
	char bucket[NAME_BYTES + 1];
	struct settings *settings;
	struct node_row row;
	struct inode *inode;
	int rc = store_barrier(lake->store, 0);

	if (!rc)
		rc = store_find(lake->store, path, &row);
	if (rc) {
		if (rc == -ENOENT)
			json_add_text(reply, "error",
				      "no such file in the store (was it just made outside the mount?)");
		return rc;
	}
	json_add_text(reply, "path", path);
	json_object_object_add(reply, "node", json_object_new_int64((int64_t)row.id));
	snprintf(bucket, sizeof(bucket), "%.*s", (int)strcspn(path, "/"), path);
	settings = lake_settings(lake);
	json_add_text(reply, "tier", bucket_tier_name(settings_bucket(settings, bucket)->tier));
	settings_unref(settings);
	inode = inode_find(lake, row.id);
	json_add_text(reply, "state", inode && inode_is_dirty(inode) ? "changed" : "live");
	inode_unref(lake, inode);
	if (row.kind == KIND_FILE) {
		json_object_object_add(reply, "size", json_object_new_int64((int64_t)row.size));
		add_version_facts(lake, &row, reply);
	}
	return 0;
}

static void tell_findings(struct findings *f, struct json_object *to)
{
	for (int i = 0; i < f->n; i++) {
		log_warning("%s", f->list[i].text);
		if (to)
			json_object_array_add(to, json_object_new_string(f->list[i].text));
	}
	findings_release(f);
}

void daemon_load_tables(struct lake *lake, struct json_object *findings)
{
	struct findings f = {0};

	if (lake_load_tables(lake, &f))
		log_error("no memory for the tables that are declared in config/tables");
	tell_findings(&f, findings);
}

int daemon_reload(struct daemon_state *d, struct json_object *findings)
{
	struct findings f = {0};
	int rc = lake_reload(d->lake, &f);

	if (!rc)
		rc = lake_open_buckets(d->lake, &f);
	tell_findings(&f, findings);
	if (!rc)
		daemon_load_tables(d->lake, findings);
	if (!rc && atomic_load(&d->work) && !d->lake->read_only)
		rc = quality_renew(d->lake, NULL);
	return rc;
}

static int answer_reload(struct daemon_state *d, struct json_object *reply)
{
	struct json_object *findings = json_object_new_array();

	json_object_object_add(reply, "findings", findings);
	return daemon_reload(d, findings);
}

/* Which tables are still to be looked at; they are, soon. */
static int answer_check(struct daemon_state *d, struct json_object *reply)
{
	struct declared_tables *t;
	uint64_t pending = 0;
	int rc;

	if (!atomic_load(&d->work) || d->lake->read_only)
		return -EROFS;
	rc = quality_renew(d->lake, &pending);
	t = lake_tables(d->lake);
	json_add_number(reply, "tables", t ? t->n : 0);
	json_add_number(reply, "broken", t ? t->broken : 0);
	json_add_number(reply, "pending", pending);
	tables_unref(t);
	return rc;
}

static int answer_publish(struct daemon_state *d, const struct ucred *peer, struct json_object *request,
			  struct json_object *reply)
{
	struct actor actor = {.caller = {.uid = peer->uid, .gid = peer->gid, .pid = peer->pid, .umask = 022}};
	const char *from = json_text(request, "from"), *to = json_text(request, "to");
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct published done;
	unsigned flags = 0;
	int rc;

	if (!from || !to)
		return -EINVAL;
	if (json_flag(request, "replace"))
		flags |= PUBLISH_REPLACE;
	actor.run = run_of(d->lake, &actor.caller, true);
	rc = ns_publish(d->lake, from, to, flags, &actor, &done, &error);
	if (rc < 0) {
		if (error.len)
			json_add_text(reply, "error", buf_str(&error));
		return rc;
	}
	json_object_object_add(reply, "commit", json_object_new_int64((int64_t)done.commit));
	json_object_object_add(reply, "added", json_object_new_int64((int64_t)done.added));
	json_object_object_add(reply, "replaced", json_object_new_int64((int64_t)done.replaced));
	json_object_object_add(reply, "removed", json_object_new_int64((int64_t)done.removed));
	return 0;
}

/* What `tarn mount` asks of the daemon that a lake has already (cli/mounting_ask.c). */
static int answer_mount(struct daemon_state *d, struct json_object *request, struct json_object *reply)
{
	const char *more = json_object_get_string(json_object_object_get(request, "options"));
	const struct daemon_options o = {
		.lake = d->lake->path,
		.mountpoint = json_object_get_string(json_object_object_get(request, "mountpoint")),
		.view = json_object_get_string(json_object_object_get(request, "view")),
		.read_only = json_flag(request, "read_only"),
		.passthrough = json_flag(request, "passthrough"),
		.allow_other = json_flag(request, "allow_other"),
		.stubs = (enum stubs_use)json_object_get_int(json_object_object_get(request, "stubs")),
		.synth = (enum daemon_synth)json_object_get_int(json_object_object_get(request, "synth")),
		.mount_options = more ? more : "",
	};
	_cleanup_buf_ struct buf error = BUF_INIT;
	int rc = o.view && !o.mountpoint ? -EINVAL : daemon_mount(d, &o, &error);

	if (rc < 0 && error.len)
		json_add_text(reply, "error", buf_str(&error));
	return rc;
}

/* All that is queued, durably. On a disk that was full, room that was made a moment ago counts: see meta/writer.c. */
static int drain(struct store *store)
{
	const struct timespec pause = {.tv_nsec = DRAIN_PAUSE_NS};
	int rc = store_sync(store, 0);

	for (int i = 0; i < DRAIN_TRIES && rc == -ENOSPC; i++) {
		nanosleep(&pause, NULL);
		rc = store_sync(store, 0);
	}
	return rc;
}

int daemon_answer(void *arg, const struct ucred *peer, struct json_object *request, struct json_object *reply)
{
	struct daemon_state *d = arg;
	const char *verb = json_object_get_string(json_object_object_get(request, "verb"));
	const char *path = json_object_get_string(json_object_object_get(request, "path"));

	/* the server has checked who may ask what */
	if (!strcmp(verb, "status"))
		return path ? answer_path(d, path, reply) : answer_lake(d, reply);
	if (!strcmp(verb, "reload"))
		return answer_reload(d, reply);
	if (!strcmp(verb, "check"))
		return answer_check(d, reply);
	if (!strcmp(verb, "publish"))
		return answer_publish(d, peer, request, reply);
	if (!strcmp(verb, "gc"))
		return daemon_answer_gc(d->lake, request, reply);
	if (!strcmp(verb, "purge"))
		return daemon_answer_purge(d->lake, peer, request, reply);
	if (!strcmp(verb, "fsck"))
		return daemon_answer_fsck(d->lake, atomic_load(&d->work), &d->ending, request, reply);
	if (!strcmp(verb, "scrub"))
		return daemon_answer_scrub(d->lake, atomic_load(&d->work), &d->ending, request, reply);
	if (!strcmp(verb, "tier"))
		return daemon_answer_tier(d, request, reply);
	if (!strcmp(verb, "mount"))
		return answer_mount(d, request, reply);
	if (!strcmp(verb, "drain"))
		return drain(d->lake->store);
	json_add_text(reply, "error",
		      "this daemon does not know that verb (is it of an older version? unmount and mount again)");
	return -EOPNOTSUPP;
}
