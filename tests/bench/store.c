/*
 * How fast the metadata store takes records. Not part of the tests: run it by hand.
 *
 *	store FOLDER [RECORDS]
 *
 * Each line: what, how many, per second, microseconds each. FOLDER must exist; the database is made in it and removed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "meta/store.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(const char *what, long count, double seconds)
{
	printf("%-44s %8ld %10.0f/s %9.2f us\n", what, count, (double)count / seconds, seconds / (double)count * 1e6);
	fflush(stdout);
}

static void must(int err, const char *what)
{
	if (err < 0) {
		fprintf(stderr, "store: %s: %s\n", what, strerror(-err));
		exit(1);
	}
}

static struct record *create(struct store *s, uint64_t parent, long i, uint64_t *node)
{
	struct node_row n = { .kind = KIND_FILE,
			      .mode = 0100644,
			      .uid = 1000,
			      .gid = 1000,
			      .size = 4096,
			      .mtime = 1763629200000000000 + i,
			      .ctime = 1763629200000000000 + i };
	struct record *r;
	char name[64];

	n.id = *node = store_new_node(s);
	n.handle = (struct fhandle){ .len = 8, .type = 1 };
	memcpy(n.handle.bytes, &n.id, sizeof(n.id));
	snprintf(name, sizeof(name), "file-%08ld.csv", i);
	r = record_new(OP_CREATE, 7, 1000, n.id, parent, name);
	record_node_add(r, &n);
	record_entry_add(r, parent, name, n.id);
	return r;
}

static struct record *cut(struct store *s, uint64_t node)
{
	struct version_row v = { .id = store_new_version(s),
				 .node = node,
				 .size = 4096,
				 .mtime = 1763629200000000000,
				 .mode = 0100644,
				 .uid = 1000,
				 .gid = 1000,
				 .state = VERSION_LIVE,
				 .settled = true,
				 .run = 7,
				 .run_uid = 1000 };
	struct record *r = record_new(OP_WRITE, 7, 1000, node, 0, NULL);

	record_version_add(r, &v);
	record_job_add(r, JOB_SNIFF, v.id, 1763629200000000000);
	record_node_writing(r, node, false);
	return r;
}

static struct record *unlink_file(uint64_t parent, long i, uint64_t node)
{
	struct record *r;
	char name[64];

	snprintf(name, sizeof(name), "file-%08ld.csv", i);
	r = record_new(OP_UNLINK, 7, 1000, node, parent, name);
	record_entry_end(r, parent, name, ENDED_UNLINK);
	record_node_end(r, node);
	return r;
}

static uint64_t folder(struct store *s, const char *name)
{
	struct node_row n = { .id = store_new_node(s), .kind = KIND_FOLDER, .mode = 040755 };
	struct record *r = record_new(OP_MKDIR, 7, 1000, n.id, NODE_ROOT, name);

	record_node_add(r, &n);
	record_entry_add(r, NODE_ROOT, name, n.id);
	must(store_submit(s, r, NULL), "submit");
	return n.id;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One record at a time, each waited for. */
static void latency(struct store *s, uint64_t parent, long count, bool durable, const char *what)
{
	_cleanup_free_ double *each = calloc((size_t)count, sizeof(*each));
	double start = now();
	uint64_t node, commit;

	for (long i = 0; i < count; i++) {
		double t = now();

		must(store_submit(s, create(s, parent, i, &node), &commit), "submit");
		must(durable ? store_sync(s, commit) : store_barrier(s, commit), "wait");
		each[i] = now() - t;
	}
	report(what, count, now() - start);
	qsort(each, (size_t)count, sizeof(*each), compare);
	printf("    median %.0f us, 99 %% %.0f us, worst %.0f us\n", each[count / 2] * 1e6,
	       each[count * 99 / 100] * 1e6, each[count - 1] * 1e6);
}

struct load {
	struct store *s;
	uint64_t parent;
	long count;
	bool durable;
};

static void *load_main(void *arg)
{
	struct load *l = arg;
	uint64_t node, commit;

	for (long i = 0; i < l->count; i++) {
		must(store_submit(l->s, create(l->s, l->parent, i, &node), &commit), "submit");
		must(l->durable ? store_sync(l->s, commit) : store_barrier(l->s, commit), "wait");
	}
	return NULL;
}

