/*
 * What the tests of background work share: a lake in a folder of its own, opened as the daemon does it, and changes to
 * it from behind (the plain files) and through content/ (as a mount does).
 */
#ifndef TARN_TESTS_TEST_WORK_H
#define TARN_TESTS_TEST_WORK_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/aside.h"
#include "content/handle.h"
#include "content/outside.h"
#include "content/recover.h"
#include "content/settle.h"
#include "sniff/worker.h"
#include "tap.h"
#include "work/work_int.h"

#define PATIENCE_NS (120 * NSEC_PER_SEC)

static char test_lake[128]; /* its folder */
static struct lake *lake;
static struct work *work;

/* ---- plain files ---- */

/* A name in the lake's folder; valid until eight more are asked for. */
__attribute__((format(printf, 1, 2))) static inline const char *in_lake(const char *fmt, ...)
{
	static char paths[8][4096];
	static unsigned next;
	char *path = paths[next++ % 8];
	int n = snprintf(path, sizeof(paths[0]), "%s/", test_lake);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(paths[0]) - (size_t)n, fmt, ap);
	va_end(ap);
	return path;
}

/* How long everything is done at once: as the environment says, or USUAL seconds. */
static inline int stress_seconds(int usual)
{
	const char *said = getenv("STRESS_SECONDS");

	return said && atoi(said) > 0 ? atoi(said) : usual;
}

static inline void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void put_bytes(const char *path, const void *bytes, size_t len)
{
	_cleanup_close_ int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		bail_out(path);
}

