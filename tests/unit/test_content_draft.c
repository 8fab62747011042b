/*
 * Drafts without a mount: what is written to a stub while its bytes are in the cloud, what the next daemon makes of it,
 * and what a version's reader sees meanwhile.
 */
#include "content/cloud/draft.h"
#include "content/handle.h"
#include "content/recall/recall.h"
#include "test_stub.h"

static struct actor actor;

static void make_stub(const char *path, const char *text)
{
	put_file(in_lake("buckets/%s", path), text);
	run_lake();
	stop_work();
	if (!send_object(path) || evict(path))
		ok(false, "%s leaves", path);
}

static ssize_t put(struct handle *h, const char *text, uint64_t at)
{
	return handle_write_stub(lake, h, &actor, text, strlen(text), at);
}

/* What a reader of H sees, as text; "" when that fails. */
static const char *seen(struct handle *h, uint64_t at)
{
	static char bytes[256];
	size_t n = 0;

	bytes[0] = '\0';
	if (!handle_read_stub(lake, h, bytes, sizeof(bytes) - 1, at, NULL, &n))
		bytes[n] = '\0';
	return bytes;
}

static bool has_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(in_lake("buckets/%s", path), O_RDONLY | O_NOFOLLOW);
	char bytes[256] = "";

	return fd >= 0 && read(fd, bytes, sizeof(bytes) - 1) >= 0 && !strcmp(bytes, text);
}

static bool version_has(const struct version_row *v, const char *text)
{
	char bytes[256] = "";
	struct past *p;
	bool same;

	if (past_open(lake, v, &p) < 0)
		return false;
	same = past_read(p, bytes, sizeof(bytes) - 1, 0) == (ssize_t)strlen(text) && !strcmp(bytes, text);
	past_close(p);
	return same;
}

static int count_draft(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return strstr(path + ftw->base, ".draft") ? 1 : 0;
}

static bool has_files(void)
{
	return nftw(in_lake("cache"), count_draft, 8, FTW_PHYS) > 0;
}

static void hide_cloud(bool hide)
{
	char away[4200];

	snprintf(away, sizeof(away), "%s.away", in_lake("cloud"));
	if (rename(hide ? in_lake("cloud") : away, hide ? away : in_lake("cloud")) < 0)
		bail_out("the cloud");
}

static void test_write(void)
{
	struct version_row first;
	struct handle *h;
	struct stat st;

	make_stub("b/a.txt", "0123456789");
	first = live_version("b/a.txt");
	hide_cloud(true);
	h = open_as_mount("b/a.txt", O_RDWR);
	ok(is_stub("b/a.txt") && !has_files(), "who opens it for writing needs nothing");
	is_int(handle_read_stub(lake, h, &st, 1, 0, NULL, &(size_t){0}), -ENOENT, "and has nothing of its own");
	is_int(put(h, "end", 10), 3, "an append needs nothing");
	is_int(put(h, "AB", 2), 2, "nor does what is overwritten");
	is_int(put(h, "far", 15), 3, "nor what lies behind the end");
	ok(stub_stat(h->inode, &st) && st.st_size == 18, "it is as long as that");
	is_int(inode_sync(lake, h->inode, h, false), 0, "it can be made durable");
	ok(!strcmp(seen(h, 10), "end"), "what was written is read");
	ok(node_at("b/a.txt").size == 10 && live_version("b/a.txt").id == first.id, "the store has the version still");
	handle_close(lake, h);
	ok(is_stub("b/a.txt") && has_files(), "it is a stub, and a draft");
	close_lake();

	open_lake();
	ok(is_stub("b/a.txt"), "so it is for the next daemon");
	h = open_as_mount("b/a.txt", O_RDWR);
	ok(stub_stat(h->inode, &st) && st.st_size == 18 && !strcmp(seen(h, 15), "far"), "with what was written");
	hide_cloud(false);
	is_int(put(h, "x", 0), 1, "more is written");
	ok(!memcmp(seen(h, 0), "x1AB456789end\0\0far", 18), "all of it is read");
	is_int(recall("b/a.txt"), 0, "it becomes whole");
	ok(is_file("b/a.txt") && !has_files(), "a file, and the draft is gone");
	ok(!memcmp(seen(h, 0), "", 1), "there is none any more");
	handle_close(lake, h);
	ok(lstat(in_lake("buckets/b/a.txt"), &st) == 0 && st.st_size == 18, "as long as it was");
	start_work();
	ok(wait_for(no_jobs), "the jobs end");
	stop_work();
	first = version_number("b/a.txt", 1);
	ok(first.state == VERSION_KEPT && first.how == HOW_CLOUD && version_has(&first, "0123456789"),
	   "what it was is history, in the cloud");
	ok(version_number("b/a.txt", 2).size == 18 && live_version("b/a.txt").number == 2, "what it is is a version");
	close_lake();
}

