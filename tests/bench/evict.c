/*
 * How many uploaded files leave in a second: evict [FILES [BYTES]], in a lake below $TMPDIR. Prints a line of CSV:
 *
 *	files,seconds,files_per_second,cpu_seconds
 *
 * The store is told that their objects are there; nothing is uploaded, for that is not what is measured.
 */
#include <time.h>

#include "../unit/test_stub.h"
#include "content/reach.h"

#define PER_FOLDER 1000

static int files = 100000;

static void make_files(size_t bytes)
{
	char *text = calloc(1, bytes + 1);

	for (int i = 0; i < files; i++) {
		if (i % PER_FOLDER == 0)
			make_folder(in_lake("buckets/b/%d", i / PER_FOLDER));
		memset(text, 'a', bytes);
		snprintf(text, bytes, "%d", i);
		put_bytes(in_lake("buckets/b/%d/%d", i / PER_FOLDER, i), text, bytes);
	}
	free(text);
}

/* As if all had been uploaded. */
static int tell_uploaded(void *arg, const struct cold_row *c)
{
	struct version_row v;
	struct cloud_row object = {.version = c->version, .state = CLOUD_VERIFIED, .hashed = true};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t **next = arg;

	if (store_version(lake->store, c->version, &v) || !v.hashed)
		bail_out("a file is not hashed");
	object.size = object.stored = v.size;
	snprintf(object.key, sizeof(object.key), "p/%llu", (unsigned long long)c->node);
	memcpy(object.sha256, v.sha256, sizeof(object.sha256));
	record_cloud_set(r, &object);
	store_submit(lake->store, r, NULL);
	*(*next)++ = c->node;
	return 0;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	uint64_t *nodes, *end;
	int64_t begun;
	double seconds;
	clock_t cpu;
	int left = 0;

	if (argc > 1)
		files = atoi(argv[1]);
	test_begin("");
	stub_settings();
	make_folder(in_lake("buckets/b"));
	make_files(bytes);
	open_lake();
	start_work();
	while (!scan_is_done() || !no_jobs())
		usleep(50000);
	nodes = end = calloc((size_t)files, sizeof(*nodes));
	store_cold(lake->store, INT64_MAX, tell_uploaded, &end);
	store_barrier(lake->store, 0);
	begun = clock_monotonic();
	cpu = clock();
	for (uint64_t *node = nodes; node < end; node++) {
		struct inode *inode;

		if (reach_node(lake, *node, &inode) < 0)
			continue;
		left += !stub_evict(lake, inode);
		inode_unref(lake, inode);
	}
	store_barrier(lake->store, 0);
	seconds = (double)(clock_monotonic() - begun) / (double)NSEC_PER_SEC;
	printf("%d,%.2f,%.0f,%.2f\n", left, seconds, left / seconds, (double)(clock() - cpu) / CLOCKS_PER_SEC);
	if (left != files)
		fprintf(stderr, "%d of %d left\n", left, files);
	close_lake();
	remove_tree(test_lake);
	return left != files;
}
