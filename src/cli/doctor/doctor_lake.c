#include "cli/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fhandle.h"
#include "cli/human.h"
#include "cli/lock.h"
#include "cli/mounts.h"
#include "config/settings.h"
#include "config/table.h"
#include "content/scrub_state.h"
#include "meta/store.h"

#define GIB (UINT64_C(1) << 30)
#define SPACE_SHORT (10 * GIB) /* or 5 % of a smaller disk: as content/ has it */
#define DAY (24 * 3600 * NSEC_PER_SEC)

/* ---- folders ---- */

static const struct folder {
	const char *name;
	bool open_to_all;
} folders[] = {
	{"config", false}, {"buckets", true}, {"catalog", false}, {"versions", false},
	{"cache", false},  {"logs", false},   {"temp", false},
};

static void check_folder(struct doctor *d, const struct folder *f, uid_t owner, int *good)
{
	struct stat st;

	if (fstatat(d->lake_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOTCONN || errno == ECONNABORTED)
			return; /* the dead mount over buckets/ is a finding of its own */
		doctor_add(d, HEALTH_ERROR, "folders", "the lake cannot be mounted without it",
			   "make it again (mkdir -m 700), or take it from a backup", "%s/%s: %m", d->lake, f->name);
	} else if (!S_ISDIR(st.st_mode)) {
		doctor_add(d, HEALTH_ERROR, "folders", "the lake cannot be mounted", "", "%s/%s is not a folder",
			   d->lake, f->name);
	} else if (!f->open_to_all && (st.st_mode & 077)) {
		doctor_add(d, HEALTH_WARNING, "permissions",
			   "others could read settings, history or the record of all changes behind the mount",
			   "chmod 700 it", "%s/%s has mode %03o", d->lake, f->name, st.st_mode & 0777);
	} else if (st.st_uid != owner) {
		doctor_add(d, HEALTH_WARNING, "permissions", "the lake's own user may not be able to mount it",
			   "chown it to the lake's owner", "%s/%s belongs to uid %d, the lake to uid %d", d->lake,
			   f->name, (int)st.st_uid, (int)owner);
	} else {
		(*good)++;
	}
}

/* False: this user can see nothing more of the lake. */
static bool check_owner(struct doctor *d)
{
	struct stat st;

	if (fstat(d->lake_fd, &st) < 0) {
		doctor_add(d, HEALTH_ERROR, "lake", "", "", "%s: %m", d->lake);
		return false;
	}
	if (geteuid() == 0 || geteuid() == st.st_uid)
		return true;
	doctor_add(d, HEALTH_ERROR, "owner", "this user can neither mount it nor look into it",
		   "ask as its owner or root", "the lake belongs to uid %d", (int)st.st_uid);
	return false;
}

