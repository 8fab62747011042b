/*
 * What is found on disk at the start: files that were put there, changed, renamed and removed while nothing was
 * mounted, and the whole lake in another place.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <utime.h>

#include "test_work.h"

#define SETTINGS                                                                                        \
	"buckets:\n  raw: {}\n  quiet: {auto_catalog: false}\n  skip: {exclude: ['*.tmp', 'cache/']}\n" \
	"monitoring: {log_level: ERROR}\n"

static bool hashed_as(const char *path, const char *file)
{
	struct version_row v = live_version(path);

	return v.id && has_hash_of(&v, file);
}

static int64_t versions_of(const char *path)
{
	return (int64_t)live_version(path).number;
}

/* ---- the first start ---- */

static void make_tree(void)
{
	static const char *const folders[] = {"raw",	  "quiet",	 "skip",    "skip/cache",
					      "raw/deep", "raw/deep/er", ".private"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		make_folder(in_lake("buckets/%s", folders[i]));
	put_file(in_lake("buckets/raw/a.csv"), "id,name\n1,x\n2,y\n");
	put_file(in_lake("buckets/raw/empty"), "");
	put_file(in_lake("buckets/raw/gone.txt"), "it will be removed\n");
	put_file(in_lake("buckets/raw/moved.txt"), "it will be renamed\n");
	put_file(in_lake("buckets/raw/touched.txt"), "its mode will change\n");
	put_file(in_lake("buckets/raw/deep/er/b.parquet"), "PAR1\x15\x04\x15\x10PAR1");
	put_file(in_lake("buckets/raw/deep/er/\xff\nname"), "a name that is not text\n");
	put_file(in_lake("buckets/quiet/c.md"), "# words\n");
	put_file(in_lake("buckets/skip/d.tmp"), "excluded\n");
	put_file(in_lake("buckets/skip/cache/e.txt"), "in an excluded folder\n");
	put_file(in_lake("buckets/.private/f.txt"), "private\n");
	put_file(in_lake("buckets/plain file"), "no bucket\n");
	if (symlink("a.csv", in_lake("buckets/raw/link")) < 0 || symlink("..", in_lake("buckets/raw/loop")) < 0 ||
	    mkfifo(in_lake("buckets/raw/pipe"), 0644) < 0 ||
	    link(in_lake("buckets/raw/a.csv"), in_lake("buckets/raw/deep/a-too.csv")) < 0)
		bail_out("a tree");
}

static void test_adoption(void)
{
	struct version_row v;

	run_lake();
	ok(hashed_as("raw/a.csv", in_lake("buckets/raw/a.csv")), "a file is taken in and hashed");
	v = live_version("raw/a.csv");
	is_str(v.mime, "text/csv", "and its type is known");
	is_int((int64_t)v.number, 1, "as its first version");
	is_int((int64_t)v.run, RUN_OUTSIDE, "that somebody outside wrote");
	is_int((int64_t)node_at("raw/deep/a-too.csv").id, (int64_t)node_at("raw/a.csv").id,
	       "a hard link is the same node");
	ok(hashed_as("raw/empty", "/dev/null"), "an empty file is hashed");
	is_str(live_version("raw/empty").mime, "inode/x-empty", "and known as that");
	is_str(live_version("raw/deep/er/b.parquet").mime, "application/vnd.apache.parquet", "deep down, too");
	ok(hashed_as("raw/deep/er/\xff\nname", in_lake("buckets/raw/deep/er/\xff\nname")), "under any name");
	ok(hashed_as("quiet/c.md", in_lake("buckets/quiet/c.md")), "without auto_catalog a file is hashed");
	is_str(live_version("quiet/c.md").mime, "", "and not looked into");
	ok(node_at("skip/d.tmp").id && !live_version("skip/d.tmp").id, "an excluded file is known, without a version");
	ok(node_at("skip/cache/e.txt").id && !live_version("skip/cache/e.txt").id,
	   "and what lies in an excluded folder");
	ok(!node_at(".private").id, "a private bucket is left alone");
	ok(!node_at("plain file").id, "and a plain file in the root");
	is_int(node_at("raw/loop").kind, KIND_SYMLINK, "a symbolic link is not followed");
	is_int(node_at("raw/pipe").kind, KIND_OTHER, "a pipe is no trouble");
	is_int((int64_t)totals().files, 10, "all files are counted");
	close_lake();
}

/* ---- nothing happened ---- */

static void test_nothing(void)
{
	uint64_t commits, node;

	open_lake();
	commits = totals().commits;
	node = node_at("raw/a.csv").id;
	start_work();
	ok(wait_for(scan_is_done), "a second scan ends");
	is_int((int64_t)atomic_load(&lake->scan_seen), 20, "it sees everything again");
	is_int((int64_t)atomic_load(&lake->counters.adopted), 0, "and finds nothing new");
	is_int((int64_t)(totals().commits - commits), 0, "and records nothing");
	is_int((int64_t)node_at("raw/a.csv").id, (int64_t)node, "nodes keep their ids");
	close_lake();
}

/* ---- changes from outside ---- */

static void change_tree(void)
{
	put_file(in_lake("buckets/raw/a.csv"), "id,name\n3,z\n4,q\n5,r\n");
	put_file(in_lake("buckets/raw/new.jsonl"), "{\"a\": 1}\n");
	unlink(in_lake("buckets/raw/gone.txt"));
	if (rename(in_lake("buckets/raw/moved.txt"), in_lake("buckets/raw/deep/er/moved here.txt")) < 0)
		bail_out("rename");
	chmod(in_lake("buckets/raw/touched.txt"), 0600);
	unlink(in_lake("buckets/skip/cache/e.txt"));
	rmdir(in_lake("buckets/skip/cache"));
}

static void test_changes(void)
{
	struct node_row moved, a;
	uint64_t gone;

	open_lake();
	moved = node_at("raw/moved.txt");
	a = node_at("raw/a.csv");
	gone = live_version("raw/gone.txt").id;
	close_lake();
	change_tree();
	run_lake();
	is_int(versions_of("raw/a.csv"), 2, "a changed file has its next version");
	is_int((int64_t)node_at("raw/a.csv").id, (int64_t)a.id, "and stays the same node");
	ok(hashed_as("raw/a.csv", in_lake("buckets/raw/a.csv")), "and its new content is hashed");
	is_int(version_number("raw/a.csv", 1).state, VERSION_NOT_KEPT, "what it was is not kept");
	is_str(live_version("raw/new.jsonl").mime, "application/x-ndjson", "a new file is taken in");
	ok(!node_at("raw/gone.txt").id, "a removed file is not there any more");
	{
		struct version_row v = {0};

		store_version(lake->store, gone, &v);
		is_int(v.state, VERSION_NOT_KEPT, "its version is not kept");
		is_str(v.reason, "removed outside tarn", "for that reason");
	}
	ok(!node_at("raw/moved.txt").id, "a renamed file is not under its old name");
	is_int((int64_t)node_at("raw/deep/er/moved here.txt").id, (int64_t)moved.id,
	       "but under its new one, as the same node");
	is_int((int64_t)live_version("raw/deep/er/moved here.txt").id, (int64_t)moved.version,
	       "with the version that it had");
	is_int(versions_of("raw/touched.txt"), 1, "a changed mode is no new version");
	is_int(node_at("raw/touched.txt").mode & 07777, 0600, "but known");
	ok(!node_at("skip/cache").id, "a removed folder is gone");
	is_int((int64_t)totals().files, 9, "the totals follow");
	close_lake();
}

/* A folder is renamed, and one with all that is in it is removed. */
static void test_folders(void)
{
	uint64_t node, version;

	open_lake();
	node = node_at("raw/deep/er/b.parquet").id;
	version = live_version("raw/deep/er/b.parquet").id;
	close_lake();
	make_folder(in_lake("buckets/raw/many"));
	make_folder(in_lake("buckets/raw/many/more"));
	for (int i = 0; i < 300; i++)
		put_file(in_lake("buckets/raw/many/more/%d.txt", i), "one of many\n");
	if (rename(in_lake("buckets/raw/deep/er"), in_lake("buckets/quiet/er")) < 0)
		bail_out("rename");
	run_lake();
	is_int((int64_t)node_at("quiet/er/b.parquet").id, (int64_t)node, "files go along with their folder");
	is_int((int64_t)live_version("quiet/er/b.parquet").id, (int64_t)version, "with their versions");
	ok(!node_at("raw/deep/er").id, "and are not in the old place");
	is_int((int64_t)totals().files, 309, "more files are there");
	close_lake();
	remove_tree(in_lake("buckets/raw/many"));
	run_lake();
	ok(!node_at("raw/many").id, "a folder that was removed is gone");
	is_int((int64_t)totals().files, 9, "and its files are not counted any more");
	{
		_cleanup_buf_ struct buf why = BUF_INIT;

		is_int(store_check(lake->store, true, &why), 0, "the store is whole");
	}
	close_lake();
}

/* Names that change hands: what was renamed stays itself, what was replaced hands its series on. */
static void test_names(void)
{
	struct node_row log, a, b, over;

	put_file(in_lake("buckets/raw/log"), "the first log\n");
	put_file(in_lake("buckets/raw/one"), "one\n");
	put_file(in_lake("buckets/raw/two"), "two two\n");
	put_file(in_lake("buckets/raw/over"), "will be replaced\n");
	run_lake();
	log = node_at("raw/log");
	a = node_at("raw/one");
	b = node_at("raw/two");
	over = node_at("raw/over");
	close_lake();
	put_file(in_lake("buckets/raw/over.new"), "has replaced it\n");
	if (rename(in_lake("buckets/raw/log"), in_lake("buckets/raw/log.1")) < 0 ||
	    rename(in_lake("buckets/raw/one"), in_lake("buckets/raw/three")) < 0 ||
	    rename(in_lake("buckets/raw/two"), in_lake("buckets/raw/one")) < 0 ||
	    rename(in_lake("buckets/raw/three"), in_lake("buckets/raw/two")) < 0 ||
	    rename(in_lake("buckets/raw/over.new"), in_lake("buckets/raw/over")) < 0)
		bail_out("rename");
	put_file(in_lake("buckets/raw/log"), "the second log\n");
	run_lake();
	is_int((int64_t)node_at("raw/log.1").id, (int64_t)log.id, "a log that was rotated is the same node");
	ok(node_at("raw/log").id != log.id, "the new log is another one");
	is_int((int64_t)node_at("raw/one").id, (int64_t)b.id, "two files changed names");
	is_int((int64_t)node_at("raw/two").id, (int64_t)a.id, "both ways");
	if (lake->volumes[0]->handles) {
		is_int((int64_t)live_version("raw/log.1").id, (int64_t)log.version, "the log has the one that it had");
		is_int(versions_of("raw/log"), 1, "the new one has a series of its own");
		is_int((int64_t)live_version("raw/one").id, (int64_t)b.version, "files that changed names keep theirs");
		is_int((int64_t)live_version("raw/two").id, (int64_t)a.version, "both of them");
	} else {
		skip("files that changed names keep their versions", "the right to open files by handle");
	}
	is_int((int64_t)node_at("raw/over").asset, (int64_t)over.asset, "what replaces a file goes on with its series");
	is_int(versions_of("raw/over"), 2, "as its second version");
	is_int(version_number("raw/over", 1).state, VERSION_NOT_KEPT, "the first is not kept");
	is_int((int64_t)totals().files, 14, "all are counted");
	close_lake();
	unlink(in_lake("buckets/raw/deep/a-too.csv"));
	for (int i = 0; i < 6; i++)
		unlink(in_lake("buckets/raw/%s", (const char *[]){"log", "log.1", "one", "two", "over", "x"}[i]));
	run_lake();
	is_int((int64_t)totals().files, 9, "and are gone again");
	is_int(versions_of("raw/a.csv"), 2, "a file that lost one of two names lives on");
	close_lake();
}

/* ---- elsewhere ---- */

/* As rsync -a does: other inodes, the same names, sizes and times. */
static void copy_lake(const char *to)
{
	char command[400];

	snprintf(command, sizeof(command), "cp -a '%s/.' '%s/'", test_lake, to);
	if (system(command))
		bail_out(command);
}

static void test_copy(void)
{
	char original[sizeof(test_lake)], copy[sizeof(test_lake)];
	struct node_row before, after;
	struct store_totals was;
	uint64_t version;

	open_lake();
	overwrite("raw/a.csv", "id\n9\n");
	store_barrier(lake->store, 0);
	close_lake();
	open_lake();
	before = node_at("raw/a.csv");
	version = live_version("raw/a.csv").id;
	was = totals();
	close_lake();

	snprintf(original, sizeof(original), "%s", test_lake);
	snprintf(copy, sizeof(copy), "%.100s.copy", test_lake);
	make_folder(copy);
	copy_lake(copy);
	snprintf(test_lake, sizeof(test_lake), "%s", copy);
	run_lake();
	after = node_at("raw/a.csv");
	is_int((int64_t)after.id, (int64_t)before.id, "in a copy of the lake a file is the same node");
	is_int((int64_t)live_version("raw/a.csv").id, (int64_t)version, "with the same version");
	ok(!fhandle_equal(&after.handle, &before.handle), "though another inode");
	is_int((int64_t)totals().versions_kept, (int64_t)was.versions_kept, "what was kept is kept");
	is_int((int64_t)totals().versions_not_kept, (int64_t)was.versions_not_kept, "nothing was lost");
	is_int((int64_t)totals().files, (int64_t)was.files, "all files are there once");
	is_int((int64_t)atomic_load(&lake->counters.adopted), 0, "and none is new");
	is_int((int64_t)after.asset, (int64_t)before.asset, "series go on");
	close_lake();
	remove_tree(copy);
	snprintf(test_lake, sizeof(test_lake), "%s", original);
}

/* In a chroot the root need not be a mount point: then the lake is made one. */
static bool mounts_are_private(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return true;
	return !mount(test_lake, test_lake, NULL, MS_BIND, NULL) && !mount(NULL, test_lake, NULL, MS_PRIVATE, NULL);
}

/* A bucket on another file system, and another file system mounted inside a bucket. */
static void test_file_systems(void)
{
	char settings[300];

	if (!mounts_are_private()) {
		skip("buckets on other file systems", "the right to mount");
		return;
	}
	make_folder(in_lake("elsewhere"));
	make_folder(in_lake("buckets/raw/mounted"));
	if (mount("tarn-test", in_lake("elsewhere"), "tmpfs", 0, "size=1m") < 0 ||
	    mount("tarn-test", in_lake("buckets/raw/mounted"), "tmpfs", 0, "size=1m") < 0) {
		skip("buckets on other file systems", "the right to mount");
		return;
	}
	make_folder(in_lake("elsewhere/data"));
	put_file(in_lake("elsewhere/data/x.csv"), "a\n1\n");
	put_file(in_lake("buckets/raw/mounted/y.csv"), "a\n1\n");
	snprintf(settings, sizeof(settings), "buckets:\n  far: {path: %s}\n", in_lake("elsewhere/data"));
	set_settings(settings);
	run_lake();
	ok(hashed_as("far/x.csv", in_lake("elsewhere/data/x.csv")), "a bucket on another file system is scanned");
	ok(!node_at("far/.tarn-versions").id, "but for its history");
	ok(!node_at("raw/mounted").id, "a file system mounted inside a bucket is not entered");
	overwrite("far/x.csv", "a\n2\n");
	is_int(version_number("far/x.csv", 1).state, VERSION_KEPT, "what is overwritten there is kept");
	is_int(access(in_lake("elsewhere/data/.tarn-versions"), F_OK), 0, "on that file system");
	close_lake();
	umount2(in_lake("elsewhere"), MNT_DETACH);
	umount2(in_lake("buckets/raw/mounted"), MNT_DETACH);
	umount2(test_lake, MNT_DETACH); /* if it was made a mount point */
	rmdir(in_lake("buckets/raw/mounted"));
	set_settings(SETTINGS);
}

/* ---- while others work ---- */

/* Deeper than streams are kept open. */
static void test_deep(void)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "raw/down");

	make_folder(in_lake("buckets/raw/down"));
	for (int i = 0; i < 100; i++) {
		put_file(in_lake("buckets/%s/before.txt", path), "x\n");
		n += snprintf(path + n, sizeof(path) - (size_t)n, "/%d", i);
		make_folder(in_lake("buckets/%s", path));
		put_file(in_lake("buckets/%s/zz.txt", path), "x\n");
	}
	run_lake();
	snprintf(path + n, sizeof(path) - (size_t)n, "/zz.txt");
	ok(live_version(path).id, "a hundred folders deep");
	path[n] = '\0';
	is_int((int64_t)totals().files, 9 + 200, "and everything on the way");
	close_lake();
	remove_tree(in_lake("buckets/raw/down"));
	run_lake();
	is_int((int64_t)totals().files, 9, "and gone");
	close_lake();
}

