/*
 * What looking at all files for those that may leave takes, and what others notice of it.
 *
 *	policy FOLDER [FILES]
 *
 * Makes a lake in FOLDER whose store knows FILES (1,000,000) files in folders of 1,000, none of which is on the disk;
 * every tenth is in the cloud already. Prints CSV: what, value, unit. "look" is one look at all of them, "look_cpu"
 * what it took of a processor, "find" a look for 1 GB that may leave; "alone" and "beside" is how many small changes a
 * second the store commits, one after the other and each waited for, without a look and while the daemon looks as often
 * as it ever does.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

#define IN_FOLDER 1000
#define IN_RECORD 1000
#define SECONDS 10
#define REST 10 /* as work/cloud/burst.c has it */
#define SIZE 100000

static struct lake *lake;
static struct work work_at_rest;
static _Atomic bool end;

static void fail(const char *what, int err)
{
	fprintf(stderr, "policy: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void write_settings(const char *folder)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	FILE *f;

	for (const char *const *name = (const char *const[]){"", "/config", "/buckets", "/catalog", "/remote", NULL};
	     *name; name++) {
		buf_clear(&path);
		buf_addf(&path, "%s%s", folder, *name);
		mkdir(buf_str(&path), 0755);
	}
	buf_clear(&path);
	buf_addf(&path, "%s/config/settings.yaml", folder);
	f = fopen(buf_str(&path), "we");
	if (!f)
		fail(buf_str(&path), -errno);
	fprintf(f,
		"storage: {min_age: 0}\nhybrid_storage: {cloud_provider: dir, cloud_path: '%s/remote', "
		"cloud_allow_same_disk: true}\n",
		folder);
	fclose(f);
}

static void open_lake(const char *folder)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct findings findings = {0};
	struct settings *settings;

	write_settings(folder);
	if (settings_load(folder, NULL, &settings, &findings) < 0 || lake_open(folder, settings, &lake, &error) < 0)
		fail(buf_str(&error), -EINVAL);
	findings_release(&findings);
	work_at_rest.lake = lake;
	work_at_rest.claims = claims_new();
}

/* ---- files ---- */

static uint64_t add_folder(struct record *r, uint64_t parent, const char *name)
{
	struct node_row n = {.id = store_new_node(lake->store), .kind = KIND_FOLDER, .mode = S_IFDIR | 0755};

	record_node_add(r, &n);
	record_entry_add(r, parent, name, n.id);
	return n.id;
}

static void add_file(struct record *r, uint64_t folder, uint64_t i)
{
	struct node_row n = {
		.id = store_new_node(lake->store), .kind = KIND_FILE, .mode = S_IFREG | 0644, .size = SIZE};
	struct version_row v = {.id = store_new_version(lake->store),
				.node = n.id,
				.size = SIZE,
				.mode = S_IFREG | 0644,
				.state = VERSION_LIVE,
				.settled = true,
				.run = RUN_TARN};
	struct cloud_row c = {.version = v.id, .size = SIZE, .stored = SIZE, .hashed = true, .state = CLOUD_VERIFIED};
	char name[32];

	snprintf(name, sizeof(name), "file-%" PRIu64 ".csv", i);
	record_node_add(r, &n);
	record_entry_add(r, folder, name, n.id);
	record_version_add(r, &v);
	if (i % 10)
		return;
	memcpy(c.sha256, &v.id, sizeof(v.id));
	snprintf(c.key, sizeof(c.key), "data/%s", name);
	record_cloud_set(r, &c);
}

static void fill(uint64_t files)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t bucket = add_folder(r, NODE_ROOT, "data"), folder = bucket;

	for (uint64_t i = 0; i < files; i++) {
		if (i % IN_FOLDER == 0) {
			char name[32];

			snprintf(name, sizeof(name), "folder-%" PRIu64, i / IN_FOLDER);
			folder = add_folder(r, bucket, name);
		}
		add_file(r, folder, i);
		if (i % IN_RECORD == IN_RECORD - 1) {
			store_submit(lake->store, r, NULL);
			r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		}
	}
	store_submit(lake->store, r, NULL);
	if (store_sync(lake->store, 0) < 0)
		fail("the store", -EIO);
}

/* ---- looks ---- */

static double seconds(int64_t since)
{
	return (double)(clock_monotonic() - since) / NSEC_PER_SEC;
}

/* Of this thread: what it takes on a machine that has other things to do. */
static double processor(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NSEC_PER_SEC;
}

static double look(const struct policy_wish *wish, struct policy_result *result)
{
	int64_t begun = clock_monotonic();
	int rc = policy_run(&work_at_rest, wish, result);

	if (rc < 0)
		fail("a look", rc);
	return seconds(begun);
}

static void *look_again(void *arg)
{
	const struct policy_wish wish = {.whole = true};
	struct policy_result result;

	(void)arg;
	work_be_nice(5);
	while (!end) {
		double took = look(&wish, &result);

		for (double slept = 0; slept < took * REST && !end; slept += 0.01)
			usleep(10000);
	}
	return NULL;
}

static double changes(uint64_t node)
{
	int64_t begun = clock_monotonic();
	uint64_t n = 0;

	for (; seconds(begun) < SECONDS; n++) {
		struct record *r = record_new(OP_ATTR, RUN_TARN, 0, node, 0, NULL);
		uint64_t commit;

		record_node_writing(r, node, n & 1);
		if (store_submit(lake->store, r, &commit) < 0 || store_barrier(lake->store, commit) < 0)
			fail("a change", -EIO);
	}
	return (double)n / seconds(begun);
}

int main(int argc, char **argv)
{
	uint64_t files = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	const struct policy_wish all = {.whole = true}, some = {.ready = 1000000000};
	struct policy_result result;
	pthread_t thread;
	double alone, beside, used;

	if (argc < 2)
		fail("FOLDER", -EINVAL);
	log_set_level(LOG_LEVEL_WARNING);
	open_lake(argv[1]);
	if (upload_pool_new(&work_at_rest, &work_at_rest.uploads) < 0)
		fail("the queue", -ENOMEM);
	fill(files);
	printf("what,value,unit\n");
	used = processor();
	printf("look,%.3f,s\n", look(&all, &result));
	printf("look_cpu,%.3f,s\n", processor() - used);
	printf("seen,%" PRIu64 ",files\n", result.seen);
	printf("find,%.3f,s\n", look(&some, &result));
	alone = changes(3);
	if (pthread_create(&thread, NULL, look_again, NULL))
		fail("a thread", -EAGAIN);
	beside = changes(3);
	end = true;
	pthread_join(thread, NULL);
	printf("alone,%.0f,changes/s\nbeside,%.0f,changes/s\n", alone, beside);
	upload_pool_stop(work_at_rest.uploads);
	claims_free(work_at_rest.claims);
	lake_close(lake);
	return 0;
}
