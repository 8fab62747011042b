/*
 * Uploads, and objects that follow, are spared and go: with a crash between any two steps, a remote that fails, and
 * files that change meanwhile.
 */
#include "test_work.h"

#include <sys/wait.h>

#include "base/full_io.h"
#include "content/cloud/frames.h"
#include "content/cloud/stub.h"
#include "work/cloud/cloud.h"

#ifdef __SANITIZE_THREAD__
/* A lake that dies is a process of its own, forked from one that has threads. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}
#endif

static char remote[160];

static void set_up(const char *tier)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml),
		 "storage: {min_age: 0}\nbuckets: {data: {tier: %s}, zip: {tier: local, compress: zstd}}\n"
		 "hybrid_storage: {cloud_provider: dir, cloud_path: \"%s\", cloud_prefix: p, cloud_allow_same_disk: "
		 "true}\n",
		 tier, remote);
	set_settings(yaml);
}

static const char *object(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/p/data/%s", remote, name);
	return path;
}

static bool has(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char got[256];
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got));

	return n == (ssize_t)strlen(text) && !memcmp(got, text, (size_t)n);
}

static struct cloud_row object_of(const char *path)
{
	struct version_row v = live_version(path);
	struct cloud_row c = {.state = (enum cloud_state)0};

	store_barrier(lake->store, 0);
	if (store_cloud_of_version(lake->store, v.id, &c) < 0)
		c.state = (enum cloud_state)0;
	return c;
}

/* ---- one step after the other, without the threads ---- */

/* What work_start() makes, without threads. */
static struct work *idle_work(void)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->lake = lake;
	w->claims = claims_new();
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

static void free_work(struct work *w)
{
	claims_free(w->claims);
	free(w);
}

/* What happens between a parcel's making and its intent; NULL: nothing. */
static void (*between)(void);

/* As the pool does it, for one file. */
static int upload(const char *path)
{
	struct work *w = idle_work();
	struct tier *t = lake_tier(lake);
	struct version_row v = live_version(path);
	struct upload u = {.node = v.node, .version = v.id, .size = v.size};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct parcel *p = NULL;
	int rc = parcel_new(w, t, &u, r, &p);

	if (rc) {
		record_free(r);
	} else {
		if (between)
			between();
		store_submit(lake->store, r, NULL);
		store_sync(lake->store, 0);
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		rc = parcel_check(p);
		if (!rc)
			rc = parcel_send(p, r);
		store_submit(lake->store, r, NULL);
		store_barrier(lake->store, 0);
	}
	parcel_free(p);
	tier_unref(t);
	free_work(w);
	return rc;
}

static int tend_once(void)
{
	struct work *w = idle_work();
	struct tier *t = lake_tier(lake);
	int rc = move_keys(w, t);

	if (rc >= 0)
		rc = cloud_collect(w, t);
	tier_unref(t);
	free_work(w);
	return rc;
}

static enum cloud_step die_at;

static void die(enum cloud_step step)
{
	if (step == die_at)
		_exit(9);
}

