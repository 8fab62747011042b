#include "cli/mounts.h"

#include "tap.h"

static struct mounts parse(const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	struct mounts m;

	is_int(mounts_parse(f, &m), 0, "mountinfo is parsed");
	fclose(f);
	return m;
}

static void test_fields(void)
{
	struct mounts m = parse(
		"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
		"30 22 0:5 / /dev rw,nosuid shared:2 master:1 propagate_from:2 - devtmpfs devtmpfs rw,size=4096k\n"
		"41 22 0:44 / /data/my\\040lake/buckets rw - fuse.tarn /data/my\\040lake rw,user_id=0\n"
		"42 22 0:44 /raw-data /mnt/raw\\134\\011 rw - fuse.tarn /data/my\\040lake rw,user_id=0\n");

	is_int(m.n, 4, "four mounts");
	is_str(m.list[0].point, "/", "the root");
	is_str(m.list[1].type, "devtmpfs", "optional fields are skipped");
	is_str(m.list[1].source, "devtmpfs", "and the source is behind them");
	is_str(m.list[2].point, "/data/my lake/buckets", "a space in a mount point");
	is_str(m.list[2].source, "/data/my lake", "a space in a source");
	is_str(m.list[3].root, "/raw-data", "the root of a bind mount");
	is_str(m.list[3].point, "/mnt/raw\\\t", "backslash and tab");
	ok(mount_is_tarn(&m.list[2]) && !mount_is_tarn(&m.list[0]), "tarn's are told from others");
	mounts_release(&m);
}

static void test_bad_lines(void)
{
	struct mounts m =
		parse("\n"
		      "nonsense\n"
		      "22 1 254:0 / / rw,relatime\n"
		      "22 1 254:0 / / rw,relatime - ext4\n"
		      "22 1 254:0 / /good rw - ext4 /dev/vda rw\n"
		      "23 1 254:0 / /last rw - ext4 /dev/vdb");

	is_int(m.n, 2, "lines of another form are left out");
	if (m.n == 2) {
		is_str(m.list[0].point, "/good", "the good one stays");
		is_str(m.list[1].source, "/dev/vdb", "a last line may lack options and newline");
	}
	mounts_release(&m);
}

static void test_find(void)
{
	struct mounts m =
		parse("1 1 1:1 / / rw - ext4 /dev/vda rw\n"
		      "2 1 1:2 / /lake/buckets rw - fuse.tarn /lake rw\n"
		      "3 1 1:3 / /lake/buckets-old rw - ext4 /dev/vdb rw\n"
		      "4 1 1:4 / /mnt rw - fuse.tarn /other rw\n"
		      "5 1 1:5 / /mnt rw - fuse.tarn /lake rw\n");

	is_str(mounts_at(&m, "/lake/buckets/a")->source, "/lake", "a path below a mount point");
	is_str(mounts_at(&m, "/lake/buckets")->source, "/lake", "the mount point itself");
	is_str(mounts_at(&m, "/lake/buckets-old/a")->source, "/dev/vdb", "a name that only begins alike");
	is_str(mounts_at(&m, "/lake/bucket")->source, "/dev/vda", "beside it");
	is_str(mounts_at(&m, "/mnt/x")->source, "/lake", "of two on one point the later one");
	is_str(mounts_of_lake(&m, "/lake")->point, "/mnt", "a lake's newest mount");
	is_str(mounts_of_lake(&m, "/other")->point, "/mnt", "another lake");
	ok(!mounts_of_lake(&m, "/dev/vda"), "what is not tarn is no lake");
	mounts_release(&m);
	ok(!mounts_at(&m, "/"), "an empty table has nothing");
}

static void test_own_table(void)
{
	struct mounts m;

	is_int(mounts_load(&m), 0, "this process's table");
	ok(m.n > 0 && mounts_at(&m, "/proc/self") != NULL, "knows where /proc is");
	mounts_release(&m);
}

int main(void)
{
	test_fields();
	test_bad_lines();
	test_find();
	test_own_table();
	return done();
}
