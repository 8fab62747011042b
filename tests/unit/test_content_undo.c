/* Undo files: what was saved is read back, through failures and torn tails, and damage is never passed for content. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/past/undo_file.h"
#include "tap.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define NODE 0x12
#define VERSION 0x34
#define NAME "12/12.34.undo"
#define ANY UINT64_MAX

static char folder[4096];
static int dirfd_, rawfd = -1;
static char *content; /* of the version */
static uint64_t size;

/* ---- the raw file ---- */

static void make_raw(uint64_t bytes)
{
	unlinkat(dirfd_, NAME, 0);
	if (rawfd >= 0)
		close(rawfd);
	rawfd = openat(dirfd_, "raw", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	free(content);
	content = malloc(bytes + 1);
	size = bytes;
	for (uint64_t i = 0; i < bytes; i++)
		content[i] = (char)((i * 2654435761u >> 11) | 1);
	if (pwrite(rawfd, content, bytes, 0) != (ssize_t)bytes)
		printf("Bail out! no room\n");
}

static void overwrite(uint64_t from, uint64_t to)
{
	char line[4096];

	memset(line, 'X', sizeof(line));
	for (; from < to; from += sizeof(line))
		if (pwrite(rawfd, line, to - from < sizeof(line) ? to - from : sizeof(line), (off_t)from) < 0)
			printf("Bail out! no room\n");
}

/* What a reader of the version gets. */
static bool is_right(struct undo_file *u)
{
	_cleanup_free_ char *got = malloc(size + 1);
	struct undo_extent e;

	if (pread(rawfd, got, size, 0) < 0)
		return false;
	for (uint64_t at = 0; at < size;) {
		uint64_t run = size - at;

		if (undo_file_find(u, at, &e, &run)) {
			run = e.offset + e.length - at;
			if (at + run > size || undo_file_read(u, &e, at, run, got + at))
				return false;
		}
		at += run;
	}
	return !memcmp(got, content, size);
}

static struct undo_file *make(void)
{
	struct undo_file *u = NULL;

	is_int(undo_file_create(dirfd_, NAME, NODE, VERSION, &u), 0, "an undo file is made");
	return u;
}

static struct undo_file *load(struct undo_file *was)
{
	struct undo_file *u = NULL;

	undo_file_free(was);
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u), 0, "it is loaded");
	return u;
}

static int change(struct undo_file *u, uint64_t from, uint64_t to)
{
	int rc = undo_file_save(u, rawfd, from, to, size, ANY);

	if (!rc)
		overwrite(from, to);
	return rc;
}

static int truncate_undo(off_t size)
{
	_cleanup_close_ int fd = openat(dirfd_, NAME, O_RDWR | O_CLOEXEC);

	return ftruncate(fd, size);
}

/* ---- faults ---- */

static int writes_left = -1, syncs_left = -1, fault;
static size_t torn; /* bytes that a failing write leaves */

static ssize_t failing_write(int fd, const struct iovec *v, int n, off_t at)
{
	if (writes_left != 0) {
		writes_left -= writes_left > 0;
		return pwritev(fd, v, n, at);
	}
	if (torn) {
		ssize_t done = pwrite(fd, v[0].iov_base, torn < v[0].iov_len ? torn : v[0].iov_len, at);

		torn = 0;
		return done;
	}
	errno = fault;
	return -1;
}

static int failing_sync(int fd)
{
	if (syncs_left != 0) {
		syncs_left -= syncs_left > 0;
		return fdatasync(fd);
	}
	syncs_left = -1; /* once */
	errno = fault;
	return -1;
}

static void no_faults(void)
{
	writes_left = syncs_left = -1;
}

/* ---- */

