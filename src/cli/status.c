/*
 * tarn status: what the daemon tells, or without one what the store tells. The facts are shown as they come
 * (cli/facts.h), so a new one needs no change here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/mounts.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "ns/facts.h"
#include "meta/store.h"

#define STATUS_SECONDS 30
#define STATS_MAX (1024 * 1024)

static void add_int(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

/* By the names that a daemon has for them (ns/facts.h). */
static void add_totals(struct json_object *facts, const struct store_totals *t)
{
	add_int(facts, "total_assets", t->files);
	add_int(facts, "folders", t->folders);
	add_int(facts, "symlinks", t->symlinks);
	add_int(facts, "bytes", t->bytes);
	add_int(facts, "versions_kept", t->versions_kept);
	add_int(facts, "versions_kept_bytes", t->versions_kept_bytes);
	add_int(facts, "history_bytes", t->stored_bytes);
	for (enum version_how how = HOW_ASIDE; how <= HOW_CLOUD; how++) {
		char name[40];

		snprintf(name, sizeof(name), "versions_kept_%s", version_how_name(how));
		add_int(facts, name, t->versions_by_how[how]);
	}
	add_int(facts, "versions_not_kept", t->versions_not_kept);
	if (t->cloud) {
		add_int(facts, "files_cloud", t->stubs);
		add_int(facts, "files_cloud_bytes", t->stub_bytes);
		add_int(facts, "cloud_objects", t->cloud);
		add_int(facts, "cloud_objects_bytes", t->cloud_bytes);
	}
	add_int(facts, "commits", t->commits);
	add_int(facts, "opens", t->opens);
	add_int(facts, "jobs", t->jobs);
	add_int(facts, "store_bytes", t->store_bytes);
}

static void add_packs(struct json_object *facts, const struct pack_totals *t)
{
	add_int(facts, "packs", t->packs);
	add_int(facts, "packs_bytes", t->bytes);
	add_int(facts, "packs_content_bytes", t->content_bytes);
	add_int(facts, "packs_cloud", t->away);
	add_int(facts, "packs_cloud_bytes", t->away_bytes);
}

/* Without a daemon, a mount that the table still has is what a killed one left. */
static void add_dead_mount(struct json_object *facts, const char *lake)
{
	const struct mount_entry *e;
	struct mounts m;

	if (mounts_load(&m))
		return;
	e = mounts_of_lake(&m, lake);
	if (e)
		json_object_object_add(facts, "dead_mount", json_object_new_string(e->point));
	mounts_release(&m);
}

/* What the store of an unmounted lake knows. */
static int unmounted_facts(const char *lake, struct json_object **out)
{
	_cleanup_json_ struct json_object *facts = json_object_new_object();
	_cleanup_buf_ struct buf path = BUF_INIT, reasons = BUF_INIT;
	struct store_totals totals;
	struct pack_totals packs;
	struct store *store = NULL;
	const char *why = NULL;
	int rc;

	buf_addf(&path, "%s/catalog/tarn.db", lake);
	rc = buf_error(&path);
	if (!rc)
		rc = store_open(buf_str(&path), STORE_READ, &store, &why);
	if (!rc) {
		rc = store_totals(store, &totals);
		if (!rc)
			rc = store_pack_totals(store, &packs);
		if (!rc)
			rc = facts_not_kept(store, &reasons);
		store_close(store);
	}
	if (rc) {
		say("%s: %s (`tarn doctor %s` may know more)", buf_str(&path), why ? why : strerror(-rc), lake);
		return rc;
	}
	json_object_object_add(facts, "lake", json_object_new_string(lake));
	json_object_object_add(facts, "mounted", json_object_new_boolean(false));
	add_dead_mount(facts, lake);
	add_totals(facts, &totals);
	if (reasons.len)
		json_object_object_add(facts, "not_kept_because", json_object_new_string(buf_str(&reasons)));
	add_packs(facts, &packs);
	*out = json_object_get(facts);
	return 0;
}

/* The daemon does not answer other users; what everybody may know is on the mount. */
static int public_facts(const char *lake, struct json_object **out)
{
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT;
	_cleanup_close_ int fd = -1;
	const struct mount_entry *e;
	struct mounts m;
	char part[4096];
	ssize_t n = -1;

	if (mounts_load(&m))
		return -EACCES;
	e = mounts_of_lake(&m, lake);
	buf_addf(&path, "%s/.catalog/stats.json", e ? e->point : "");
	mounts_release(&m);
	fd = e ? open(buf_str(&path), O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && text.len < STATS_MAX && (n = read(fd, part, sizeof(part))) > 0)
		buf_add(&text, part, (size_t)n);
	*out = n == 0 ? control_parse(text.data, text.len) : NULL;
	return *out ? 0 : -EACCES;
}

static int say_error(const struct place *p, int rc, struct json_object *reply)
{
	const char *why = json_text(reply, "error");

	if (rc == -EACCES && !why)
		say("%s: only its owner or root may ask (.catalog/stats.json on the mount is for everybody)", p->lake);
	else
		say("%s: %s", p->path, why ? why : strerror(-rc));
	return rc == -ETIMEDOUT || rc == -EAGAIN ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

static int ask_daemon(const struct place *p, bool about_path, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();

	json_object_object_add(request, "verb", json_object_new_string("status"));
	if (about_path)
		json_object_object_add(request, "path", json_object_new_string(p->inside));
	return control_call(p->lake, request, STATUS_SECONDS, reply);
}

static int show(const struct place *p, bool about_path, bool json)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = ask_daemon(p, about_path, &reply);

	if (rc == -ENOTCONN && about_path) {
		say("%s: its lake %s is not mounted (`tarn mount %s`)", p->path, p->lake, p->lake);
		return EXIT_FAILED;
	}
	if (rc == -ENOTCONN) {
		if (unmounted_facts(p->lake, &reply))
			return EXIT_FAILED;
		rc = 0;
	} else if (rc == -EACCES && !about_path && !reply) {
		rc = public_facts(p->lake, &reply);
	}
	if (rc)
		return say_error(p, rc, reply);
	rc = json ? json_print(reply) : facts_print(reply, stdout);
	return rc ? EXIT_FAILED : EXIT_OK;
}

static int run_status(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_place_ struct place p = {0};
	const char *given;
	bool json = false;
	int c, n, rc;

	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		json |= c == OPTION_JSON;
	n = verb_arguments(v, argc, argv, 0, 1);
	given = n ? argv[optind] : ".";
	rc = place_find(given, &p);
	if (rc) {
		say("%s: %s", given, strerror(-rc));
		return EXIT_FAILED;
	}
	if (!p.lake) {
		say("%s: in no lake (name a lake, its mount point or a path in it)", p.path);
		return EXIT_FAILED;
	}
	return show(&p, n && p.inside && p.inside[0], json);
}

const struct verb verb_status = {
	.name = "status",
	.args = "[PATH] [--json]",
	.summary = "how a lake is, or what is known of a path",
	.details =
		"Shows how the lake around PATH (or around the current folder) is: where it is\n"
		"mounted, whether the kernel reads and writes local files itself (passthrough),\n"
		"how much it holds, what of its history is kept, what is left to do. With a\n"
		"path in a bucket, what is known of that file. A lake that is not mounted shows\n"
		"what its store knows.\n"
		"\n"
		"options:\n"
		"      --json   as JSON\n"
		"  -h, --help   say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn status ~/lake\n"
		"  tarn status ~/lake/buckets/raw-data/orders.csv --json\n",
	.run = run_status,
};
