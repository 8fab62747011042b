/*
 * Stubs without a mount: what an eviction asks for, what it leaves, what a recall brings back; whose a placeholder is;
 * what a crash between the steps leaves.
 */
#include <sys/xattr.h>

#include "test_stub.h"

static struct stat lstat_of(const char *path)
{
	struct stat st = {0};

	lstat(in_lake("buckets/%s", path), &st);
	return st;
}

static bool has_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(in_lake("buckets/%s", path), O_RDONLY | O_NOFOLLOW);
	char bytes[256] = "";

	return fd >= 0 && read(fd, bytes, sizeof(bytes) - 1) >= 0 && !strcmp(bytes, text);
}

/* One that lies in the bucket, is hashed, and is in the cloud. */
static void make_sent(const char *path, const char *text)
{
	put_file(in_lake("buckets/%s", path), text);
	run_lake();
	stop_work();
	if (!send_object(path))
		ok(false, "%s is sent", path);
}

static void test_there_and_back(void)
{
	struct stat before, stub;
	struct inode *inode;
	char target[80] = "";

	put_file(in_lake("buckets/b/a.txt"), "some bytes");
	chmod(in_lake("buckets/b/a.txt"), 0640);
	setxattr(in_lake("buckets/b/a.txt"), "user.note", "n", 1, 0);
	run_lake();
	stop_work();
	before = lstat_of("b/a.txt");
	is_int(evict("b/a.txt"), -ENODATA, "what the cloud has not does not leave");
	ok(send_object("b/a.txt"), "it is sent");
	is_int(evict("b/a.txt"), 0, "it leaves");
	ok(is_stub("b/a.txt"), "a placeholder lies there");
	ok(readlink(in_lake("buckets/b/a.txt"), target, sizeof(target) - 1) > 0 && strlen(target) <= 59 &&
		   !strncmp(target, "/dev/null/tarn/", 15),
	   "which leads nowhere: %s", target);
	ok(open(in_lake("buckets/b/a.txt"), O_RDONLY) < 0 && errno == ENOTDIR, "reading it fails");
	ok(open(in_lake("buckets/b/a.txt"), O_RDWR | O_CREAT, 0644) < 0, "nothing is made through it");
	inode = look_up("b/a.txt");
	ok(stub_stat(inode, &stub) && stub.st_mode == before.st_mode && stub.st_size == before.st_size &&
		   stub.st_uid == before.st_uid && stat_mtime(&stub) == stat_mtime(&before) && stub.st_blocks == 1,
	   "it looks like the file");
	inode_unref(lake, inode);
	is_int(evict("b/a.txt"), -EALREADY, "it cannot leave twice");
	is_int(totals().stubs, 1, "it is counted");
	close_lake();

	open_lake();
	ok(is_stub("b/a.txt"), "the next daemon knows it");
	is_int(recall("b/a.txt"), 0, "it comes back");
	ok(is_file("b/a.txt") && has_text("b/a.txt", "some bytes"), "with its bytes");
	stub = lstat_of("b/a.txt");
	ok(stub.st_mode == before.st_mode && stat_mtime(&stub) == stat_mtime(&before), "mode and mtime");
	ok(getxattr(in_lake("buckets/b/a.txt"), "user.note", target, 1) == 1 && target[0] == 'n', "and xattrs");
	is_int(totals().stubs, 0, "and is not counted");
	is_int(evict("b/a.txt"), 0, "it may leave again at once");
	is_int(recall("b/a.txt"), 0, "and come back");
	close_lake();

	run_lake();
	ok(live_version("b/a.txt").number == 1 && is_file("b/a.txt"), "all that made no version");
	close_lake();
}

static void test_refused(void)
{
	struct actor actor = somebody();
	struct handle *h;

	make_sent("b/r.txt", "r bytes");
	h = open_as_mount("b/r.txt", O_RDONLY);
	is_int(evict("b/r.txt"), -EBUSY, "what somebody reads stays");
	handle_close(lake, h);
	h = open_as_mount("b/r.txt", O_WRONLY | O_APPEND);
	is_int(evict("b/r.txt"), -EBUSY, "what somebody writes stays");
	handle_close(lake, h);
	link(in_lake("buckets/b/r.txt"), in_lake("r.other"));
	is_int(evict("b/r.txt"), -EMLINK, "what has two names stays");
	unlink(in_lake("r.other"));
	if (!setxattr(in_lake("buckets/b/r.txt"), "trusted.x", "1", 1, 0)) /* root */
		is_int(evict("b/r.txt"), -EPERM, "what has attributes that the store cannot keep stays");
	removexattr(in_lake("buckets/b/r.txt"), "trusted.x");
	h = open_as_mount("b/r.txt", O_WRONLY);
	inode_before_change(lake, h->inode, h, &actor, 0, 4);
	ok(pwrite(h->fd, "more", 4, 0) == 4, "it is written");
	inode_after_change(h->inode);
	handle_close(lake, h);
	store_barrier(lake->store, 0);
	is_int(evict("b/r.txt"), -ENODATA, "and what is there now is not in the cloud");
	close_lake();
	run_lake();
	stop_work();
	ok(send_object("b/r.txt"), "until it is sent, too");
	is_int(evict("b/r.txt"), -EXDEV, "but the version before is read through it");
	close_lake();
}