static void parallel(struct store *s, int threads, long count, bool durable, const char *what)
{
	struct load loads[16];
	pthread_t ids[16];
	double start;

	for (int i = 0; i < threads; i++) {
		char name[32];

		snprintf(name, sizeof(name), "p%d%d", durable, i);
		loads[i] = (struct load){ s, folder(s, name), count, durable };
	}
	start = now();
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, load_main, &loads[i]);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	report(what, threads * count, now() - start);
}

static void look_up(struct store *s, uint64_t parent, long count)
{
	struct node_row n;
	double start = now();

	for (long i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "file-%08ld.csv", i * 7919 % count);
		must(store_entry(s, parent, name, &n), "look-up");
	}
	report("look-up by name", count, now() - start);
	start = now();
	for (long i = 0; i < count; i++) {
		struct fhandle h = { .len = 8, .type = 1 };
		uint64_t id = parent + 1 + (uint64_t)(i * 7919 % count);
		bool here;
		char name[64];

		snprintf(name, sizeof(name), "file-%08ld.csv", i * 7919 % count);
		memcpy(h.bytes, &id, sizeof(id));
		must(store_node_by_handle(s, 0, &h, parent, name, &n, &here), "look-up");
	}
	report("look-up by handle, with its name", count, now() - start);
}

static int count_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	(void)name;
	(void)node;
	(void)kind;
	(*(long *)arg)++;
	return 0;
}

static int count_asset(void *arg, const struct asset_row *a)
{
	(void)a;
	(*(long *)arg)++;
	return 0;
}

static void list(struct store *s, uint64_t parent)
{
	double start = now();
	long count = 0;

	must(store_entries(s, parent, count_entry, &count), "entries");
	report("listing of a folder", count, now() - start);
	start = now();
	count = 0;
	must(store_assets(s, NULL, count_asset, &count), "assets");
	report("listing of all files", count, now() - start);
}

static long resident(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "r");
	long size, pages;

	return f && fscanf(f, "%ld %ld", &size, &pages) == 2 ? pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024 : -1;
}

static void groups(struct store *s, uint64_t parent, long count)
{
	_cleanup_free_ uint64_t *nodes = calloc((size_t)count, sizeof(*nodes));
	double start = now();

	for (long i = 0; i < count; i++)
		must(store_submit(s, create(s, parent, i, &nodes[i]), NULL), "submit");
	must(store_barrier(s, 0), "barrier");
	report("create: change, node, entry", count, now() - start);
	printf("    %ld MiB resident\n", resident());
	look_up(s, parent, count);
	start = now();
	for (long i = 0; i < count; i++)
		must(store_submit(s, cut(s, nodes[i]), NULL), "submit");
	must(store_barrier(s, 0), "barrier");
	report("cut: version, job, node", count, now() - start);
	list(s, parent);
	start = now();
	for (long i = 0; i < count; i++)
		must(store_submit(s, unlink_file(parent, i, nodes[i]), NULL), "submit");
	must(store_barrier(s, 0), "barrier");
	report("unlink: entry, node", count, now() - start);
	printf("    %ld MiB resident\n", resident());
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 300000;
	const char *why = NULL;
	struct store *s;
	char path[4096];
	double start;

	if (argc < 2 || count < 100) {
		fprintf(stderr, "usage: store FOLDER [RECORDS]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/bench-%d.db", argv[1], (int)getpid());
	must(store_open(path, STORE_CREATE, &s, &why), why ? why : path);
	groups(s, folder(s, "many"), count);
	latency(s, folder(s, "one"), 20000, false, "create and barrier, one thread");
	latency(s, folder(s, "sync"), 500, true, "create and sync, one thread");
	parallel(s, 8, 5000, false, "create and barrier, 8 threads");
	parallel(s, 8, 200, true, "create and sync, 8 threads");
	start = now();
	must(store_close(s), "close");
	report("close", 1, now() - start);
	unlink(path);
	snprintf(path, sizeof(path), "%s/bench-%d.db-lock", argv[1], (int)getpid());
	unlink(path);
	return 0;
}
