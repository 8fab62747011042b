/*
 * tarn restore-lake: a lake from its copy at the remote, on a new machine.
 *
 * Everything is put together beside its own name: the settings in temp/restoring/, the store as
 * catalog/restoring.db. A folder is a lake once it has config/settings.yaml, so that comes last: until then nothing can
 * be mounted, and doing it again begins anew but for the tree, which stays as far as it has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/layout.h"
#include "cli/lock.h"
#include "cli/place.h"
#include "cli/remote_url.h"
#include "cli/restore/restore_lake.h"
#include "cli/verb_list.h"
#include "config/settings_edit.h"
#include "content/cloud/backup.h"
#include "content/cloud/mark.h"
#include "content/cloud/rebuild.h"
#include "tier/key.h"

#define STAGE "temp/restoring"
#define STORE "catalog/restoring.db"
#define SHOWN 20

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static bool stop(void *arg)
{
	(void)arg;
	return interrupted;
}

static const struct tier_call call = {.stop = stop};

/* ---- the folder ---- */

/* 0, or -errno with the reason said. A folder that an interrupted restore-lake left will do, another must be empty. */
static int check_folder(const struct restoring *r)
{
	_cleanup_closedir_ DIR *d = opendir(r->lake);
	struct dirent *e;

	if (!faccessat(r->fd, STAGE, F_OK, 0))
		return 0;
	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "lost+found"))
			continue;
		say("%s: not empty, %s is there (name a new folder)", r->lake, e->d_name);
		return -ENOTEMPTY;
	}
	return 0;
}

static int open_folder(struct restoring *r, const char *given)
{
	_cleanup_place_ struct place p = {0};
	int rc = place_find(given, &p);

	if (!rc && p.lake && strcmp(p.lake, p.path) != 0) {
		say("%s: lies in the lake %s", p.path, p.lake);
		return -EINVAL;
	}
	if (!rc && mkdir(p.path, 0755) < 0 && errno != EEXIST)
		rc = -errno;
	if (!rc) {
		r->fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = r->fd < 0 ? -errno : 0;
	}
	if (rc)
		say("%s: %s", given, strerror(-rc));
	r->lake = steal_ptr(&p.path);
	return rc;
}

static int make_folders(const struct restoring *r)
{
	static const struct layout_folder stage[] = {
		{STAGE, 0700}, {STAGE "/config", 0700}, {STAGE "/config/tables", 0700}, {NULL, 0}};
	int rc = 0;

	for (const struct layout_folder *f = layout_folders; !rc && f->name; f++)
		rc = layout_make_folder(r->fd, r->lake, f, true);
	for (const struct layout_folder *f = stage; !rc && f->name; f++)
		rc = layout_make_folder(r->fd, r->lake, f, true);
	return rc;
}

static int write_file(const struct restoring *r, const char *name, mode_t mode, const void *bytes, size_t len)
{
	_cleanup_close_ int fd = openat(r->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && write(fd, bytes, len) == (ssize_t)len && !fchmod(fd, mode) && !fsync(fd))
		return 0;
	say("%s/%s: %m", r->lake, name);
	return errno ? -errno : -EIO;
}

/* ---- the remote ---- */

static int open_tier(struct restoring *r)
{
	_cleanup_buf_ struct buf yaml = BUF_INIT, stage = BUF_INIT, why = BUF_INIT;
	struct findings findings = {0};
	int rc = remote_url_settings(r->url, &r->more, &yaml);

	if (!rc)
		rc = write_file(r, STAGE "/config/settings.yaml", 0600, yaml.data, yaml.len);
	if (rc)
		return rc;
	buf_addf(&stage, "%s/" STAGE, r->lake);
	unsetenv("TARN_ENV"); /* environments are in the settings that are not here yet */
	rc = settings_load(buf_str(&stage), NULL, &r->settings, &findings);
	if (rc)
		findings_say(&findings);
	findings_release(&findings);
	if (!rc) {
		rc = tier_open(r->settings, NULL, NULL, &r->tier, &why);
		if (rc)
			say("%s: %s", r->url, why.len ? buf_str(&why) : strerror(-rc));
	}
	return rc;
}

struct lakes {
	size_t folder; /* the length of what the keys begin with */
	uint64_t ids[64];
	int n;
};

static int add_lake(void *arg, const struct tier_entry *entries, int n)
{
	struct lakes *l = arg;

	for (int i = 0; i < n && l->n < 64; i++) {
		const char *name = entries[i].key + l->folder;

		if (entries[i].folder && strspn(name, "0123456789abcdef") == 16 && name[16] == '/')
			l->ids[l->n++] = strtoull(name, NULL, 16);
	}
	return 0;
}