static void test_saving(void)
{
	struct undo_file *u;
	uint64_t bytes;

	make_raw(3 * MIB + 5000);
	u = make();
	ok(undo_file_is_empty(u), "nothing is in it");
	is_int(change(u, 1 * MIB + 10, 1 * MIB + 20), 0, "ten bytes are changed");
	ok(undo_file_covers(u, MIB, MIB + 64 * KIB) && !undo_file_covers(u, MIB, MIB + 64 * KIB + 1),
	   "a block is saved");
	bytes = undo_file_bytes(u);
	is_int(change(u, 1 * MIB, 1 * MIB + 4096), 0, "and again in that block");
	is_int((int64_t)undo_file_bytes(u), (int64_t)bytes, "costs nothing");
	is_int(change(u, size - 1, size + 9000), 0, "the end, and beyond");
	is_int(change(u, 900 * KIB, 2 * MIB), 0, "around what is there");
	ok(is_right(u), "the version is right");
	u = load(u);
	ok(is_right(u), "after loading too");
	is_int(change(u, 0, 4096), 0, "and it goes on");
	is_int(change(u, 0, size), 0, "to all of it");
	ok(is_right(u), "right");
	is_int(ftruncate(rawfd, 0), 0, "the raw file may be cut then");
	u = load(u);
	ok(undo_file_covers(u, 0, size), "all is saved");
	undo_file_free(u);
}

static void test_sequential(void)
{
	struct undo_file *u;
	int saves = 0;

	make_raw(24 * MIB);
	u = make();
	for (uint64_t at = 0; at < size; at += 100 * KIB) {
		uint64_t end = at + 100 * KIB < size ? at + 100 * KIB : size;

		saves += !undo_file_covers(u, at, end);
		if (change(u, at, end))
			break;
	}
	ok(saves < 12, "a sequential writer waits for few saves: %d", saves);
	ok(is_right(u), "the version is right");
	undo_file_free(u);
}

static void test_holes(void)
{
	struct undo_file *u;

	make_raw(0);
	is_int(ftruncate(rawfd, (off_t)(4096 * MIB)), 0, "a sparse file of 4 GiB");
	is_int(pwrite(rawfd, "data", 4, (off_t)(100 * MIB)), 4, "with a few bytes");
	u = make();
	is_int(undo_file_save(u, rawfd, 0, ANY, 4096 * MIB, ANY), 0, "is saved whole");
	ok(undo_file_covers(u, 0, 4096 * MIB), "all of it");
	ok(undo_file_bytes(u) < 2 * MIB, "in %llu bytes", (unsigned long long)undo_file_bytes(u));
	undo_file_free(u);
}

static void test_limits(void)
{
	struct undo_file *u;

	make_raw(MIB);
	u = make();
	is_int(undo_file_save(u, rawfd, 0, MIB, size, 300 * KIB), -EFBIG, "more than it may have");
	ok(!undo_file_covers(u, 0, MIB), "is not saved");
	is_int(undo_file_save(u, rawfd, 0, 10, size, 300 * KIB), 0, "less is");
	is_int(ftruncate(rawfd, 100 * 1024), 0, "the raw file is cut by somebody else");
	is_int(undo_file_save(u, rawfd, 0, MIB, size, ANY), -ENODATA, "what is not there cannot be saved");
	is_int(undo_file_create(dirfd_, NAME, NODE, VERSION, &(struct undo_file *){NULL}), -EEXIST,
	       "it is never made twice");
	undo_file_free(u);
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION + 1, 0, &u), -EUCLEAN, "another version's is refused");
	is_int(undo_file_load(dirfd_, "12/99.1.undo", NODE, VERSION, 0, &u), -ENOENT, "one that is not there");
}

