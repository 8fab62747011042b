/*
 * Objects in the cloud: whose they are, what becomes of them when versions change, the totals, and the files that may
 * leave, in their order.
 */
#include "test_meta.h"

static struct cloud_row object(const char *key, uint64_t version, int seed, uint64_t size, enum cloud_state state)
{
	struct cloud_row c = {.version = version, .size = size, .stored = size, .state = state, .hashed = seed};

	snprintf(c.key, sizeof(c.key), "%s", key);
	memset(c.sha256, seed, sizeof(c.sha256));
	return c;
}

static void submit(struct store *s, void (*how)(struct record *, const struct cloud_row *), const struct cloud_row *c)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	how(r, c);
	test_submit(s, r);
}

static void going(struct record *r, const struct cloud_row *c)
{
	record_cloud_state(r, c, CLOUD_GOING);
}

static void hash(struct store *s, uint64_t version, int seed)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint8_t sha256[SHA256_BYTES];

	memset(sha256, seed, sizeof(sha256));
	record_version_facts(r, version, sha256, NULL);
	test_submit(s, r);
}

static void stub(struct store *s, uint64_t node, bool is)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct fhandle h = test_handle(node + 1000 + is);

	record_node_stub(r, node, is, &h);
	test_submit(s, r);
}

static char listed[512];

static int list(void *arg, const struct cloud_row *c)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%.40s ", c->key);
	return 0;
}

static const char *in_state(struct store *s, enum cloud_state state)
{
	listed[0] = 0;
	is_int(store_cloud_each(s, state, 0, list, NULL), 0, "objects are listed");
	return listed;
}

static void test_upload(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "a", KIND_FILE);
	uint64_t v = test_cut(s, node, VERSION_LIVE, HOW_NONE, 100);
	struct cloud_row c = object("p/a", v, 1, 100, CLOUD_INTENT), late = c, copy, found;
	struct store_totals t;

	hash(s, v, 1);
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_of_version(s, v, &found), -ENOENT, "an upload that began is not relied on");
	is_str(in_state(s, CLOUD_INTENT), "p/a ", "but known");
	t = test_totals(s);
	ok(t.cloud_intents == 1 && t.cloud_intent_bytes == 100 && !t.cloud && !t.uploaded, "and counted");
	c.stored = 80;
	c.compress = 1;
	snprintf(c.etag, sizeof(c.etag), "\"e1\"");
	submit(s, record_cloud_verified, &c);
	is_int(store_cloud_of_version(s, v, &found), 0, "one that was verified is");
	ok(found.stored == 80 && found.compress == 1 && found.hashed && found.sha256[5] == 1 && found.time > 0,
	   "with facts");
	is_str(found.etag, "\"e1\"", "and its ETag");
	t = test_totals(s);
	ok(t.cloud == 1 && t.cloud_bytes == 80 && t.uploaded == 1 && t.uploaded_bytes == 100 && !t.cloud_intents,
	   "counted");

	c = object("p/a", 9999, 2, 50, CLOUD_INTENT);
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_of_version(s, v, &found), 0, "another upload does not get the key of a file's only object");
	submit(s, going, &late);
	is_int(store_cloud_of_version(s, v, &found), 0, "nor does it go");
	copy = found;
	snprintf(copy.key, sizeof(copy.key), "p/copy");
	submit(s, record_cloud_set, &copy);
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_of_version(s, v, &found), 0, "when there is a copy");
	is_str(found.key, "p/copy", "it does");
	submit(s, record_cloud_remove, &copy);
	submit(s, record_cloud_verified, &late);
	is_int(store_cloud_by_key(s, "", "p/a", &found), 0, "what the earlier one says then");
	ok(found.state == CLOUD_INTENT && found.version == 9999, "comes too late");
	submit(s, going, &late);
	submit(s, record_cloud_remove, &late);
	is_int(store_cloud_by_key(s, "", "p/a", &found), 0, "and takes nothing away");
	submit(s, going, &c);
	is_str(in_state(s, CLOUD_GOING), "p/a ", "what nothing needs goes");
	submit(s, record_cloud_verified, &c);
	is_str(in_state(s, CLOUD_GOING), "p/a ", "and does not come back");
	submit(s, record_cloud_remove, &c);
	is_str(in_state(s, (enum cloud_state)0), "", "and is gone");
	test_whole(s, "the totals are right");
}