static int find_lake(struct restoring *r)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	struct lakes l = {0};
	struct tier_list list = {.folders = true, .page = add_lake, .arg = &l};
	int rc;

	if (r->id)
		return 0;
	tier_key_of_own(&folder, tier_prefix(r->tier), "meta", "");
	l.folder = folder.len;
	list.prefix = buf_str(&folder);
	rc = buf_error(&folder) ? buf_error(&folder) : tier_list(r->tier, &list, &call);
	if (rc < 0) {
		say("%s: %s", r->url, strerror(-rc));
		return rc;
	}
	if (l.n == 1) {
		r->id = l.ids[0];
		return 0;
	}
	if (!l.n)
		say("%s: no copy of a lake's record is there (hybrid_storage.metadata_backup makes one)", r->url);
	else
		say("%s: there are %d lakes, name one with --lake:", r->url, l.n);
	for (int i = 0; i < l.n; i++)
		say("  --lake %016" PRIx64, l.ids[i]);
	return -EINVAL;
}

/* ---- settings ---- */

struct config_page {
	struct restoring *r;
	size_t folder;
	int rc;
};

static int take_bytes(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return buf_error(arg);
}

static int fetch_config(struct restoring *r, const char *key, const char *name)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT, to = BUF_INIT;
	const struct tier_get get = {.key = key, .length = TIER_TO_END, .sink = take_bytes, .arg = &bytes};
	int rc = tier_get(r->tier, &get, &call, NULL);

	buf_addf(&to, STAGE "/config/%s", name);
	return rc ? rc : write_file(r, buf_str(&to), 0600, buf_str(&bytes), bytes.len);
}

/* "settings.yaml" and "tables/NAME" */
static int take_config(void *arg, const struct tier_entry *entries, int n)
{
	struct config_page *p = arg;

	for (int i = 0; i < n && !p->rc; i++) {
		const char *name = entries[i].key + p->folder;
		bool table = !strncmp(name, "tables/", 7) && name[7] && name[7] != '.' && !strchr(name + 7, '/');

		if (table || !strcmp(name, "settings.yaml"))
			p->rc = fetch_config(p->r, entries[i].key, name);
	}
	return p->rc;
}

/* The buckets that lay elsewhere lie in the lake now. */
static int move_buckets_in(struct restoring *r, const char *stage, struct findings *findings)
{
	struct settings *s;
	int rc = settings_load(stage, NULL, &s, findings);

	for (int i = 0; !rc && i < s->nbuckets; i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;
		const struct bucket_setting set = {"path", NULL};
		struct bucket_setting given = set;

		if (!s->buckets[i].path)
			continue;
		buf_addf(&path, "%s/buckets/%s", r->lake, s->buckets[i].name);
		given.value = buf_str(&path);
		rc = settings_set_bucket(stage, s->buckets[i].name, &given, 1, findings);
		if (!rc)
			say("bucket %s lay at %s, and is in the lake now", s->buckets[i].name, s->buckets[i].path);
	}
	if (!rc)
		settings_unref(s);
	return rc;
}

static int restore_config(struct restoring *r)
{
	_cleanup_buf_ struct buf folder = BUF_INIT, stage = BUF_INIT;
	struct config_page page = {.r = r};
	struct tier_list list = {.page = take_config, .arg = &page};
	struct findings findings = {0};
	int rc;

	backup_key(&folder, tier_prefix(r->tier), r->id, "config/");
	page.folder = folder.len;
	list.prefix = buf_str(&folder);
	rc = tier_list(r->tier, &list, &call);
	if (rc < 0) {
		say("%s: the settings: %s", r->url, strerror(-rc));
		return rc;
	}
	buf_addf(&stage, "%s/" STAGE, r->lake);
	rc = move_buckets_in(r, buf_str(&stage), &findings);
	if (rc)
		findings_say(&findings);
	findings_release(&findings);
	return rc;
}

/* ---- names ---- */

static void tell_lost(void *arg, const char *path, const struct version_row *v, const char *why)
{
	struct restoring *r = arg;
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_add_csv(&line, path, strlen(path));
	buf_addf(&line, ",%" PRIu64 ",%" PRIu64 ",", v->id ? v->number : 0, v->id ? v->size : 0);
	buf_add_csv(&line, why, strlen(why));
	fprintf(r->lost, "%s\r\n", buf_str(&line));
	if (r->counts.lost++ < SHOWN)
		say("lost: %s (%s)", path, why);
}