static void test_faults(void)
{
	static const struct {
		int writes, syncs, fault;
		size_t torn;
		const char *what;
	} cases[] = {
		{0, -1, ENOSPC, 0, "no space"},
		{0, -1, ENOSPC, 20, "no space after half a head"},
		{0, -1, ENOSPC, 56, "no space after a head"},
		{-1, 0, EIO, 0, "an error of fdatasync"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct undo_file *u;

		make_raw(2 * MIB);
		u = make();
		is_int(change(u, 0, 10), 0, "something is saved");
		writes_left = cases[i].writes;
		syncs_left = cases[i].syncs;
		fault = cases[i].fault;
		torn = cases[i].torn;
		is_int(change(u, MIB, MIB + 10), -cases[i].fault, cases[i].what);
		no_faults();
		ok(!undo_file_covers(u, MIB, MIB + 1), "nothing is published");
		ok(is_right(u), "the version is right: nothing was overwritten");
		is_int(change(u, MIB, MIB + 10), 0, "it can go on");
		ok(is_right(u), "right");
		u = load(u);
		ok(is_right(u), "after loading too");
		undo_file_free(u);
	}
	{
		struct undo_file *u;

		make_raw(MIB);
		u = make();
		syncs_left = 0;
		fault = EIO;
		is_int(change(u, 0, 10), -EIO, "an error when the first is saved");
		no_faults();
		u = load(u);
		ok(is_right(u), "the version is right");
		undo_file_free(u);
		is_int(truncate_undo(30), 0, "a header that is torn");
		u = load(NULL);
		ok(undo_file_is_empty(u) && is_right(u), "was never used");
		is_int(change(u, 0, 10), 0, "it can be");
		u = load(u);
		ok(is_right(u) && !undo_file_is_empty(u), "and is right");
		undo_file_free(u);
	}
}

/* Whatever is left of the last batch, the version is right, because its raw bytes are still there. */
static void test_torn(void)
{
	struct undo_file *u;
	uint64_t whole, end;
	int wrong = 0, refused = 0;

	make_raw(MIB);
	u = make();
	change(u, 0, 10);
	whole = undo_file_bytes(u);
	undo_file_save(u, rawfd, 512 * KIB, 512 * KIB + 300 * KIB, size, ANY);
	end = undo_file_bytes(u);
	undo_file_free(u);
	for (uint64_t cut = end; cut >= whole; cut -= cut < whole + 200 ? 7 : 33333) {
		_cleanup_close_ int fd = openat(dirfd_, NAME, O_RDWR | O_CLOEXEC);

		if (ftruncate(fd, (off_t)cut) < 0 ||
		    ftruncate(fd, (off_t)end) < 0) /* the size was durable, the bytes not */
			break;
		refused += undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u) != 0;
		wrong += !is_right(u);
		undo_file_free(u);
		if (ftruncate(fd, (off_t)cut) < 0)
			break;
		refused += undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u) != 0;
		wrong += !is_right(u) || !undo_file_covers(u, 0, 10);
		undo_file_free(u);
	}
	u = load(NULL);
	is_int(change(u, 900 * KIB, 900 * KIB + 10), 0, "more is saved over the torn tail");
	u = load(u);
	ok(is_right(u), "right");
	undo_file_free(u);
	is_int(refused, 0, "a torn tail is no damage");
	is_int(wrong, 0, "and never read");
}

/* A power failure between its making and its first fdatasync: nothing was overwritten yet. */
static void test_unborn(void)
{
	static const off_t sizes[] = {0, 10};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_close_ int fd = -1;
		struct undo_file *u;

		make_raw(MIB);
		undo_file_free(make());
		fd = openat(dirfd_, NAME, O_RDWR | O_CLOEXEC);
		is_int(ftruncate(fd, sizes[i]), 0, "its header is not on the disk");
		is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u), 0, "so nothing is saved in it");
		ok(undo_file_is_empty(u), "nothing");
		is_int(change(u, 0, 10), 0, "and it can be used");
		u = load(u);
		ok(is_right(u) && undo_file_covers(u, 0, 10), "rightly");
		undo_file_free(u);
	}
}

static void test_damage(void)
{
	_cleanup_close_ int fd = -1;
	struct undo_extent e = {0};
	struct undo_file *u;
	uint64_t run = ANY;
	char byte;

	make_raw(100 * MIB);
	u = make();
	change(u, 0, 10);
	change(u, 10 * MIB, 90 * MIB);
	undo_file_find(u, 5, &e, &run);
	fd = openat(dirfd_, NAME, O_RDWR | O_CLOEXEC);
	is_int(pwrite(fd, "!", 1, (off_t)e.at + 1000), 1, "a byte rots");
	is_int(undo_file_read(u, &e, 5, 1, &byte), -EIO, "what was with it cannot be read");
	u = load(u);
	is_int(undo_file_read(u, &e, 5, 1, &byte), -EIO, "after loading neither");
	undo_file_free(u);
	is_int(pwrite(fd, "!", 1, (off_t)e.at - 20), 1, "a head rots");
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u), -EUCLEAN, "it is refused");
	is_int(pwrite(fd, "!", 1, 20), 1, "the header rots");
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, 0, &u), -EUCLEAN, "it is refused");
}