static void check_folders(struct doctor *d)
{
	size_t n = sizeof(folders) / sizeof(folders[0]);
	struct stat st;
	int good = 0;

	if (fstat(d->lake_fd, &st) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		check_folder(d, &folders[i], st.st_uid, &good);
	if (good == (int)n)
		doctor_add(d, HEALTH_OK, "folders", "", "", "all there, and nobody else may look in");
}

/* ---- settings ---- */

static void check_tables(struct doctor *d)
{
	struct findings findings = {0};
	struct declared_tables *t = NULL;
	int rc = tables_load(d->lake, &t, &findings);

	for (int i = 0; i < findings.n; i++) {
		bool error = findings.list[i].level == FINDING_ERROR;

		doctor_add(d, error ? HEALTH_ERROR : HEALTH_WARNING, "declared tables",
			   error ? "this table counts as not declared; the others hold" : "", "see tarn.yaml(5)", "%s",
			   findings.list[i].text);
	}
	if (!rc && t->n && !findings.n)
		doctor_add(d, HEALTH_OK, "declared tables", "", "", "%zu", t->n);
	findings_release(&findings);
	tables_unref(t);
}

static void check_environment(struct doctor *d, const char *env)
{
	struct findings findings = {0};
	struct settings *s = NULL;
	_cleanup_buf_ struct buf check = BUF_INIT;
	int rc = settings_load(d->lake, env, &s, &findings);

	buf_addf(&check, env ? "settings, environment %s" : "settings", env);
	for (int i = 0; i < findings.n; i++) {
		bool error = findings.list[i].level == FINDING_ERROR;

		doctor_add(d, error ? HEALTH_ERROR : HEALTH_WARNING, buf_str(&check),
			   error ? "nothing can be mounted with it" : "", "see tarn.yaml(5)", "%s",
			   findings.list[i].text);
	}
	if (rc && !findings.n)
		doctor_add(d, HEALTH_ERROR, buf_str(&check), "nothing can be mounted", "", "%s", strerror(-rc));
	if (!rc && !findings.n)
		doctor_add(d, HEALTH_OK, buf_str(&check), "", "", "understood, %d buckets declared", s->nbuckets);
	if (s)
		settings_unref(s);
	findings_release(&findings);
}

static void check_settings(struct doctor *d)
{
	char **names = NULL;

	check_environment(d, NULL);
	if (settings_environments(d->lake, &names) < 0)
		return;
	for (int i = 0; names && names[i]; i++) {
		check_environment(d, names[i]);
		free(names[i]);
	}
	free(names);
}

/* ---- the disk ---- */

static void check_file_system(struct doctor *d)
{
	_cleanup_close_ int fd = openat(d->lake_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct findings findings = {0};
	struct settings *s = NULL;
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return;
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC) {
		bool deep = !settings_load(d->lake, NULL, &s, &findings) && s->passthrough_stack_depth >= 2;

		doctor_add(d, deep ? HEALTH_OK : HEALTH_WARNING, "file system",
			   deep ? "" : "passthrough fails on it unless two file systems may be stacked",
			   deep ? "" : "set storage.passthrough_stack_depth: 2, or keep the lake on a volume",
			   "overlayfs (a container's own)");
		if (s)
			settings_unref(s);
		findings_release(&findings);
	} else if (fs.f_type == NFS_SUPER_MAGIC || fs.f_type == SMB_SUPER_MAGIC || fs.f_type == FUSE_SUPER_MAGIC ||
		   fs.f_type == (__fsword_t)0xff534d42 /* cifs */) {
		doctor_add(d, HEALTH_WARNING, "file system",
			   "locks, leases and SQLite's WAL cannot be relied on there, and it is slow",
			   "keep the lake on a local disk, and use the network for backups",
			   "on a network or FUSE file system");
	}
	if (fhandle_usable(fd))
		doctor_add(d, HEALTH_OK, "file handles", "", "", "usable");
	else
		doctor_add(d, geteuid() == 0 ? HEALTH_WARNING : HEALTH_OK, "file handles",
			   "files are reached by their path and kept open while known: more descriptors, all works",
			   geteuid() == 0 ? "ext4, xfs and btrfs have them; overlayfs does not" : "",
			   "not usable by this user here");
}

static void check_space(struct doctor *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct statvfs fs;
	uint64_t left, total, mark;

	if (statvfs(d->lake, &fs) < 0 || !fs.f_blocks)
		return;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	total = (uint64_t)fs.f_blocks * fs.f_frsize;
	mark = total / 20 < SPACE_SHORT ? total / 20 : SPACE_SHORT;
	human_size(&text, left);
	buf_adds(&text, " free of ");
	human_size(&text, total);
	if (left < mark)
		doctor_add(d, left < mark / 10 ? HEALTH_ERROR : HEALTH_WARNING, "free space",
			   "earlier versions are dropped before their time to make room",
			   "free some, lower retention_days, or set history_budget_gb", "%s", buf_str(&text));
	else
		doctor_add(d, HEALTH_OK, "free space", "", "", "%s", buf_str(&text));
	if (fs.f_files && fs.f_favail < fs.f_files / 50)
		doctor_add(d, HEALTH_WARNING, "inodes", "no files can be made when there are none left",
			   "remove small files you do not need", "%llu free of %llu", (unsigned long long)fs.f_favail,
			   (unsigned long long)fs.f_files);
}

/* ---- the store ---- */

static const char *store_advice(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "take catalog/tarn.db from a backup; the files themselves are whole";
	case -EPROTONOSUPPORT:
		return "install the tarn that made it, or a newer one";
	case -EACCES:
		return "ask as the lake's owner or root";
	default:
		return "unmount, keep a copy of catalog/, and take tarn.db from a backup; the files themselves are "
		       "whole";
	}
}