static void test_outside_reader(void)
{
	int fd;

	make_sent("b/o.txt", "o bytes");
	fd = open(in_lake("buckets/b/o.txt"), O_RDONLY);
	is_int(evict("b/o.txt"), -EBUSY, "what is open behind tarn's back stays");
	close(fd);
	is_int(evict("b/o.txt"), 0, "until it is closed");
	close_lake();
}

/* Heads and tails that stayed are all of a small file. */
static void forget_ends(void)
{
	char command[4200];

	snprintf(command, sizeof(command), "rm -f '%s'/*.ends", in_lake("cache"));
	ok(!system(command), "nothing of it stays here");
}

static void test_damaged(void)
{
	make_sent("b/d.txt", "d bytes");
	is_int(evict("b/d.txt"), 0, "a file leaves");
	forget_ends();
	put_file(in_lake("cloud/p/b/d.txt"), "D BYTES");
	is_int(recall("b/d.txt"), -EIO, "an object with other bytes is not taken for it");
	ok(is_stub("b/d.txt"), "the stub stays");
	unlink(in_lake("cloud/p/b/d.txt"));
	is_int(recall("b/d.txt"), -EIO, "nor does it look removed when the object is");
	ok(is_stub("b/d.txt"), "the stub stays");
	close_lake();
}

/* ---- whose placeholder is it ---- */

static void test_forged(void)
{
	char target[STUB_TARGET_ROOM];
	struct inode *inode;
	struct stat st;
	uint64_t node;

	make_sent("b/f.txt", "f bytes");
	is_int(evict("b/f.txt"), 0, "a file leaves");
	node = node_at("b/f.txt").id;
	stub_target(lake->id, node, target);
	symlink(target, in_lake("buckets/b/mine"));
	inode = look_up("b/mine");
	ok(inode && inode->kind == KIND_SYMLINK && inode->id != node, "a symlink to it is no second name for it");
	inode_unref(lake, inode);
	close_lake();
	open_lake();
	inode = look_up("b/mine");
	ok(inode && inode->kind == KIND_SYMLINK && inode->id != node, "nor for the next daemon");
	inode_unref(lake, inode);
	ok(is_stub("b/f.txt"), "the stub is itself");

	/* at the path of another file */
	unlink(in_lake("buckets/b/mine"));
	put_file(in_lake("buckets/b/g.txt"), "g bytes");
	close_lake();
	run_lake();
	close_lake();
	rename(in_lake("buckets/b/f.txt"), in_lake("buckets/b/f2.txt"));
	open_lake();
	ok(is_stub("b/f2.txt") && node_at("b/f2.txt").id == node, "a rename behind tarn's back is followed");
	close_lake();
	unlink(in_lake("buckets/b/f2.txt"));
	symlink(target, in_lake("buckets/b/f3.txt"));
	if (!geteuid() && !lchown(in_lake("buckets/b/f3.txt"), 65534, 65534)) {
		open_lake();
		inode = look_up("b/f3.txt");
		ok(inode && inode->kind == KIND_SYMLINK, "what a user made is never tarn's own placeholder");
		inode_unref(lake, inode);
		close_lake();
	}
	unlink(in_lake("buckets/b/f3.txt"));
	run_lake();
	ok(!node_at("b/f2.txt").id, "a stub that was removed is gone");
	ok(version_number("b/g.txt", 1).id, "others are as they were");
	close_lake();
	ok(lstat(in_lake("buckets/b/g.txt"), &st) == 0 && S_ISREG(st.st_mode), "and have their bytes");
}

static void test_removed_outside(void)
{
	struct version_row v;
	struct past *p = NULL;
	char bytes[16] = "";

	make_sent("b/u.txt", "u bytes");
	v = live_version("b/u.txt");
	is_int(evict("b/u.txt"), 0, "a file leaves");
	close_lake();
	unlink(in_lake("buckets/b/u.txt"));
	run_lake();
	ok(!store_version(lake->store, v.id, &v) && v.state == VERSION_KEPT && v.how == HOW_CLOUD,
	   "a stub that was removed outside: its version is kept, in the cloud");
	ok(!past_open(lake, &v, &p) && past_read(p, bytes, sizeof(bytes), 0) == 7 && !strcmp(bytes, "u bytes"),
	   "and can be read");
	past_close(p);
	close_lake();
}

/* The store knows NODE as the file that it was: what was told of its leaving did not survive. */
static void forget_leaving(const struct node_row *was)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, was->id, 0, NULL);

	record_node_stub(r, was->id, false, &was->handle);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