static void test_versions(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "b", KIND_FILE);
	uint64_t v = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10), next;
	struct cloud_row c = object("p/b", v, 3, 10, CLOUD_VERIFIED), found;
	struct record *r;

	hash(s, v, 3);
	submit(s, record_cloud_set, &c);
	test_state(s, v, VERSION_KEPT, HOW_ASIDE, NULL);
	next = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10);
	test_whole(s, "a version that is over is not counted as uploaded");
	is_int(test_totals(s).uploaded, 0, "not once");
	is_int(store_cloud_of_version(s, v, &found), 0, "its object is still its own");
	hash(s, next, 3);
	is_int(store_cloud_of_version(s, next, &found), 0, "the same content again");
	is_int(found.version, next, "has the object from then on");
	is_int(test_totals(s).uploaded, 1, "and counts");
	test_whole(s, "with right totals");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_grow(r, next, 12, 8);
	test_submit(s, r);
	is_int(store_cloud_of_version(s, next, &found), -ENOENT, "what grew has no object");
	is_str(in_state(s, CLOUD_GOING), "p/b ", "which goes");
	test_whole(s, "with right totals");
	v = test_cut(s, node, VERSION_KEPT, HOW_ASIDE, 10);
	hash(s, v, 7);
	c = object(".tarn/objects/07", 0, 7, 10, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_of_version(s, v, &found), 0, "an object of no version is found by its content");
	is_int(store_cloud_by_hash(s, c.sha256, 10, &found), 0, "by its hash");
	is_int(store_cloud_by_hash(s, c.sha256, 11, &found), -ENOENT, "and size");
	is_int(store_cloud_elsewhere(s, &c, &found), -ENOENT, "but nowhere else");
	c = object("data/other", 0, 7, 10, CLOUD_VERIFIED);
	is_int(store_cloud_elsewhere(s, &c, &found), 0, "from another key it is");
	is_str(found.key, ".tarn/objects/07", "which is told");
	c = object(".tarn/packs/5", 0, 0, 77, CLOUD_VERIFIED);
	c.pack = 5;
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_of_pack(s, 5, &found), 0, "a pack's file");
	ok(!found.hashed && found.size == 77, "and what is known of it");
	test_whole(s, "the totals are right");
}

static void test_needs(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "n", KIND_FILE), other = test_make(s, NODE_ROOT, "o", KIND_FILE);
	uint64_t v = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10), who;
	uint64_t old = test_cut(s, other, VERSION_KEPT, HOW_CLOUD, 10);
	struct cloud_row c = object("p/n", v, 9, 10, CLOUD_VERIFIED), found;

	hash(s, v, 9);
	submit(s, record_cloud_set, &c);
	is_int(store_cloud_need(s, &c, &who), 0, "a file that is here needs no object");
	stub(s, node, true);
	is_int(store_cloud_need(s, &c, &who), 1, "a stub does");
	is_int(who, v, "its own");
	stub(s, node, false);
	hash(s, old, 9);
	is_int(store_cloud_need(s, &c, &who), 1, "so does an old version with that content");
	is_int(who, old, "whoever the object was made for");
	test_state(s, v, VERSION_EXPIRED, HOW_NONE, "gone");
	is_int(store_cloud_of_version(s, old, &found), 0, "when that one is over");
	is_int(found.version, old, "it is handed on");
	ok(strstr(in_state(s, CLOUD_GOING), "p/n") == NULL, "and stays");
	test_state(s, old, VERSION_EXPIRED, HOW_NONE, "gone");
	ok(strstr(in_state(s, CLOUD_GOING), "p/n") != NULL, "until the last one is over");
	test_whole(s, "the totals are right");
}