static void tell_progress(void *arg, const struct rebuild_counts *c)
{
	(void)arg;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%" PRIu64 " folders, %" PRIu64 " files", c->folders, c->files);
}

static int restore_names(struct restoring *r)
{
	_cleanup_buf_ struct buf path = BUF_INIT, why = BUF_INIT;
	struct rebuild rebuild = {
		.tier = r->tier, .call = &call, .lake = r->id, .lost = tell_lost, .progress = tell_progress, .arg = r};
	const char *words = NULL;
	int rc, closed;

	buf_addf(&path, "%s/" STORE, r->lake);
	rc = rebuild_store(r->tier, r->id, &call, buf_str(&path), &r->commit, &r->time, &why);
	if (!rc)
		rc = store_open(buf_str(&path), STORE_WRITE, &rebuild.store, &words);
	if (!rc) {
		rebuild.buckets_fd = openat(r->fd, "buckets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = rebuild.buckets_fd < 0 ? -errno : rebuild_tree(&rebuild, &why);
		close(rebuild.buckets_fd);
		closed = store_close(rebuild.store);
		rc = rc ? rc : closed;
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (rc)
		say("%s: %s", r->url, why.len ? buf_str(&why) : words ? words : strerror(-rc));
	r->counts = rebuild.counts;
	return rc;
}

/* ---- into its place ---- */

static int move_in(const struct restoring *r, const char *from, const char *to)
{
	if (renameat(r->fd, from, r->fd, to) == 0 || errno == ENOENT)
		return 0;
	say("%s/%s: %m", r->lake, to);
	return -errno;
}

static int move_tables(const struct restoring *r)
{
	int dir = openat(r->fd, STAGE "/config/tables", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
	struct dirent *e;
	int rc = 0;

	while (!rc && d && (e = readdir(d))) {
		_cleanup_buf_ struct buf from = BUF_INIT, to = BUF_INIT;

		if (e->d_name[0] == '.')
			continue;
		buf_addf(&from, STAGE "/config/tables/%s", e->d_name);
		buf_addf(&to, "config/tables/%s", e->d_name);
		rc = move_in(r, buf_str(&from), buf_str(&to));
	}
	return rc;
}

static void remove_stage(const struct restoring *r)
{
	unlinkat(r->fd, STAGE "/config/tables", AT_REMOVEDIR);
	unlinkat(r->fd, STAGE "/config", AT_REMOVEDIR);
	unlinkat(r->fd, STAGE, AT_REMOVEDIR);
	unlinkat(r->fd, STORE "-lock", 0);
}

/* The settings come last: they make it a lake. */
static int finish(const struct restoring *r)
{
	int rc;

	syncfs(r->fd);
	rc = move_in(r, STORE, "catalog/tarn.db");
	if (!rc)
		rc = move_tables(r);
	if (!rc)
		rc = write_file(r, "README.md", 0644, layout_readme, strlen(layout_readme));
	if (!rc)
		rc = move_in(r, STAGE "/config/settings.yaml", "config/settings.yaml");
	if (!rc)
		remove_stage(r);
	return rc;
}

/* The lake that was lost, should it be there still, sees that its remote is used by another one. */
static void take_remote(const struct restoring *r)
{
	_cleanup_buf_ struct buf who = BUF_INIT, why = BUF_INIT;
	struct mark_of m = {.lakefd = r->fd, .lake = r->id, .call = &call};
	struct findings findings = {0};
	struct settings *s = NULL;
	char use[MARK_USE];
	int rc = settings_load(r->lake, NULL, &s, &findings);

	findings_release(&findings);
	if (!rc)
		rc = tier_open(s, NULL, r->lake, &m.tier, &why);
	if (!rc)
		rc = mark_take(&m, use, &who);
	if (rc && rc != -ENODEV)
		say("%s: cannot be marked as this lake's (%s); once mounted, `tarn tier take-over %s`", r->url,
		    why.len ? buf_str(&why) : strerror(-rc), r->lake);
	if (m.tier)
		tier_unref(m.tier);
	if (s)
		settings_unref(s);
}

/* ---- all of it ---- */

static int open_lost(struct restoring *r)
{
	int fd = openat(r->fd, LOST, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	r->lost = fd < 0 ? NULL : fdopen(fd, "w");
	if (!r->lost) {
		say("%s/" LOST ": %m", r->lake);
		return -errno;
	}
	fputs("path,version,size,reason\r\n", r->lost);
	return 0;
}

static int close_lost(struct restoring *r)
{
	bool none = !r->counts.lost;
	int rc = r->lost && fclose(r->lost) ? -errno : 0;

	if (none)
		unlinkat(r->fd, LOST, 0);
	return rc;
}

static int restore(struct restoring *r)
{
	int rc = check_folder(r), closed;

	if (!rc)
		rc = make_folders(r);
	if (!rc)
		rc = open_tier(r);
	if (!rc)
		rc = find_lake(r);
	if (!rc)
		rc = open_lost(r);
	if (!rc) {
		rc = restore_names(r);
		closed = close_lost(r);
		rc = rc ? rc : closed;
	}
	if (!rc)
		rc = restore_config(r);
	return rc ? rc : finish(r);
}

static int carry_out(struct restoring *r)
{
	bool there = !lake_check(r->lake);
	int code = EXIT_OK, rc = 0;

	if (there && !r->all) {
		say("%s: is a lake already (--all brings the bytes of its files)", r->lake);
		return EXIT_FAILED;
	}
	if (!there)
		rc = restore(r);
	if (!rc && !there)
		take_remote(r);
	if (rc)
		return interrupted || rc == -EHOSTUNREACH || rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : EXIT_FAILED;
	if (!there && !r->json)
		restored_tell_names(r);
	fflush(stdout);
	if (r->all)
		code = restore_data(r->lake, &r->data);
	if (r->json)
		restored_tell_json(r);
	else if (r->all)
		restored_tell_data(&r->data);
	return code ? code : r->counts.lost || r->counts.versions_lost ? EXIT_PARTLY : EXIT_OK;
}

enum { OPTION_ALL = OPTION_FIRST, OPTION_LAKE, OPTION_ENDPOINT, OPTION_REGION, OPTION_SIGNATURE };

static int run_restore_lake(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
						{"lake", required_argument, NULL, OPTION_LAKE},
						{"endpoint", required_argument, NULL, OPTION_ENDPOINT},
						{"region", required_argument, NULL, OPTION_REGION},
						{"signature", required_argument, NULL, OPTION_SIGNATURE},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	struct restoring r = {.fd = -1};
	int c, code = EXIT_FAILED;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		r.all |= c == OPTION_ALL;
		r.json |= c == OPTION_JSON;
		if (c == OPTION_LAKE)
			r.id = strtoull(optarg, NULL, 16);
		if (c == OPTION_ENDPOINT)
			r.more.endpoint = optarg;
		if (c == OPTION_REGION)
			r.more.region = optarg;
		if (c == OPTION_SIGNATURE)
			r.more.signature = optarg;
	}
	verb_arguments(v, argc, argv, 2, 2);
	r.url = argv[optind];
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	umask(022);
	if (!open_folder(&r, argv[optind + 1]))
		code = carry_out(&r);
	if (r.tier)
		tier_unref(r.tier);
	if (r.settings)
		settings_unref(r.settings);
	if (r.fd >= 0)
		close(r.fd);
	free(r.lake);
	return code;
}

const struct verb verb_restore_lake = {
	.name = "restore-lake",
	.args = "URL LAKE [--all] [--lake ID] [OPTION]... [--json]",
	.summary = "bring a lake back from the cloud",
	.details =
		"Makes the folder LAKE what the lake was whose record of changes was copied to\n"
		"URL: s3://BUCKET/PREFIX, or a folder of the provider dir. All names, versions,\n"
		"attributes and settings are there within seconds; the bytes of files come when\n"
		"they are opened, or all at once with --all. What was only on the lost disk is\n"
		"listed, and in LAKE/logs/lost.csv. When it is interrupted, do it again.\n"
		"\n"
		"Credentials come from the environment and files of AWS. Only one machine may\n"
		"use a lake: the old one must be gone.\n"
		"\n"
		"options:\n"
		"      --all       bring the bytes of all files, too; also of a lake that is\n"
		"                  there already, and not mounted\n"
		"      --lake ID   which one, when several lakes have copies there\n"
		"      --endpoint URL, --region REGION, --signature v2|v4\n"
		"                  the server, when it is not the one of AWS_ENDPOINT_URL or AWS\n"
		"      --json      as JSON\n"
		"  -h, --help      say this, and end\n"
		"\n"
		"exit code 3: something was lost, or did not come.\n"
		"\n"
		"examples:\n"
		"  tarn restore-lake s3://burst/lake ~/lake\n"
		"  tarn restore-lake /mnt/nas/lake ~/lake --all\n",
	.run = run_restore_lake,
};