/* Two files leave, exchange their names, and the power fails: on the disk is more than in the store. */
static void test_exchanged(bool both, const char *first)
{
	struct node_row x, y;

	put_file(in_lake("buckets/b/x"), "this is x");
	put_file(in_lake("buckets/b/y"), "and this is y");
	run_lake();
	x = node_at("b/x");
	y = node_at("b/y");
	ok(send_object("b/x") && send_object("b/y"), "two files are in the cloud");
	is_int(evict("b/x"), 0, "one leaves");
	is_int(both ? evict("b/y") : 0, 0, both ? "so does the other" : "the other stays");
	forget_leaving(&x);
	if (both)
		forget_leaving(&y);
	close_lake();
	is_int(renameat2(AT_FDCWD, in_lake("buckets/b/x"), AT_FDCWD, in_lake("buckets/b/y"), RENAME_EXCHANGE), 0,
	       "they exchange their names, and the store knows of nothing");
	open_lake();
	inode_unref(lake, look_up(first));
	store_barrier(lake->store, 0);
	close_lake();
	run_lake();
	ok(is_stub("b/y") && node_at("b/y").id == x.id, "%s is seen first: the one is a stub under the other's name",
	   first);
	ok(both ? is_stub("b/x") : is_file("b/x"), "and the other one what it was");
	is_int(node_at("b/x").id, y.id, "under the name of the first");
	is_int(recall("b/y"), 0, "it comes back");
	is_int(both ? recall("b/x") : 0, 0, "both do");
	ok(is_file("b/y") && is_file("b/x"), "and are files");
	close_lake();
	unlink(in_lake("buckets/b/x"));
	unlink(in_lake("buckets/b/y"));
}

static bool past_is(const struct version_row *v, const char *text)
{
	struct past *p = NULL;
	char bytes[64] = "";
	bool same = !past_open(lake, v, &p) && past_size(p) == strlen(text) &&
		    past_read(p, bytes, sizeof(bytes), 0) == (ssize_t)strlen(text) && !strcmp(bytes, text) &&
		    past_read(p, bytes, 2, 1) == 2 && !memcmp(bytes, text + 1, 2);

	past_close(p);
	return same;
}

static void append(const char *path, const char *text)
{
	struct handle *h = open_as_mount(path, O_WRONLY | O_APPEND);
	struct inode *inode = look_up(path);

	/* where the kernel would write it */
	if (pwrite(h->fd, text, strlen(text), lseek(h->fd, 0, SEEK_END)) != (ssize_t)strlen(text))
		bail_out(path);
	handle_close(lake, h);
	inode_settle(lake, inode);
	inode_unref(lake, inode);
	store_barrier(lake->store, 0);
}

/* Older versions are read through one whose bytes are only in the cloud. */
static void test_before_cloud(void)
{
	struct version_row first, second;
	struct inode *inode;

	put_file(in_lake("buckets/b/log"), "first");
	run_lake();
	first = live_version("b/log");
	append("b/log", " second");
	if (!wait_for(no_jobs))
		ok(false, "the jobs end");
	second = live_version("b/log");
	ok(second.id != first.id && !store_version(lake->store, first.id, &first) && first.how == HOW_PREFIX,
	   "a version is the first bytes of the next one");
	ok(send_object("b/log"), "which is in the cloud");
	close_lake();
	put_file(in_lake("buckets/b/log"), "something else, from outside");
	run_lake();
	ok(!store_version(lake->store, second.id, &second) && second.how == HOW_CLOUD && second.state == VERSION_KEPT,
	   "and only there, when the file was changed outside");
	ok(past_is(&second, "first second"), "it can be read");
	ok(!store_version(lake->store, first.id, &first) && first.state == VERSION_KEPT && past_is(&first, "first"),
	   "and so can the one before");
	inode = look_up("b/log");
	ok(past_is(&second, "first second") && past_is(&first, "first"), "also while the file is in use");
	inode_unref(lake, inode);
	close_lake();
}

static void test_copied_lake(void)
{
	char first[128], command[512];

	make_sent("b/c.txt", "c bytes");
	is_int(evict("b/c.txt"), 0, "a file leaves");
	close_lake();
	snprintf(first, sizeof(first), "%s", test_lake);
	snprintf(command, sizeof(command), "cp -a '%s' '%s.copy'", first, first);
	ok(system(command) == 0, "the whole lake is copied");
	snprintf(test_lake, sizeof(test_lake), "%.100s.copy", first);
	open_lake();
	ok(is_stub("b/c.txt"), "its stub is one in the copy");
	is_int(recall("b/c.txt"), 0, "and comes back there");
	ok(has_text("b/c.txt", "c bytes"), "with its bytes");
	close_lake();
	remove_tree(test_lake);
	snprintf(test_lake, sizeof(test_lake), "%s", first);
	open_lake();
	ok(is_stub("b/c.txt"), "the first lake has its own still");
	close_lake();
}

int main(void)
{
	test_begin("");
	stub_settings();
	make_folder(in_lake("buckets/b"));
	test_there_and_back();
	test_refused();
	test_outside_reader();
	test_damaged();
	test_forged();
	test_removed_outside();
	test_exchanged(false, "b/x");
	test_exchanged(false, "b/y");
	test_exchanged(true, "b/x");
	test_exchanged(true, "b/y");
	test_before_cloud();
	test_copied_lake();
	return test_end();
}