/* Two old versions with the same content, an object each: who overwrites the one relies on the other. */
static void test_two_at_once(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "t", KIND_FILE);
	uint64_t one = test_cut(s, node, VERSION_KEPT, HOW_CLOUD, 10),
		 two = test_cut(s, node, VERSION_KEPT, HOW_CLOUD, 10);
	struct cloud_row c = object("p/t1", one, 21, 10, CLOUD_VERIFIED), found;
	struct record *r;

	hash(s, one, 21);
	submit(s, record_cloud_set, &c);
	c = object("p/t2", two, 21, 10, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	hash(s, two, 21);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	c = object("p/t1", 9001, 22, 10, CLOUD_INTENT);
	record_cloud_set(r, &c);
	c = object("p/t2", 9002, 23, 10, CLOUD_INTENT);
	record_cloud_set(r, &c);
	test_submit(s, r);
	is_int(store_cloud_by_key(s, "", "p/t1", &found), 0, "of two uploads over the same content");
	is_int(found.state, CLOUD_INTENT, "one may");
	is_int(store_cloud_by_key(s, "", "p/t2", &found), 0, "the other");
	is_int(found.state, CLOUD_VERIFIED, "may not");
	is_int(store_cloud_of_version(s, one, &found), 0, "so that both old versions can be read");
	test_whole(s, "the totals are right");
}

/* A live file of the same content lay in the series: its object is its own. */
static void test_of_another_file(struct store *s)
{
	uint64_t a = test_make(s, NODE_ROOT, "x", KIND_FILE), b = test_make(s, NODE_ROOT, "y", KIND_FILE), v, w;
	struct cloud_row c, found;
	struct record *r;

	v = test_cut(s, a, VERSION_LIVE, HOW_NONE, 10);
	w = test_cut(s, b, VERSION_LIVE, HOW_NONE, 10);
	hash(s, v, 31);
	hash(s, w, 31);
	c = object("p/x", v, 31, 10, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	c = object("p/y", w, 31, 10, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	stub(s, a, true);
	stub(s, b, true);
	r = record_new(OP_EXCHANGE, RUN_TARN, 0, a, NODE_ROOT, "y");
	record_entry_end(r, NODE_ROOT, "x", ENDED_RENAME);
	record_entry_end(r, NODE_ROOT, "y", ENDED_RENAME);
	record_entry_add(r, NODE_ROOT, "y", a);
	record_entry_add(r, NODE_ROOT, "x", b);
	record_series_take(r, a, b);
	record_series_take(r, b, a);
	test_submit(s, r);
	is_int(store_cloud_of_version(s, v, &found), 0, "two stubs of the same content exchange their names");
	is_int(store_cloud_of_version(s, w, &found), 0, "and both have an object");
	stub(s, a, false);
	stub(s, b, false);
	test_whole(s, "the store is whole");
}

/* What was kept relies on the object of a file with that content, which then grows. */
static void test_heir(struct store *s)
{
	uint64_t a = test_make(s, NODE_ROOT, "h", KIND_FILE), b = test_make(s, NODE_ROOT, "i", KIND_FILE);
	uint64_t v = test_cut(s, a, VERSION_LIVE, HOW_NONE, 10), old = test_cut(s, b, VERSION_KEPT, HOW_CLOUD, 10);
	uint64_t next;
	struct cloud_row c = object("p/h", v, 41, 10, CLOUD_VERIFIED), found;
	struct record *r;

	hash(s, v, 41);
	hash(s, old, 41);
	submit(s, record_cloud_set, &c);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_grow(r, v, 12, 8);
	test_submit(s, r);
	is_int(store_cloud_of_version(s, old, &found), 0,
	       "an old version with the content that a file had before it grew");
	is_int(found.version, old, "has its object from then on");
	is_int(store_cloud_of_version(s, v, &found), -ENOENT, "and that file none");
	next = test_cut(s, b, VERSION_LIVE, HOW_NONE, 10);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_facts(r, next, c.sha256, NULL);
	record_cloud_hand_over(r, old, next);
	test_submit(s, r);
	is_int(store_cloud_of_version(s, next, &found), 0, "handed over, it is the next one's");
	is_int(found.version, next, "its own");
	test_whole(s, "the totals are right");
}

static void test_stubs(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "c", KIND_FILE);
	uint64_t v = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10);
	struct cloud_row c = object("p/c", v, 4, 10, CLOUD_VERIFIED);
	struct store_totals t;
	struct node_row n;
	struct record *r;
	struct fhandle h = test_handle(node + 1001);

	submit(s, record_cloud_set, &c);
	is_int(store_node(s, node, &n), 0, "a file");
	ok(!n.stub && !n.pin && n.opened > 0, "is here, not pinned, and was made at a known time");
	stub(s, node, true);
	is_int(store_node_by_handle(s, 0, &h, 0, NULL, &n, NULL), 0, "a stub is found by its own handle");
	ok(n.stub && n.id == node, "and is known as one");
	t = test_totals(s);
	ok(t.stubs == 1 && t.stub_bytes == 10, "and counted");
	n.size = 12;
	n.mode = 0100600;
	r = record_new(OP_ATTR, RUN_TARN, 0, node, 0, NULL);
	record_node_set(r, &n);
	record_node_pin(r, node, true);
	test_submit(s, r);
	store_node(s, node, &n);
	ok(n.stub && n.pin, "attributes leave it one, and it can be pinned");
	test_whole(s, "the totals follow its size");
	test_rename(s, NODE_ROOT, "c", "d", node);
	test_whole(s, "and its name");
	test_unlink(s, NODE_ROOT, "d", node);
	is_int(test_totals(s).stubs, 0, "one without a name is none");
	test_whole(s, "in the totals");
	node = test_make(s, NODE_ROOT, "e", KIND_FILE);
	v = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10);
	c = object("p/e", v, 4, 10, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	stub(s, node, true);
	stub(s, node, false);
	stub(s, node, false);
	is_int(test_totals(s).stubs, 0, "nor one that is here again");
	test_whole(s, "in the totals");
	stub(s, node, true);
	submit(s, record_cloud_remove, &c);
	{
		_cleanup_buf_ struct buf why = BUF_INIT;

		is_int(store_check(s, true, &why), -EUCLEAN, "a stub whose object is not known is damage");
		diag("%s", buf_str(&why));
	}
	stub(s, node, false);
}

