/*
 * The write-ahead log: it stays short under load, grows while a reader stays, and says so.
 */
#include <sys/stat.h>

#include "test_meta.h"

#include "base/log.h"

#define MIB (1 << 20)

static int64_t wal_bytes(void)
{
	struct stat st;
	char name[128];

	snprintf(name, sizeof(name), "%s-wal", test_path);
	return stat(name, &st) == 0 ? st.st_size : 0;
}

/* Writes about BYTES into the WAL. */
static void load(struct store *s, int64_t bytes)
{
	static char value[16384];

	for (int64_t i = 0; i < bytes; i += 16384) {
		struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		char key[32];

		snprintf(key, sizeof(key), "k%lld", (long long)(i % (8 * MIB)));
		/* SQLite writes only the pages that differ. */
		memset(value, (int)(i / 16384 % 251), sizeof(value));
		record_lake(r, key, value, sizeof(value));
		store_submit(s, r, NULL);
		if (i % (16 * 16384) == 0)
			store_barrier(s, 0);
	}
	store_barrier(s, 0);
}

#define GROWN "tarn.db-wal has grown to"

static char log_path[128];

static bool logged(const char *file, const char *words)
{
	_cleanup_fclose_ FILE *f = fopen(file, "r");
	char line[1024];
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, words) != NULL;
	return found;
}

/* The reader stays until it was noticed: the writer looks after each group, and a checkpoint may take its time. */
static int load_inside(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	(void)name;
	(void)node;
	(void)kind;
	load(arg, 40 * MIB);
	for (int i = 0; i < 300 && !logged(log_path, GROWN); i++) {
		load(arg, 16384);
		usleep(100000);
	}
	return 1;
}

int main(void)
{
	struct store *s;

	test_begin();
	snprintf(log_path, sizeof(log_path), "%s/log", test_folder);
	is_int(log_open(log_path), 0, "a log");
	s = test_open(STORE_CREATE);
	store_alarm_wal(s, 20 * MIB);
	test_make(s, NODE_ROOT, "x", KIND_FILE);
	load(s, 200 * MIB);
	diag("WAL: %lld MiB after 200 MiB", (long long)wal_bytes() / MIB);
	/* how far the checkpoints lag depends on the disk and who else uses it */
	ok(wal_bytes() < 180 * MIB, "the WAL is used again while 200 MiB of changes are written");
	ok(!logged(log_path, GROWN), "and nothing to log");
	is_int(store_entries(s, NODE_ROOT, load_inside, s), 1, "a reader that stays while 40 MiB are written");
	ok(wal_bytes() >= 40 * MIB, "keeps the WAL from being used again");
	ok(logged(log_path, GROWN), "which is logged");
	load(s, 20 * MIB);
	/* a checkpoint may take its time */
	for (int i = 0; i < 300 && wal_bytes() >= 40 * MIB; i++) {
		load(s, MIB);
		usleep(100000);
	}
	diag("WAL: %lld MiB after the reader ended", (long long)wal_bytes() / MIB);
	ok(wal_bytes() < 40 * MIB, "afterwards it is short again");
	test_whole(s, "whole");
	is_int(store_close(s), 0, "closed");
	is_int(wal_bytes(), 0, "and no WAL is left");
	log_open(NULL);
	unlink(log_path);
	return test_end();
}