/* FN in a process that dies at STEP, with a lake of its own; then the lake is opened again here. */
static bool dies(enum cloud_step step, void (*fn)(void))
{
	int status;
	pid_t child;

	close_lake();
	fflush(stdout);
	child = fork();
	if (!child) {
		die_at = step;
		cloud_step_hook = die;
		open_lake();
		fn();
		_exit(0);
	}
	waitpid(child, &status, 0);
	open_lake();
	return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

static void upload_a(void)
{
	upload("data/a");
}

static void tend(void)
{
	tend_once();
}

/* The plain file changes, and its version is cut, as a writer on the mount does it. */
static void change(const char *path, const char *text)
{
	struct inode *inode;

	overwrite(path, text);
	inode = look_up(path);
	inode_settle(lake, inode);
	inode_unref(lake, inode);
	store_barrier(lake->store, 0);
}

static void take_in(const char *path)
{
	inode_unref(lake, look_up(path));
	store_barrier(lake->store, 0);
}

static void test_crashes(void)
{
	static const char *const what[] = {"nothing", "with its intent", "when it was sent", "when it was looked at"};

	for (enum cloud_step step = STEP_INTENT; step <= STEP_LOOKED; step++) {
		char text[32];

		snprintf(text, sizeof(text), "content %d", step);
		change("data/a", text);
		ok(dies(step, upload_a), "an upload dies %s", what[step]);
		is_int(object_of("data/a").state, 0, "its object is not relied on");
		is_int(upload("data/a"), 0, "the next one");
		is_int(object_of("data/a").state, CLOUD_VERIFIED, "ends it");
		ok(has(object("a"), text), "and the object is the content");
	}
	is_int(totals().cloud_intents, 0, "no intent is left");
}

static void test_changes(void)
{
	struct handle *h;

	change("data/a", "before");
	is_int(upload("data/a"), 0, "a file is uploaded");
	is_int(upload("data/a"), 1, "once");
	h = open_as_mount("data/a", O_WRONLY);
	is_int(upload("data/a"), 1, "what is in the cloud already may be written");
	handle_close(lake, h);
	change("data/a", "after");
	h = open_as_mount("data/a", O_WRONLY);
	is_int(upload("data/a"), -EBUSY, "what is being written is not uploaded");
	handle_close(lake, h);
	put_file(in_lake("buckets/data/a"), "behind its back");
	is_int(upload("data/a"), 1, "nor what was changed behind the mount");
	ok(has(object("a"), "before"), "the object is as it was");
}

static void test_foreign(void)
{
	struct cloud_row c;

	put_file(in_lake("buckets/data/b"), "ours");
	take_in("data/b");
	put_file(object("b"), "theirs");
	is_int(upload("data/b"), 0, "a file whose key somebody else has");
	ok(has(object("b"), "theirs"), "leaves it alone");
	c = object_of("data/b");
	ok(c.state == CLOUD_VERIFIED && strstr(c.key, ".tarn/objects/"), "and has its object elsewhere");
	change("data/a", "mine once more");
	put_file(object("a"), "somebody's change");
	is_int(upload("data/a"), 0, "one whose object somebody has changed");
	ok(has(object("a"), "somebody's change"), "leaves that alone, too");
}

/* The object of NAME becomes the only bytes of an old version: its file has TEXT next. */
static struct version_row cloud_only(const char *name, const char *old, const char *text)
{
	struct version_row v;
	struct record *r;
	char path[64];

	snprintf(path, sizeof(path), "data/%s", name);
	put_file(in_lake("buckets/%s", path), old);
	take_in(path);
	is_int(upload(path), 0, "a version is uploaded");
	v = live_version(path);
	change(path, text);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_how(r, v.id, HOW_CLOUD, 0);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
	return v;
}

static char victim[64];

static void upload_victim(void)
{
	upload(victim);
}

static bool can_be_read(const struct version_row *v, const char *text)
{
	struct cloud_row c;
	char path[CLOUD_KEY_BYTES + 200];

	if (store_cloud_of_version(lake->store, v->id, &c) < 0 || c.state != CLOUD_VERIFIED)
		return false;
	snprintf(path, sizeof(path), "%s/%s", remote, c.key);
	if (!has(path, text)) {
		/* keys below .tarn/ have another name in a folder */
		_cleanup_tier_ struct tier *t = lake_tier(lake);
		struct tier_head head;

		return !tier_head(t, c.key, NULL, &head) && head.size == strlen(text) && cloud_is(&head, &c);
	}
	return true;
}

static void test_spared(void)
{
	for (enum cloud_step step = STEP_COPY_INTENT; step <= STEP_SPARED; step++) {
		char name[16], old[32], new[32];
		struct version_row v;

		snprintf(name, sizeof(name), "s%d", step);
		snprintf(old, sizeof(old), "old content %d", step);
		snprintf(new, sizeof(new), "new content %d", step);
		snprintf(victim, sizeof(victim), "data/%s", name);
		v = cloud_only(name, old, new);
		ok(can_be_read(&v, old), "an old version in the cloud can be read");
		ok(dies(step, upload_victim), "an upload over its object dies at step %d", step);
		ok(can_be_read(&v, old), "then it still can");
		is_int(upload(victim), 0, "the next upload");
		ok(has(object(name), new), "puts the new content there");
		ok(can_be_read(&v, old), "and the old one can be read");
	}
}

static void forget_name(const char *path)
{
	struct node_row n = node_at(path), folder = node_at("data");
	struct record *r = record_new(OP_UNLINK, RUN_TARN, 0, n.id, folder.id, strrchr(path, '/') + 1);

	unlink(in_lake("buckets/%s", path));
	if (n.version)
		record_version_state(r, n.version, VERSION_NOT_KEPT, HOW_NONE, "gone");
	record_entry_end(r, folder.id, strrchr(path, '/') + 1, ENDED_UNLINK);
	record_node_end(r, n.id);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

static void test_removed(void)
{
	struct version_row v;

	put_file(in_lake("buckets/data/gone"), "soon gone");
	take_in("data/gone");
	is_int(upload("data/gone"), 0, "a file");
	forget_name("data/gone");
	ok(dies(STEP_REMOVED, tend), "its object goes with it, and a crash comes before that is recorded");
	ok(access(object("gone"), F_OK) < 0, "the object is gone");
	is_int(totals().cloud_going, 1, "the store does not know");
	is_int(tend_once(), 1, "it is removed again");
	is_int(totals().cloud_going, 0, "and that is recorded");
	v = cloud_only("needed", "still needed", "not needed");
	forget_name("data/needed");
	tend_once();
	tend_once();
	ok(can_be_read(&v, "still needed"), "what an old version needs stays");
	ok(access(object("needed"), F_OK) < 0, "but not under a name that no file has");
}

/* ---- two at once ---- */

static void rename_file(const char *from, const char *to)
{
	struct inode *inode = look_up(from), *folder = look_up("data");
	struct record *r = record_new(OP_RENAME, RUN_TARN, 0, inode->id, folder->id, to + 5);

	rename(in_lake("buckets/%s", from), in_lake("buckets/%s", to));
	record_entry_end(r, folder->id, from + 5, ENDED_RENAME);
	record_entry_add(r, folder->id, to + 5, inode->id);
	inode_set_name(lake, inode, folder, to + 5, folder->bucket);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
	inode_unref(lake, inode);
	inode_unref(lake, folder);
}

/* PATH has TEXT, and is in the cloud. */
static struct version_row make_uploaded(const char *path, const char *text)
{
	put_file(in_lake("buckets/%s", path), text);
	take_in(path);
	is_int(upload(path), 0, "a file is uploaded");
	return live_version(path);
}

/* FN once, at STEP. */
static enum cloud_step act_at;
static void (*act)(void);

static void act_once(enum cloud_step step)
{
	void (*fn)(void) = act;

	if (step != act_at || !fn)
		return;
	act = NULL;
	fn();
}

static void at_step(enum cloud_step step, void (*fn)(void))
{
	act_at = step;
	act = fn;
	cloud_step_hook = fn ? act_once : NULL;
}

static void evict_path(const char *path)
{
	struct inode *inode = look_up(path);

	stub_evict(lake, inode);
	inode_unref(lake, inode);
	store_barrier(lake->store, 0);
}

static void evict_g(void)
{
	evict_path("data/g");
}

static bool object_is_at(const char *path, const char *name)
{
	struct cloud_row c = object_of(path);
	char key[64];

	snprintf(key, sizeof(key), "p/data/%s", name);
	return c.state == CLOUD_VERIFIED && !strcmp(c.key, key);
}

/* Its object is to be removed, as far as is known. */
static void record_going(const struct version_row *v)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct cloud_row c;

	if (store_cloud_of_version(lake->store, v->id, &c) < 0)
		bail_out("an object");
	c.state = CLOUD_GOING;
	record_cloud_set(r, &c);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

/*
 * What an old version needs by its content is also the live file's only object, which is here when its key is taken,
 * and leaves a moment later.
 */
static void test_evicted_meanwhile(void)
{
	struct version_row old = cloud_only("old", "the same content", "something else"), v;

	v = make_uploaded("data/f1", "the same content");
	forget_name("data/old");
	tend_once();
	tend_once();
	rename_file("data/f1", "data/g");
	put_file(in_lake("buckets/data/f1"), "another file under that name");
	take_in("data/f1");
	at_step(STEP_COPY_INTENT, evict_g);
	upload("data/f1");
	evict_g();
	at_step(STEP_LAST, NULL);
	upload("data/f1");
	ok(node_at("data/g").stub, "a file leaves while another one takes the key of its object");
	ok(can_be_read(&v, "the same content"), "its bytes are there");
	is_int(object_of("data/g").version, v.id, "in an object of its own");
	ok(can_be_read(&old, "the same content"), "and the old version can be read");
	ok(has(object("f1"), "another file under that name"), "the key has the other's content");
}

static void upload_second(void)
{
	upload("data/second");
}

/* Two objects go; sparing the first one takes a while, and meanwhile another file takes the key of the second. */
static void test_taken_again(void)
{
	struct version_row old = cloud_only("first", "an old version's", "not uploaded"), v;

	make_uploaded("data/second", "soon gone");
	forget_name("data/first");
	forget_name("data/second");
	put_file(in_lake("buckets/data/second"), "here again");
	take_in("data/second");
	record_going(&old);
	at_step(STEP_COPIED, upload_second);
	tend_once();
	at_step(STEP_LAST, NULL);
	v = live_version("data/second");
	is_int(object_of("data/second").version, v.id, "a key is taken again while its object is being removed");
	ok(has(object("second"), "here again"), "what lies there then stays");
	tend_once();
	ok(has(object("second"), "here again"), "later, too");
	ok(can_be_read(&old, "an old version's"), "as does what was spared");
}

static void rename_before_intent(void)
{
	rename_file("data/n1", "data/n2");
}

static void rename_again(void)
{
	rename_file("data/m2", "data/m3");
}

static void test_renamed_meanwhile(void)
{
	struct version_row v = make_uploaded("data/m1", "wanders");

	rename_file("data/m1", "data/m2");
	at_step(STEP_COPIED, rename_again);
	tend_once();
	at_step(STEP_LAST, NULL);
	ok(can_be_read(&v, "wanders"), "a file is renamed again while its object follows");
	tend_once();
	tend_once();
	ok(has(object("m3"), "wanders"), "it has its object under its last name");
	ok(access(object("m1"), F_OK) < 0 && access(object("m2"), F_OK) < 0, "and no other");
	put_file(in_lake("buckets/data/n1"), "called otherwise");
	take_in("data/n1");
	between = rename_before_intent;
	is_int(upload("data/n1"), 0, "a file is renamed before the intent to upload it is recorded");
	between = NULL;
	tend_once();
	ok(has(object("n2"), "called otherwise"), "its object follows");
}

static void test_moving_stub(void)
{
	for (enum cloud_step step = STEP_COPY_INTENT; step <= STEP_COPIED; step++) {
		struct version_row v = make_uploaded("data/w1", step == STEP_COPIED ? "stub one" : "stub two");

		evict_path("data/w1");
		rename_file("data/w1", "data/w2");
		ok(dies(step, tend), "a crash comes while a stub's object follows its name");
		ok(can_be_read(&v, step == STEP_COPIED ? "stub one" : "stub two"), "it can be read");
		tend_once();
		tend_once();
		ok(object_is_at("data/w2", "w2"), "the next start has it follow");
		is_int(totals().cloud_intents, 0, "and nothing is left");
		unlink(in_lake("buckets/data/w2"));
		forget_name("data/w2");
		tend_once();
		tend_once();
	}
}

/* ---- compressed ---- */

static void put_text(const char *path, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	while (b.len < len)
		buf_addf(&b, "line %zu of %s\n", b.len, path);
	put_file(in_lake("buckets/%s", path), buf_str(&b));
	take_in(path);
}

static bool has_key(const char *path, const char *key, bool compressed)
{
	struct cloud_row c = object_of(path);

	return c.state == CLOUD_VERIFIED && !!c.compress == compressed && (c.stored < c.size) == compressed &&
	       !strcmp(c.key, key);
}

static int add_bytes(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return buf_error(arg);
}

/* Its object is the file that lies here. */
static bool is_whole(const char *path)
{
	_cleanup_buf_ struct buf there = BUF_INIT, here = BUF_INIT;
	_cleanup_tier_ struct tier *t = lake_tier(lake);
	struct cloud_row c = object_of(path);

	return !read_file_at(AT_FDCWD, in_lake("buckets/%s", path), &here) &&
	       !frames_get_whole(t, &c, add_bytes, &there, NULL) && here.len == there.len &&
	       !memcmp(here.data, there.data, here.len);
}

/* As the pool: again when it was busy. */
static void upload_zip(void)
{
	for (int i = 0; i < 100 && upload("zip/c"); i++)
		usleep(20000);
}

static void test_compressed(void)
{
	struct inode *inode;

	put_text("zip/a", 50000);
	is_int(upload("zip/a"), 0, "a file of a bucket that compresses");
	ok(has_key("zip/a", "p/zip/a.zst", true) && is_whole("zip/a"),
	   "is smaller in the cloud, under a name that says so");
	put_text("zip/large", 3 << 20);
	is_int(upload("zip/large"), 0, "a large one");
	ok(has_key("zip/large", "p/zip/large.zst", true) && is_whole("zip/large"), "too");
	put_file(in_lake("buckets/zip/tiny"), "little");
	take_in("zip/tiny");
	is_int(upload("zip/tiny"), 0, "a tiny one");
	ok(has_key("zip/tiny", "p/zip/tiny", false), "is as it is");
	put_text("zip/b.zst", 5000);
	put_text("zip/b", 5000);
	is_int(upload("zip/b"), 0, "one whose name there would be another file's");
	ok(has_key("zip/b", "p/zip/b", false), "is as it is");
	ok(dies(STEP_SENT, (put_text("zip/c", 60000), upload_zip)), "an upload dies");
	is_int(upload("zip/c"), 0, "the next one");
	ok(has_key("zip/c", "p/zip/c.zst", true) && is_whole("zip/c"), "ends it");
	put_text("zip/c.zst", 5000);
	is_int(upload("zip/c.zst"), 0, "a file comes that is called as another's object");
	ok(has_key("zip/c.zst", "p/zip/c.zst.zst", true), "it has its own");
	put_text("zip/a.zst", 900);
	is_int(upload("zip/a.zst"), 0, "another one needs the very name");
	ok(has_key("zip/a.zst", "p/zip/a.zst", false) && is_whole("zip/a.zst"), "and gets it");
	ok(strstr(object_of("zip/a").key, "p/.tarn/objects/") && strstr(object_of("zip/a").key, ".zst") &&
		   is_whole("zip/a"),
	   "the compressed one is spared, and its name tells what it is");
	inode = look_up("zip/large");
	is_int(stub_evict(lake, inode), 0, "one that is compressed there leaves");
	is_int(stub_recall(lake, inode, NULL), 0, "and comes back");
	inode_unref(lake, inode);
	ok(is_whole("zip/large"), "as it was");
}

static void test_failing(void)
{
	put_file(in_lake("buckets/data/f"), "fails");
	take_in("data/f");
	chmod(object(""), 0);
	if (geteuid()) {
		ok(upload("data/f") < 0, "a remote that refuses");
		is_int(object_of("data/f").state, 0, "has nothing");
	}
	chmod(object(""), 0755);
	is_int(upload("data/f"), 0, "later it has");
}

int main(void)
{
	test_begin("");
	snprintf(remote, sizeof(remote), "%s-remote", test_lake);
	make_folder(remote);
	set_up("local");
	make_folder(in_lake("buckets/data"));
	put_file(in_lake("buckets/data/a"), "first");
	open_lake();
	take_in("data/a");
	test_crashes();
	test_changes();
	test_foreign();
	test_spared();
	test_removed();
	test_evicted_meanwhile();
	test_taken_again();
	test_renamed_meanwhile();
	test_moving_stub();
	make_folder(in_lake("buckets/zip"));
	test_compressed();
	test_failing();
	close_lake();
	remove_tree(remote);
	return test_end();
}
