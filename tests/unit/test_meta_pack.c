/*
 * Packs and their objects, versions that were cut for nothing, and why versions are not kept.
 */
#include "test_meta.h"

static void fill_hash(uint8_t *sha256, int seed)
{
	memset(sha256, seed, SHA256_BYTES);
}

static void add_object(struct store *s, int seed, uint64_t pack, uint64_t offset)
{
	struct object_row o = {.size = 100, .pack = pack, .offset = offset, .length = 10};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	fill_hash(o.sha256, seed);
	record_object_set(r, &o);
	test_submit(s, r);
}

static char listed[256];

static int list_pack(void *arg, const struct pack_row *p)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%d:%d/%d/%d/%d/%d ", (int)p->id, p->volume, (int)p->bytes,
		 p->state, (int)p->objects, (int)p->object_bytes);
	return 0;
}

static int list_object(void *arg, const struct object_row *o)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%d@%d ", o->sha256[0], (int)o->offset);
	return 0;
}

static int list_version(void *arg, const struct version_row *v)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%d ", (int)v->number);
	return 0;
}

static const char *packs(struct store *s)
{
	listed[0] = 0;
	is_int(store_packs(s, list_pack, NULL), 0, "packs are listed");
	return listed;
}

static void test_packs(struct store *s)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct object_row o;
	struct cloud_row c = {.key = "packs/1", .pack = 1, .size = 480, .stored = 480};
	struct pack_totals totals;
	uint8_t sha256[SHA256_BYTES];

	record_pack_set(r, &(struct pack_row){.id = 1, .volume = 0, .bytes = 500, .state = PACK_HERE});
	record_pack_set(r, &(struct pack_row){.id = 2, .volume = 3, .bytes = 600, .state = PACK_AWAY});
	test_submit(s, r);
	add_object(s, 7, 1, 90);
	add_object(s, 8, 1, 20);
	is_str(packs(s), "1:0/500/1/2/20 2:3/600/2/0/0 ", "with what they hold");
	listed[0] = 0;
	store_objects(s, 1, list_object, NULL);
	is_str(listed, "8@20 7@90 ", "the objects of one, in their order");
	fill_hash(sha256, 8);
	is_int(store_object(s, sha256, &o), 0, "an object by its hash");
	ok(o.pack == 1 && o.offset == 20 && o.length == 10 && o.size == 100 && o.sha256[31] == 8, "and where it is");
	add_object(s, 8, 2, 0);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_pack_set(r, &(struct pack_row){.id = 1, .volume = 0, .bytes = 480, .state = PACK_STAYS});
	test_submit(s, r);
	is_str(packs(s), "1:0/480/3/1/10 2:3/600/2/1/10 ", "an object moves, a pack changes");
	is_int(store_pack_totals(s, &totals), 0, "the totals");
	ok(totals.packs == 1 && totals.bytes == 480 && totals.objects == 2 && totals.content_bytes == 200,
	   "of packs and what is in them");
	ok(totals.staying == 1 && totals.staying_bytes == 480, "of those that stay");
	ok(totals.away == 1 && totals.away_bytes == 600, "and of those in the cloud");
	c.state = CLOUD_VERIFIED;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_cloud_set(r, &c);
	test_submit(s, r);
	is_int(store_cloud_of_pack(s, 1, &c), 0, "a pack's object");
	is_int((int64_t)test_totals(s).cloud, 1, "is counted");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_pack_remove(r, 1);
	record_object_remove(r, sha256);
	test_submit(s, r);
	is_str(packs(s), "2:3/600/2/0/0 ", "a pack goes with its objects");
	is_int(store_object(s, sha256, &o), -ENOENT, "an object goes alone");
	is_int(store_cloud_of_pack(s, 1, &c), -ENOENT, "its object in the cloud is not relied on any more");
	is_int(store_cloud_by_key(s, "", "packs/1", &c), 0, "and known");
	is_int(c.state, CLOUD_GOING, "to be removed");
	ok(test_totals(s).cloud_going == 1 && !test_totals(s).cloud, "and counted so");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_cloud_remove(r, &c);
	test_submit(s, r);
}

/* 1 is used by a version and builds on 2, which builds on 3; nothing needs 4, but it builds on 3. */
static void test_unused(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "unused", KIND_FILE), version;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct object_row o = {.pack = 9, .length = 10};
	uint8_t sha256[SHA256_BYTES];

	record_pack_set(r, &(struct pack_row){.id = 9, .bytes = 500, .state = 1});
	for (int i = 1; i <= 4; i++) {
		fill_hash(o.sha256, 100 + i);
		o.offset = (uint64_t)i * 10;
		o.has_base = i != 3;
		fill_hash(o.base, i == 1 ? 102 : 103);
		record_object_set(r, &o);
	}
	test_submit(s, r);
	version = test_cut(s, file, VERSION_KEPT, HOW_PACKED, 5);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	fill_hash(sha256, 101);
	record_version_facts(r, version, sha256, NULL);
	test_submit(s, r);
	is_int(store_object(s, sha256, &o), 0, "an object with a base");
	ok(o.has_base && o.base[5] == 102, "which is told");
	fill_hash(sha256, 103);
	store_object(s, sha256, &o);
	ok(!o.has_base, "another has none");
	listed[0] = 0;
	store_objects_on(s, sha256, list_object, NULL);
	ok(strstr(listed, "102@20 ") && strstr(listed, "104@40 ") && strlen(listed) == 14, "but is the base of two");
	listed[0] = 0;
	store_objects_unused(s, list_object, NULL);
	is_str(listed, "104@40 ", "what neither a version nor another needs is unused");
	test_state(s, version, VERSION_EXPIRED, HOW_PACKED, "old");
	listed[0] = 0;
	store_objects_unused(s, list_object, NULL);
	is_str(listed, "104@40 ", "an expired version may be needed by others");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_how(r, version, HOW_NONE, 0);
	test_submit(s, r);
	listed[0] = 0;
	store_objects_unused(s, list_object, NULL);
	ok(strstr(listed, "101@10 ") && strstr(listed, "104@40 ") && strlen(listed) == 14, "until it is not");
}