static void test_stop(void)
{
	make_folder(in_lake("buckets/raw/lots"));
	for (int i = 0; i < 3000; i++)
		put_file(in_lake("buckets/raw/lots/%d", i), "one of lots\n");
	open_lake();
	start_work();
	while (atomic_load(&lake->scan_seen) < 100 && !scan_is_done())
		usleep(100);
	stop_work();
	ok(atomic_load(&lake->scan_seen) < 3000, "a scan can be stopped");
	ok(totals().jobs > 0, "and so can jobs");
	close_lake();
	run_lake();
	is_int((int64_t)totals().files, 3009, "the next one goes on");
	ok(hashed_as("raw/lots/2999", in_lake("buckets/raw/lots/2999")), "with the jobs, too");
	close_lake();
}

/* ---- what somebody still writes to ---- */

static bool nothing_waits(void)
{
	return !settle_waiting(lake);
}

/* By a handle of a mount that died, say: of such a file nothing may be listed that can still change. */
static void test_still_written(void)
{
	static const char *const paths[] = {"raw/held.txt", "raw/held new.txt"};
	int fds[2];

	put_file(in_lake("buckets/raw/held.txt"), "as it was first\n");
	run_lake();
	is_int(versions_of(paths[0]), 1, "a file with a version");
	close_lake();
	for (int i = 0; i < 2; i++) {
		fds[i] = open(in_lake("buckets/%s", paths[i]), O_RDWR | O_CREAT, 0644);
		if (fds[i] < 0 || write(fds[i], "written, and more to come", 25) != 25)
			bail_out("a file");
	}
	run_lake();
	if (!lake->volumes[0]->handles) {
		skip("files that are written while they are found", "the right to open files by handle");
	} else {
		is_int(versions_of(paths[0]), 1, "one that is still being written has no new version");
		is_int(version_number(paths[0], 1).state, VERSION_LIVE, "its old one is not given up yet");
		ok(node_at(paths[0]).writing, "and it counts as being written");
		ok(node_at(paths[1]).id && !live_version(paths[1]).id,
		   "a new one that is still being written has none");
		for (int i = 0; i < 2; i++)
			if (write(fds[i], ", here", 6) != 6 || close(fds[i]) < 0)
				bail_out("a file");
		ok(wait_for(nothing_waits) && wait_for(no_jobs), "when nobody writes any more");
		is_int(versions_of(paths[0]), 2, "it has one");
		ok(hashed_as(paths[0], in_lake("buckets/%s", paths[0])), "with all that was written");
		is_int(version_number(paths[0], 1).state, VERSION_NOT_KEPT, "the old one is gone");
		is_int(versions_of(paths[1]), 1, "and the new one has its first");
		ok(hashed_as(paths[1], in_lake("buckets/%s", paths[1])), "with all of it, too");
		ok(!node_at(paths[0]).writing && !node_at(paths[1]).writing, "neither is being written");
	}
	close_lake();
	unlink(in_lake("buckets/raw/held.txt"));
	unlink(in_lake("buckets/raw/held new.txt"));
	run_lake();
	close_lake();
}