static int cold(void *arg, const struct cold_row *c)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%d%s%s%s ", (int)c->size, c->pin ? "p" : "",
		 c->uploaded ? "u" : "", c->hashed ? "h" : "");
	return 0;
}

static const char *leaving(struct store *s, int64_t before)
{
	listed[0] = 0;
	is_int(store_cold(s, before, cold, NULL), 0, "files that may leave");
	return listed;
}

static void test_cold(void)
{
	static const uint64_t sizes[] = {3, 30, 20};
	struct store *s;
	uint64_t nodes[3], versions[3];
	struct cloud_row c;
	struct node_row n;
	struct record *r;

	test_remove_store();
	s = test_open(STORE_CREATE);
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		nodes[i] = test_make(s, NODE_ROOT, name, KIND_FILE);
		versions[i] = test_cut(s, nodes[i], VERSION_LIVE, HOW_NONE, sizes[i]);
		store_node(s, nodes[i], &n);
		n.size = sizes[i];
		r = record_new(OP_ATTR, RUN_TARN, 0, nodes[i], 0, NULL);
		record_node_set(r, &n);
		test_submit(s, r);
	}
	test_make(s, NODE_ROOT, "uncut", KIND_FILE);
	is_str(leaving(s, INT64_MAX), "30 20 3 ", "of one hour, the larger ones first");
	is_str(leaving(s, 1), "", "none that was opened later");
	store_close(s);
	test_sql(test_path, "UPDATE node SET opened = opened - 7200000000000 WHERE size IN (3, 20)");
	s = test_open(STORE_WRITE);
	is_str(leaving(s, INT64_MAX), "20 3 30 ", "those first that were opened least recently");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_opens(r, nodes[2], 1);
	record_node_pin(r, nodes[1], true);
	test_submit(s, r);
	is_str(leaving(s, INT64_MAX), "3 30p 20 ", "an open makes it warm");
	c = object("p/0", versions[0], 0, 3, CLOUD_VERIFIED);
	submit(s, record_cloud_set, &c);
	hash(s, versions[2], 5);
	is_str(leaving(s, INT64_MAX), "3u 30p 20h ", "what is known of each");
	stub(s, nodes[0], true);
	test_unlink(s, NODE_ROOT, "2", nodes[2]);
	is_str(leaving(s, INT64_MAX), "30p ", "neither a stub nor what has no name");
	test_whole(s, "the store is whole");
	store_close(s);
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_upload(s);
	test_versions(s);
	test_needs(s);
	test_two_at_once(s);
	test_of_another_file(s);
	test_heir(s);
	test_stubs(s);
	store_close(s);
	test_cold();
	return test_end();
}