static void check_store_clock(struct doctor *d, const char *path)
{
	struct stat st;
	int64_t written;

	if (stat(path, &st) < 0)
		return;
	written = st.st_mtim.tv_sec * NSEC_PER_SEC;
	if (written > clock_wall() + DAY)
		doctor_add(d, HEALTH_ERROR, "clock", "new versions would be older than those that are there",
			   "set the clock", "the store was written in what is now the future");
}

/* What the last scrub left damaged; LIST: a line for each. */
static void check_scrub(struct doctor *d, const struct scrub_state *s, const char *list)
{
	if (s->damaged)
		doctor_add(d, HEALTH_ERROR, "scrub", "those contents are not what they were",
			   "see `tarn scrub --status`; look at the disk's health, and bring them back from a backup",
			   "%llu are damaged, and nothing else has their content: %.*s", (unsigned long long)s->damaged,
			   (int)strcspn(list, "\n"), list);
}

static void check_store(struct doctor *d)
{
	_cleanup_buf_ struct buf path = BUF_INIT, why = BUF_INIT, size = BUF_INIT, damaged = BUF_INIT;
	struct scrub_state scrub = {0};
	struct store_totals totals = {0};
	struct store *store = NULL;
	const char *reason = NULL;
	int rc;

	buf_addf(&path, "%s/catalog/tarn.db", d->lake);
	check_store_clock(d, buf_str(&path));
	rc = store_open(buf_str(&path), STORE_READ, &store, &reason);
	if (!rc) {
		rc = store_check(store, false, &why);
		if (!rc)
			rc = store_totals(store, &totals);
		if (!rc)
			rc = scrub_state_read(store, &scrub, &damaged);
		store_close(store);
	}
	if (!rc)
		check_scrub(d, &scrub, buf_str(&damaged));
	human_size(&size, totals.store_bytes);
	if (rc)
		doctor_add(d, HEALTH_ERROR, "store", "the lake cannot be mounted, or its history not read",
			   store_advice(rc), "%s: %s", buf_str(&path),
			   why.len  ? buf_str(&why)
			   : reason ? reason
				    : strerror(-rc));
	else
		doctor_add(d, HEALTH_OK, "store", "", "", "whole, %s, %llu commits", buf_str(&size),
			   (unsigned long long)totals.commits);
}

/* ---- mounts ---- */

static void check_mounts(struct doctor *d)
{
	_cleanup_close_ int lock = lake_lock(d->lake, 0);
	struct mounts m;
	int n = 0;

	if (mounts_load(&m))
		return;
	for (int i = 0; i < m.n; i++) {
		const struct mount_entry *e = &m.list[i];

		if (!mount_is_tarn(e) || strcmp(e->source, d->lake))
			continue;
		n++;
		if (mount_is_dead(e))
			doctor_add(d, HEALTH_ERROR, "mount", "its daemon was killed; every access fails",
				   "`tarn mount` cleans it up and mounts again; `tarn umount` only cleans up",
				   "%s is dead", e->point);
		else
			doctor_add(d, HEALTH_OK, "mount", "", "", "on %s", e->point);
	}
	mounts_release(&m);
	if (!n && lock == -EWOULDBLOCK)
		doctor_add(d, HEALTH_WARNING, "mount", "another mount namespace (a container) may have it mounted",
			   "look for a tarn process there", "another process uses the lake, and no mount is seen here");
	else if (!n)
		doctor_add(d, HEALTH_OK, "mount", "", "", "not mounted");
}

void doctor_lake(struct doctor *d)
{
	if (check_owner(d)) {
		check_folders(d);
		check_settings(d);
		check_tables(d);
		check_file_system(d);
		check_store(d);
		doctor_cloud(d);
	}
	check_space(d);
	check_mounts(d);
}
