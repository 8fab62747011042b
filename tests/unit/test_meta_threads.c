/*
 * Many threads: submitters, some of whom wait, and readers, who must never see half a record.
 */
#include <pthread.h>

#include "test_meta.h"

#define WRITERS 6
#define READERS 3
#define FILES 400

struct shared {
	struct store *s;
	uint64_t folders[WRITERS];
	_Atomic int wrong;
	_Atomic bool stop;
};

struct worker {
	struct shared *shared;
	int number;
	uint64_t last_node;
};

static void file_name(char name[32], int i)
{
	snprintf(name, 32, "file-%d", i);
}

/* One file is made, seen, cut, renamed; every third is unlinked. */
static void *writer_main(void *arg)
{
	struct worker *w = arg;
	struct store *s = w->shared->s;
	uint64_t folder = w->shared->folders[w->number], commit, previous = 0;

	for (int i = 0; i < FILES; i++) {
		struct node_row n = test_node(s, KIND_FILE), seen;
		struct version_row v = {.id = store_new_version(s),
					.node = n.id,
					.size = 10,
					.state = VERSION_LIVE,
					.settled = true,
					.run = RUN_TARN};
		struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, folder, "new");
		char name[32];

		file_name(name, i);
		record_node_add(r, &n);
		record_entry_add(r, folder, "new", n.id);
		store_submit(s, r, &commit);
		w->shared->wrong += commit <= previous;
		if (i % 5 == 0) {
			store_barrier(s, commit);
			w->shared->wrong += store_entry(s, folder, "new", &seen) != 0 || seen.id != n.id;
			w->shared->wrong += store_visible(s) < commit;
		}
		r = record_new(OP_RENAME, RUN_TARN, 0, n.id, folder, name);
		record_entry_end(r, folder, "new", ENDED_RENAME);
		record_entry_add(r, folder, name, n.id);
		record_version_add(r, &v);
		record_job_add(r, JOB_SNIFF, v.id, i);
		store_submit(s, r, &previous);
		if (i % 7 == w->number)
			w->shared->wrong += store_sync(s, previous) != 0;
		if (i % 3 == 0) {
			r = record_new(OP_UNLINK, RUN_TARN, 0, n.id, folder, name);
			record_entry_end(r, folder, name, ENDED_UNLINK);
			record_version_state(r, v.id, VERSION_KEPT, HOW_ASIDE, NULL);
			record_node_end(r, n.id);
			store_submit(s, r, NULL);
		}
	}
	return NULL;
}

struct look {
	struct store *s;
	uint64_t folder;
	int new_names, wrong;
};

static int look_at_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct look *l = arg;
	struct node_row n;

	l->new_names += strcmp(name, "new") == 0;
	/* Inside a listing everything is of the listing's moment. */
	l->wrong += kind != KIND_FILE || store_node(l->s, node, &n) != 0;
	if (strcmp(name, "new") != 0)
		l->wrong += n.version == 0;
	return 0;
}

static int look_at_asset(void *arg, const struct asset_row *a)
{
	int *wrong = arg;

	*wrong += a->node->version != a->version->id || (a->version->id && a->version->node != a->node->id) ||
		  a->versions != (a->version->id != 0);
	return 0;
}

static void *reader_main(void *arg)
{
	struct worker *w = arg;
	struct shared *shared = w->shared;
	uint64_t visible = 0;
	int round = 0;

	while (!shared->stop) {
		struct look l = {shared->s, shared->folders[round++ % WRITERS], 0, 0};
		struct store_totals t;
		struct job_row jobs[8];
		uint64_t now = store_visible(shared->s);
		bool known;

		shared->wrong += now < visible;
		visible = now;
		shared->wrong += store_entries(shared->s, l.folder, look_at_entry, &l) != 0;
		shared->wrong += l.wrong + (l.new_names > 1);
		shared->wrong += store_totals(shared->s, &t) != 0 || t.files > WRITERS * FILES;
		shared->wrong += store_jobs(shared->s, JOB_SNIFF, INT64_MAX, jobs, 8) < 0;
		store_run(shared->s, "boot", round % 50, 1, true, &known);
		if (round % 10 == 0) {
			int wrong = 0;

			shared->wrong += store_assets(shared->s, NULL, look_at_asset, &wrong) != 0;
			shared->wrong += wrong;
		}
		usleep(1000); /* the writers wait for the disk most of the time: look often, but not only */
	}
	return NULL;
}

/* Threads that come, ask once and go: their connections go with them. */
static void *visitor_main(void *arg)
{
	struct worker *w = arg;
	struct node_row n;

	w->shared->wrong += store_node(w->shared->s, NODE_ROOT, &n) != 0;
	return NULL;
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void visitors(struct shared *shared)
{
	struct worker w = {.shared = shared};
	int before = descriptors();

	for (int i = 0; i < 100; i++) {
		pthread_t threads[4];

		for (int k = 0; k < 4; k++)
			pthread_create(&threads[k], NULL, visitor_main, &w);
		for (int k = 0; k < 4; k++)
			pthread_join(threads[k], NULL);
	}
	ok(descriptors() <= before + 4, "threads that end leave no connection behind");
}

static void *numbers_main(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < 100000; i++) {
		uint64_t n = store_new_node(w->shared->s);

		w->shared->wrong += n <= w->last_node;
		w->last_node = n;
	}
	return NULL;
}

static void numbers(struct shared *shared)
{
	struct worker workers[4] = {0};
	uint64_t before = store_new_node(shared->s), last;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		workers[i].shared = shared;
		pthread_create(&threads[i], NULL, numbers_main, &workers[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	last = store_new_node(shared->s);
	is_int(last, (int64_t)before + 400001, "four threads draw 400,000 numbers, each once");
}

int main(void)
{
	struct shared shared = {0};
	struct worker workers[WRITERS + READERS];
	pthread_t threads[WRITERS + READERS];
	struct store_totals t;

	test_begin();
	shared.s = test_open(STORE_CREATE);
	for (int i = 0; i < WRITERS; i++) {
		char name[32];

		file_name(name, i);
		shared.folders[i] = test_make(shared.s, NODE_ROOT, name, KIND_FOLDER);
	}
	for (int i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){.shared = &shared, .number = i};
		pthread_create(&threads[i], NULL, i < WRITERS ? writer_main : reader_main, &workers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	shared.stop = true;
	for (int i = WRITERS; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	is_int(shared.wrong, 0, "nobody saw anything wrong");
	is_int(store_sync(shared.s, 0), 0, "all is durable");
	t = test_totals(shared.s);
	is_int(t.files, WRITERS * (FILES - (FILES + 2) / 3), "every file is there");
	is_int(t.versions_kept, WRITERS * ((FILES + 2) / 3), "and every version");
	test_whole(shared.s, "whole");
	visitors(&shared);
	numbers(&shared);
	is_int(shared.wrong, 0, "and still nothing wrong");
	store_close(shared.s);
	return test_end();
}