/* ---- the end of what is gone ---- */

#define GONE_FOLDERS 10
#define GONE_FILES 200

struct known {
	uint64_t folder, node, version;
};
static struct known known[GONE_FOLDERS * GONE_FILES];

/* raw/top/N/M.txt: each in the store, and not on disk any more. */
static void make_gone(void)
{
	char path[100];

	make_folder(in_lake("buckets/raw/top"));
	for (int i = 0; i < GONE_FOLDERS; i++) {
		make_folder(in_lake("buckets/raw/top/%d", i));
		for (int k = 0; k < GONE_FILES; k++)
			put_file(in_lake("buckets/raw/top/%d/%d.txt", i, k), "it will be gone\n");
	}
	run_lake();
	for (int i = 0; i < GONE_FOLDERS * GONE_FILES; i++) {
		struct known *k = &known[i];

		snprintf(path, sizeof(path), "raw/top/%d/%d.txt", i / GONE_FILES, i % GONE_FILES);
		k->node = node_at(path).id;
		k->version = node_at(path).version;
		snprintf(path, sizeof(path), "raw/top/%d", i / GONE_FILES);
		k->folder = node_at(path).id;
	}
	close_lake();
	remove_tree(in_lake("buckets/raw/top"));
}

static bool has_path(uint64_t node)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	return !store_path(lake->store, node, &path);
}