/* What was durable once, as the row of a version that ended says, is never taken for a torn tail. */
static void test_known(void)
{
	_cleanup_close_ int fd = -1;
	struct undo_extent e = {0};
	struct undo_file *u;
	uint64_t run = ANY, known, last;
	char byte;

	make_raw(2 * MIB);
	u = make();
	change(u, 0, 0);
	is_int((int64_t)undo_file_bytes(u), 0, "where nothing was saved nothing is known");
	change(u, 0, 10);
	change(u, MIB, MIB + 10);
	known = undo_file_bytes(u);
	undo_file_find(u, MIB, &e, &run);
	last = e.at + 1000;
	undo_file_free(u);
	fd = openat(dirfd_, NAME, O_RDWR | O_CLOEXEC);
	is_int(pwrite(fd, "!", 1, (off_t)last), 1, "a byte of the last record rots");
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, known, &u), 0, "it is loaded");
	ok(undo_file_find(u, MIB, &e, &run), "with that record");
	is_int(undo_file_read(u, &e, MIB, 1, &byte), -EIO, "which cannot be read");
	ok(undo_file_find(u, 5, &e, &run) && !undo_file_read(u, &e, 5, 1, &byte) && byte == content[5],
	   "the other one can");
	undo_file_free(u);
	u = load(NULL);
	ok(!undo_file_covers(u, MIB, MIB + 1), "of which nobody knows may be torn");
	undo_file_free(u);
	is_int(pwrite(fd, content + MIB + 1000, 1, (off_t)last), 1, "(it is right again)");
	is_int(pwrite(fd, "torn", 4, (off_t)known), 4, "something lies behind what is known");
	is_int(undo_file_load(dirfd_, NAME, NODE, VERSION, known, &u), 0, "that is torn");
	is_int(change(u, 512 * KIB, 512 * KIB + 10), 0, "saving goes on over it");
	ok(undo_file_bytes(u) > known && is_right(u), "right");
	undo_file_free(u);
	for (uint64_t cut = known - 1;; cut -= cut < 9973 ? cut / 7 + 1 : 9973)
		if (ftruncate(fd, (off_t)cut) < 0 ||
		    undo_file_load(dirfd_, NAME, NODE, VERSION, known, &u) != -EUCLEAN || !cut)
			break;
	is_int(lseek(fd, 0, SEEK_END), 0, "it is refused wherever it is cut");
}

/* A process that is killed at any moment while it saves and overwrites; what it said of it is always there. */
static void test_killed(void)
{
	_Atomic uint64_t *known = mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, refused = 0;

	for (int i = 0; i < 25; i++) {
		struct undo_file *u = NULL;
		pid_t child;

		make_raw(8 * MIB);
		*known = 0;
		fflush(stdout);
		child = fork();
		if (!child) {
			unsigned at = (unsigned)i * 7919;

			if (undo_file_create(dirfd_, NAME, NODE, VERSION, &u))
				_exit(1);
			for (;; at = at * 1103515245 + 12345, *known = undo_file_bytes(u))
				if (change(u, at % size, at % size + at % 5000))
					_exit(1);
		}
		usleep((useconds_t)i * 900);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		if (undo_file_load(dirfd_, NAME, NODE, VERSION, *known, &u)) { /* killed before it was made */
			refused += *known != 0;
			continue;
		}
		wrong += !is_right(u);
		undo_file_free(u);
	}
	munmap((void *)known, sizeof(*known));
	is_int(wrong, 0, "killed 25 times: every version is right");
	is_int(refused, 0, "and loaded");
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/tarn-undo.XXXXXX", tmp ? tmp : "/var/tmp");
	if (!mkdtemp(folder) || (dirfd_ = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    mkdirat(dirfd_, "12", 0700) < 0)
		return 1;
	undo_calls.write = failing_write;
	undo_calls.sync = failing_sync;
	test_saving();
	test_sequential();
	test_holes();
	test_limits();
	test_faults();
	test_torn();
	test_unborn();
	test_damage();
	test_known();
	test_killed();
	unlinkat(dirfd_, NAME, 0);
	unlinkat(dirfd_, "raw", 0);
	unlinkat(dirfd_, "12", AT_REMOVEDIR);
	rmdir(folder);
	free(content);
	return done();
}
