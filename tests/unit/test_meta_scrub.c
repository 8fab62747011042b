/*
 * What is purged is in no file of the store any more.
 */
#include <pthread.h>

#include "test_meta.h"

#define SECRET "the-secret-that-leaked"

/* How often the secret is in the files of the store. */
static int find_secret(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	int found = 0;

	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *bytes = NULL;
		char name[128];
		size_t len = 0, room = 0;
		FILE *f;
		int c;

		snprintf(name, sizeof(name), "%s%s", test_path, suffixes[i]);
		f = fopen(name, "re");
		if (!f)
			continue;
		while ((c = getc(f)) != EOF) {
			if (len == room) {
				room = room ? room * 2 : 65536;
				bytes = realloc(bytes, room);
			}
			bytes[len++] = (char)c;
		}
		fclose(f);
		for (char *at = bytes; bytes && (at = memmem(at, len - (size_t)(at - bytes), SECRET, strlen(SECRET)));
		     at++)
			found++;
	}
	return found;
}

/* Extended attributes of LEN bytes that have the secret at their end. */
static void set_xattrs(struct store *s, uint64_t node, size_t len)
{
	struct record *r = record_new(OP_XATTR, RUN_TARN, 0, node, 0, NULL);
	_cleanup_free_ char *blob = calloc(1, len + sizeof(SECRET));

	memset(blob, 'x', len);
	memcpy(blob + len, SECRET, sizeof(SECRET));
	record_node_xattrs(r, node, blob, len + sizeof(SECRET));
	test_submit(s, r);
}

static void forget(struct store *s, uint64_t node)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, node, 0, NULL);

	record_node_forget(r, node);
	test_submit(s, r);
}

static void test_forget(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "f", KIND_FILE), gone = test_make(s, NODE_ROOT, "g", KIND_FILE);
	uint64_t before = store_last_commit(s), version;
	struct record *r;
	struct buf blob = BUF_INIT;
	uint8_t hash[SHA256_BYTES] = { 1 };

	set_xattrs(s, file, 10);
	set_xattrs(s, file, 30000);
	set_xattrs(s, gone, 20000);
	test_unlink(s, NODE_ROOT, "g", gone);
	store_sync(s, 0);
	ok(find_secret() > 0, "a secret is in the store");
	r = record_new(OP_XATTR, RUN_TARN, 0, file, 0, NULL);
	record_node_xattrs(r, file, "harmless", 8);
	test_submit(s, r);
	forget(s, file);
	forget(s, gone);
	ok(find_secret() > 0, "forgotten, it is in the files still");
	is_int(store_scrub(s, 2000), 0, "scrubbed");
	is_int(find_secret(), 0, "it is in none of them");
	is_int(store_node_xattrs_at(s, file, COMMIT_LIVE, &blob), 0, "what is there now");
	is_str(buf_str(&blob), "harmless", "stays");
	blob.len = 0;
	store_node_xattrs_at(s, file, before + 1, &blob);
	is_int(blob.len, 0, "what was is not known any more");
	buf_release(&blob);

	version = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_facts(r, version, hash, "text/secret");
	record_version_state(r, version, VERSION_PURGED, HOW_ASIDE, "purged");
	record_version_forget(r, version);
	record_version_how(r, version, HOW_NONE, 0);
	test_submit(s, r);
	ok(!test_version(s, version).hashed && !test_version(s, version).mime[0], "a version's hash and type go, too");
	is_int(test_version(s, version).how, HOW_NONE, "and what kept it");
}

struct reader {
	struct store *s;
	pthread_barrier_t in, out;
};

static int hold(void *arg, const struct asset_row *a)
{
	struct reader *r = arg;

	(void)a;
	pthread_barrier_wait(&r->in);
	pthread_barrier_wait(&r->out);
	return 1;
}

static void *read_main(void *arg)
{
	struct reader *r = arg;

	store_assets(r->s, NULL, hold, r);
	return NULL;
}

static void test_reader(struct store *s)
{
	struct reader r = { .s = s };
	pthread_t thread;

	pthread_barrier_init(&r.in, NULL, 2);
	pthread_barrier_init(&r.out, NULL, 2);
	pthread_create(&thread, NULL, read_main, &r);
	pthread_barrier_wait(&r.in);
	set_xattrs(s, NODE_ROOT, 10);
	is_int(store_scrub(s, 50), -EBUSY, "while somebody reads what was, it cannot be scrubbed");
	test_make(s, NODE_ROOT, "meanwhile", KIND_FOLDER);
	pthread_barrier_wait(&r.out);
	pthread_join(thread, NULL);
	is_int(store_scrub(s, 2000), 0, "afterwards it can");
	pthread_barrier_destroy(&r.in);
	pthread_barrier_destroy(&r.out);
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_forget(s);
	test_reader(s);
	test_whole(s, "the store is whole");
	store_close(s);
	return test_end();
}