/* How many are left; *TORN: how many ended by half. */
static int count_left(int *torn)
{
	int left = 0;

	*torn = 0;
	for (int i = 0; i < GONE_FOLDERS * GONE_FILES; i++) {
		const struct known *k = &known[i];
		struct version_row v = {0};
		bool named = has_path(k->node);

		if (store_version(lake->store, k->version, &v))
			bail_out("a version");
		*torn += named ? v.state != VERSION_LIVE : v.state != VERSION_NOT_KEPT;
		*torn += named && !has_path(k->folder);
		left += named;
	}
	return left;
}

struct stopper {
	_Atomic bool stop;
	uint64_t last; /* commit */
};

static void *stop_after_some(void *arg)
{
	struct stopper *s = arg;
	int64_t end = clock_monotonic() + PATIENCE_NS;

	while (store_visible(lake->store) < s->last + 300 && clock_monotonic() < end)
		usleep(50);
	s->stop = true;
	return NULL;
}

static void test_stopped_check(void)
{
	struct stopper s = {.stop = true};
	struct inode *raw;
	pthread_t thread;
	int torn, left, rc;

	make_gone();
	open_lake();
	raw = look_up("raw");
	is_int(outside_check_folder(lake, raw, &s.stop), -ECANCELED, "a look for what is gone can be stopped");
	is_int(count_left(&torn), GONE_FOLDERS * GONE_FILES, "at its beginning");
	s.stop = false;
	s.last = store_last_commit(lake->store);
	pthread_create(&thread, NULL, stop_after_some, &s);
	rc = outside_check_folder(lake, raw, &s.stop);
	pthread_join(thread, NULL);
	store_barrier(lake->store, 0);
	left = count_left(&torn);
	diag("answer %d, %d of %d left", rc, left, GONE_FOLDERS * GONE_FILES);
	ok(rc == -ECANCELED ? left > 0 && left < GONE_FOLDERS * GONE_FILES : !rc && !left, "and in its middle");
	is_int(torn, 0, "nothing is ended by half");
	s.stop = false;
	is_int(outside_check_folder(lake, raw, &s.stop), 0, "the next one goes on");
	store_barrier(lake->store, 0);
	is_int(count_left(&torn), 0, "to the end");
	is_int(torn, 0, "of all of it");
	ok(!node_at("raw/top").id, "and of their folders");
	inode_unref(lake, raw);
	close_lake();
}