static void test_growing(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "grows", KIND_FILE),
		 live = test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct store_totals before = test_totals(s);

	record_version_packed(r, live, 4, 3);
	test_submit(s, r);
	is_int(test_version(s, live).how, HOW_NONE, "a version that grew since is not what was packed");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_packed(r, live, 5, 3);
	test_submit(s, r);
	ok(test_version(s, live).how == HOW_PACKED && test_version(s, live).stored == 3, "one that did not is");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_grow(r, live, 9, 0);
	test_submit(s, r);
	ok(test_version(s, live).how == HOW_NONE && !test_version(s, live).stored, "until it grows");
	is_int(test_totals(s).stored_bytes, before.stored_bytes, "and the totals know");
}

static void test_kept_after(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "after", KIND_FILE), one, two;
	struct version_row v;

	one = test_cut(s, file, VERSION_KEPT, HOW_ASIDE, 5);
	two = test_cut(s, file, VERSION_KEPT, HOW_ASIDE, 5);
	v = test_version(s, one);
	listed[0] = 0;
	store_kept_after(s, v.end_commit, v.id, 10, list_version, NULL);
	is_str(listed, "2 ", "kept after the first: the second");
	listed[0] = 0;
	store_kept_after(s, v.end_commit, v.id - 1, 10, list_version, NULL);
	is_str(listed, "1 2 ", "in the order of their ends, then of their ids");
	listed[0] = 0;
	store_kept_after(s, v.end_commit, v.id - 1, 1, list_version, NULL);
	is_str(listed, "1 ", "not more than asked for");
	v = test_version(s, two);
	listed[0] = 0;
	store_kept_after(s, v.end_commit, v.id, 10, list_version, NULL);
	is_str(listed, "", "nothing after the last");
}

static void set_hash(struct store *s, uint64_t version, int seed)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint8_t sha256[SHA256_BYTES];

	fill_hash(sha256, seed);
	record_version_facts(r, version, sha256, NULL);
	test_submit(s, r);
}

static void test_versions_packed(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "packed", KIND_FILE);
	uint64_t one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	uint8_t sha256[SHA256_BYTES];
	struct record *r;

	set_hash(s, one, 77);
	fill_hash(sha256, 77);
	listed[0] = 0;
	store_versions_packed(s, sha256, list_version, NULL);
	is_str(listed, "", "a version that is not in a pack");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_how(r, one, HOW_PACKED, 3);
	test_submit(s, r);
	is_int(store_versions_packed(s, sha256, list_version, NULL), 0, "the versions that an object is needed for");
	is_str(listed, "1 ", "live ones, too");
}

static int list_reason(void *arg, const char *reason, uint64_t count)
{
	size_t len = strlen(listed);

	(void)arg;
	snprintf(listed + len, sizeof(listed) - len, "%s:%d ", reason, (int)count);
	return 0;
}

static const char *reasons(struct store *s)
{
	listed[0] = 0;
	is_int(store_not_kept(s, list_reason, NULL), 0, "reasons are listed");
	return listed;
}

static void test_reasons(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "reasons", KIND_FILE), one, two;
	struct version_row v = {.id = store_new_version(s),
				.node = file,
				.state = VERSION_NOT_KEPT,
				.settled = true,
				.reason = "born so"};
	struct record *r = record_new(OP_WRITE, RUN_TARN, 0, file, 0, NULL);

	record_version_add(r, &v);
	test_submit(s, r);
	is_str(test_version(s, v.id).reason, "born so", "a version that is cut without its bytes says why");
	one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	test_state(s, one, VERSION_NOT_KEPT, HOW_NONE, "too large");
	two = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	test_state(s, two, VERSION_NOT_KEPT, HOW_NONE, "too large");
	is_str(reasons(s), "too large:2 born so:1 ", "the most frequent first");
	test_state(s, two, VERSION_PURGED, HOW_NONE, "purged");
	test_state(s, one, VERSION_NOT_KEPT, HOW_NONE, "another");
	is_str(reasons(s), "another:1 born so:1 ", "reasons change");
	test_whole(s, "and are counted right");
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_reasons(s);
	test_packs(s);
	test_unused(s);
	test_growing(s);
	test_kept_after(s);
	test_versions_packed(s);
	test_whole(s, "the store is whole");
	store_close(s);
	return test_end();
}