static void test_all_written(void)
{
	struct handle *h;

	make_stub("b/all.txt", "0123456789");
	hide_cloud(true);
	h = open_as_mount("b/all.txt", O_WRONLY);
	ok(put(h, "aaaaa", 0) == 5 && put(h, "bbbbbb", 5) == 6, "all of it is written");
	handle_close(lake, h);
	is_int(recall("b/all.txt"), 0, "then none of it has to come");
	ok(is_file("b/all.txt") && has_text("b/all.txt", "aaaaabbbbbb"), "and it is a file");
	hide_cloud(false);
	close_lake();
}

static void test_small(void)
{
	struct handle *h;

	recall_calls.small = RECALL_SMALL;
	make_stub("b/small.txt", "small");
	h = open_as_mount("b/small.txt", O_WRONLY);
	ok(is_stub("b/small.txt"), "a small one is opened for writing without its bytes");
	is_int(put(h, "x", 0), 0, "they come when it is written");
	ok(is_file("b/small.txt") && has_text("b/small.txt", "small"), "and it is written as any other is");
	handle_close(lake, h);
	close_lake();
	recall_calls.small = 0;
}

/* Its file is in its place and durable, and the record that its version ended is lost. */
static void test_record_lost(void)
{
	struct node_row row;
	struct version_row v;
	struct fhandle handle;
	struct record *r;
	struct handle *h;

	make_stub("b/lost.txt", "0123456789");
	h = open_as_mount("b/lost.txt", O_WRONLY);
	is_int(put(h, "AB", 2), 2, "a stub is written");
	handle_close(lake, h);
	row = node_at("b/lost.txt");
	put_file(in_lake("staged"), "01AB456789");
	is_int(fhandle_get(AT_FDCWD, in_lake("staged"), &handle), 0, "its file");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, row.id, 0, NULL);
	record_node_stub(r, row.id, false, &handle);
	if (store_submit(lake->store, r, NULL) < 0)
		bail_out("submit");
	close_lake();
	if (rename(in_lake("staged"), in_lake("buckets/b/lost.txt")) < 0)
		bail_out("rename");
	ok(has_files(), "the draft is there");

	open_lake();
	ok(!has_files(), "the next daemon needs it no more");
	start_work();
	ok(wait_for(scan_is_done) && wait_for(no_jobs), "the jobs end");
	stop_work();
	v = version_number("b/lost.txt", 1);
	ok(v.state == VERSION_KEPT && v.how == HOW_CLOUD && version_has(&v, "0123456789"),
	   "what it was is in the cloud, not in its file");
	v = live_version("b/lost.txt");
	ok(v.number == 2 && version_has(&v, "01AB456789") && node_at("b/lost.txt").id == row.id,
	   "what it is is a version");
	close_lake();
}

static void test_not_exchanged(void)
{
	struct node_row row;
	struct fhandle handle;
	struct record *r;
	struct handle *h;

	make_stub("b/not.txt", "0123456789");
	h = open_as_mount("b/not.txt", O_WRONLY);
	is_int(put(h, "AB", 2), 2, "a stub is written");
	handle_close(lake, h);
	row = node_at("b/not.txt");
	put_file(in_lake("staged"), "01AB456789");
	fhandle_get(AT_FDCWD, in_lake("staged"), &handle);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, row.id, 0, NULL);
	record_node_stub(r, row.id, false, &handle);
	if (store_submit(lake->store, r, NULL) < 0)
		bail_out("submit");
	close_lake();
	unlink(in_lake("staged"));

	open_lake();
	ok(is_stub("b/not.txt") && has_files(),
	   "without the exchange the placeholder says whose it is, and the draft stays");
	is_int(recall("b/not.txt"), 0, "it becomes whole");
	ok(has_text("b/not.txt", "01AB456789"), "with what was written");
	close_lake();
}

/* What is read as a version stays what it was when the stub's bytes come back, and are overwritten. */
static void test_reader_of_version(void)
{
	struct version_row v;
	char bytes[16] = "";
	struct handle *h;
	struct past *p;

	make_stub("b/read.txt", "0123456789");
	v = live_version("b/read.txt");
	if (past_open(lake, &v, &p) < 0)
		bail_out("past_open");
	is_int(past_read(p, bytes, 4, 0), 4, "a version is read");
	is_int(recall("b/read.txt"), 0, "its file comes back");
	h = open_as_mount("b/read.txt", O_WRONLY);
	inode_before_change(lake, h->inode, h, &actor, 4, 8);
	is_int(pwrite(h->fd, "XXXX", 4, 4), 4, "and is overwritten");
	inode_after_change(h->inode);
	is_int(past_read(p, bytes, 10, 0), 10, "the version is read on");
	ok(!memcmp(bytes, "0123456789", 10), "and is what it was");
	handle_close(lake, h);
	past_close(p);
	close_lake();
}

int main(void)
{
	test_begin("");
	stub_settings();
	make_folder(in_lake("buckets/b"));
	actor = somebody();
	recall_calls.small = 0;
	test_write();
	test_all_written();
	test_small();
	test_record_lost();
	test_not_exchanged();
	test_reader_of_version();
	return test_end();
}