struct mover {
	char here[256], there[256];
	_Atomic bool stop;
};

static void *move_about(void *arg)
{
	struct mover *m = arg;

	while (!atomic_load(&m->stop)) {
		rename(m->here, m->there);
		rename(m->there, m->here);
	}
	return NULL;
}

/* A name that is gone by the time its inode was found: nothing is found then, and nobody loses a reference. */
static void test_fleeting(void)
{
	static const char *const names[] = {"here", "there", "nowhere"};
	_cleanup_folder_ struct folder_fd *fd = NULL;
	struct inode *folder, *out;
	struct mover mover = {.stop = false};
	int found = 0, wrong = 0;
	pthread_t thread;
	struct stat st;

	snprintf(mover.here, sizeof(mover.here), "%s", in_lake("buckets/raw/here"));
	snprintf(mover.there, sizeof(mover.there), "%s", in_lake("buckets/raw/there"));
	put_file(mover.here, "now here, now there\n");
	open_lake();
	folder = look_up("raw");
	if (!folder || folder_get(lake, folder, &fd) < 0)
		bail_out("buckets/raw");
	pthread_create(&thread, NULL, move_about, &mover);
	for (int i = 0; i < 6000 || (!found && i < 600000); i++) {
		int rc;

		out = folder; /* what must not stay there */
		rc = outside_look_up(lake, folder, folder_fd(fd), names[i % 3], &out, &st);
		wrong += rc < 0 ? out != NULL : out == folder;
		found += rc == 0;
		inode_unref(lake, out == folder ? NULL : out);
	}
	atomic_store(&mover.stop, true);
	pthread_join(thread, NULL);
	is_int(wrong, 0, "of a file that is moved all the time, an inode comes back when it is found, and else none");
	ok(found > 0, "and it is found (%d times)", found);
	folder_put(steal_ptr(&fd));
	inode_unref(lake, folder);
	close_lake();
}

int main(void)
{
	test_begin(SETTINGS);
	make_tree();
	test_adoption();
	test_nothing();
	test_changes();
	test_folders();
	test_names();
	test_copy();
	test_deep();
	test_stop();
	test_still_written();
	test_stopped_check();
	test_file_systems();
	test_fleeting();
	return test_end();
}