static inline void put_file(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static inline void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		bail_out(path);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* ---- the lake ---- */

static inline void set_settings(const char *yaml)
{
	put_file(in_lake("config/settings.yaml"), yaml);
}

static inline void test_begin(const char *yaml)
{
	const char *base = getenv("TMPDIR");

	if (getenv("TARN_TEST_LOG"))
		log_set_level(LOG_LEVEL_DEBUG);
	else
		log_set_level(LOG_LEVEL_ERROR);
	snprintf(test_lake, sizeof(test_lake), "%s/tarn-work-XXXXXX", base && strlen(base) < 60 ? base : "/tmp");
	if (!mkdtemp(test_lake))
		bail_out("mkdtemp");
	make_folder(in_lake("config"));
	make_folder(in_lake("buckets"));
	make_folder(in_lake("catalog"));
	set_settings(yaml);
}

static inline int test_end(void)
{
	remove_tree(test_lake);
	return done();
}

/* As the daemon does it, without its background work. */
static inline void open_lake(void)
{
	struct findings findings = {0};
	struct settings *settings;
	_cleanup_buf_ struct buf error = BUF_INIT;
	int rc = settings_load(test_lake, NULL, &settings, &findings);

	for (int i = 0; i < findings.n; i++)
		diag("%s", findings.list[i].text);
	findings_release(&findings);
	if (rc < 0)
		bail_out("settings");
	rc = lake_open(test_lake, settings, &lake, &error);
	if (rc < 0) {
		printf("Bail out! lake_open: %s\n", buf_str(&error));
		exit(1);
	}
	if (!store_was_clean(lake->store) && lake_recover(lake) < 0)
		bail_out("lake_recover");
	if (lake_queue_unsettled(lake) < 0)
		bail_out("lake_queue_unsettled");
}

static inline void start_work(void)
{
	worker_program = getenv("TARN");
	if (work_start(lake, &work) < 0)
		bail_out("work_start");
}

static inline void stop_work(void)
{
	int64_t begun = clock_monotonic();

	work_stop(work);
	work = NULL;
	/* A tenth of one is what it takes; but others may have the processors and the disk. */
	if (clock_monotonic() - begun > 5 * NSEC_PER_SEC)
		ok(false, "background work ends soon");
}

static inline bool wait_for(bool (*is)(void))
{
	int64_t end = clock_monotonic() + PATIENCE_NS;

	while (!is()) {
		if (clock_monotonic() > end)
			return false;
		usleep(5000);
	}
	return true;
}

static inline bool scan_is_done(void)
{
	return !atomic_load(&lake->scan_running);
}

static inline struct store_totals totals(void)
{
	struct store_totals t = {0};

	store_barrier(lake->store, 0);
	store_totals(lake->store, &t);
	return t;
}

static inline bool no_jobs(void)
{
	return !totals().jobs;
}

static uint64_t packed_wanted;

static inline bool is_packed(void)
{
	return totals().versions_by_how[HOW_PACKED] >= packed_wanted;
}

/* Works until so many VERSIONS are packed; false: they never are. */
static inline bool pack_up_to(uint64_t versions)
{
	bool done;

	packed_wanted = versions;
	start_work();
	done = wait_for(is_packed);
	stop_work();
	return done;
}

/* Opens the lake, starts all work, and waits until the scan and the jobs it made are done. */
static inline void run_lake(void)
{
	open_lake();
	start_work();
	if (!wait_for(scan_is_done))
		ok(false, "the scan ends");
	if (!wait_for(no_jobs))
		ok(false, "the jobs end");
}

static inline void close_lake(void)
{
	if (work)
		stop_work();
	if (lake_close(lake) < 0)
		ok(false, "the lake closes");
	lake = NULL;
}

/* ---- what the store knows ---- */

/* The node at a path below buckets/; its id is 0 when there is none. */
static inline struct node_row node_at(const char *path)
{
	struct node_row row = {.id = NODE_ROOT};
	char copy[4096], *save, *name;

	store_barrier(lake->store, 0);
	snprintf(copy, sizeof(copy), "%s", path);
	for (name = strtok_r(copy, "/", &save); name && row.id; name = strtok_r(NULL, "/", &save))
		if (store_entry(lake->store, row.id, name, &row))
			row.id = 0;
	return row;
}

/* Its live version; id 0 when there is none. */
static inline struct version_row live_version(const char *path)
{
	struct node_row node = node_at(path);
	struct version_row v = {0};

	if (node.id && node.version && store_version(lake->store, node.version, &v))
		v.id = 0;
	return v;
}

static inline struct version_row version_number(const char *path, uint64_t number)
{
	struct node_row node = node_at(path);
	struct version_row v = {0};

	if (!node.id || store_version_by_number(lake->store, node.asset, number, &v))
		v.id = 0;
	return v;
}

/* SHA-256 by coreutils, as hex. */
static inline void sha256sum(const char *path, char hex[65])
{
	char command[4200];
	FILE *p;

	snprintf(command, sizeof(command), "sha256sum < '%s'", path);
	p = popen(command, "r");
	if (!p || fscanf(p, "%64[0-9a-f]", hex) != 1)
		bail_out("sha256sum");
	pclose(p);
}

static inline bool has_hash_of(const struct version_row *v, const char *path)
{
	_cleanup_buf_ struct buf hex = BUF_INIT;
	char wanted[65];

	if (!v->hashed)
		return false;
	sha256sum(path, wanted);
	buf_add_hex(&hex, v->sha256, sizeof(v->sha256));
	return !strcmp(buf_str(&hex), wanted);
}

/* ---- as a mount does it ---- */

static inline struct actor somebody(void)
{
	return (struct actor){.caller = {.uid = getuid(), .gid = getgid()}, .run = RUN_UNKNOWN};
}

/* With a reference. */
static inline struct inode *look_up(const char *path)
{
	struct inode *at = inode_find(lake, NODE_ROOT), *next;
	char copy[4096], *save, *name;
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	for (name = strtok_r(copy, "/", &save); name && at; name = strtok_r(NULL, "/", &save)) {
		_cleanup_folder_ struct folder_fd *folder = NULL;
		int rc = folder_get(lake, at, &folder);

		if (!rc)
			rc = outside_look_up(lake, at, folder_fd(folder), name, &next, &st);
		inode_unref(lake, at);
		at = rc < 0 ? NULL : next;
	}
	return at;
}

static inline struct handle *open_as_mount(const char *path, int flags)
{
	struct inode *inode = look_up(path);
	struct actor actor = somebody();
	struct handle *h = NULL;

	if (!inode || handle_open(lake, inode, flags, &actor, &h) < 0)
		bail_out(path);
	inode_unref(lake, inode);
	return h;
}

/* echo TEXT >PATH */
static inline void overwrite(const char *path, const char *text)
{
	struct handle *h = open_as_mount(path, O_WRONLY | O_TRUNC);

	if (write(h->fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out(path);
	handle_close(lake, h);
}

#endif
