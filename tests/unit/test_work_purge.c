/* What is purged is gone from packs, too, also when a crash came between. */
#include "content/past/past.h"
#include "test_work.h"
#include "work/purge.h"

#define SETTINGS "storage: {pack_after: 0}\nbuckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n"
#define SIZE 300000

/* Content N: half of it are bytes that cannot be compressed, so that they are found again. */
static void fill(char *text, uint64_t n)
{
	uint64_t state = n * 7919 + 1;

	memset(text, '.', SIZE);
	for (int i = SIZE / 2; i < SIZE; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		text[i] = (char)(state >> 33);
	}
}

static void write_version(uint64_t n)
{
	static char text[SIZE];
	struct handle *h = open_as_mount("raw/a", O_WRONLY | O_TRUNC);

	fill(text, n);
	if (write(h->fd, text, SIZE) != SIZE)
		bail_out("raw/a");
	handle_close(lake, h);
	store_barrier(lake->store, 0);
}

static bool file_has(const char *path, const char *wanted, size_t len)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	bytes = malloc((size_t)st.st_size + 1);
	n = read(fd, bytes, (size_t)st.st_size);
	return n > 0 && memmem(bytes, (size_t)n, wanted, len);
}

static const char *looked_for;
static int found;

static int look_into(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	found += type == FTW_F && file_has(path, looked_for, 64);
	return 0;
}

/* In how many files below versions/ are bytes of content N? */
static int leaks(uint64_t n)
{
	static char text[SIZE];

	fill(text, n);
	looked_for = text + SIZE / 4 * 3;
	found = 0;
	nftw(in_lake("versions"), look_into, 16, FTW_PHYS);
	return found;
}

static bool reads(uint64_t number)
{
	static char wanted[SIZE], got[SIZE];
	struct version_row v = version_number("raw/a", number + 1);
	struct past *p;
	ssize_t n;

	if (past_open(lake, &v, &p))
		return false;
	fill(wanted, number);
	n = past_read(p, got, SIZE, 0);
	past_close(p);
	return n == SIZE && !memcmp(wanted, got, SIZE);
}

static size_t purge(uint64_t number)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	const struct actor actor = somebody();
	struct purge p;
	uint64_t left;
	size_t n;

	is_int(purge_plan(lake, "raw/a", number, &p, &error), 0, "a plan");
	is_int(purge_carry_out(lake, &p, &actor, &left, &error), 0, "is carried out");
	diag("%s", buf_str(&error));
	is_int((int64_t)left, 0, "nothing is left");
	n = p.n;
	purge_release(&p);
	return n;
}

static void test_packed(void)
{
	struct version_row v;

	for (uint64_t n = 1; n <= 4; n++)
		write_version(n);
	ok(pack_up_to(3), "three versions are packed");
	is_int(leaks(2), 1, "one pack has the bytes of the second");
	v = version_number("raw/a", 3);
	is_int((int64_t)purge(3), 1, "one version is purged");
	is_int(leaks(2), 0, "no file has a byte of it");
	ok(reads(1) && reads(3), "its neighbours are what they were");
	v = version_number("raw/a", 3);
	ok(v.state == VERSION_PURGED && v.how == HOW_NONE && !v.hashed, "its row says so");
	is_str(v.reason, "purged", "and why");
}

static void test_after_crash(void)
{
	struct version_row v = version_number("raw/a", 4);
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	/* as far as the first step */
	record_version_state(r, v.id, VERSION_PURGED, HOW_NONE, "purged");
	store_submit(lake->store, r, NULL);
	store_sync(lake->store, 0);
	close_lake();
	open_lake();
	is_int(leaks(3), 1, "after a crash in the middle the bytes are there still");
	ok(purge(0) >= 2, "done again, for all old versions");
	is_int(leaks(3) + leaks(1), 0, "nothing is");
	is_int((int64_t)purge(0), 0, "once more there is nothing to do");
}

static void test_words(void)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct purge p;

	is_int(purge_plan(lake, "raw/a", 5, &p, &error), -EBUSY, "the live version cannot be purged");
	is_int(purge_plan(lake, "raw/a", 99, &p, &error), -ENOENT, "nor one that is not there");
	is_int(purge_plan(lake, "raw/none", 0, &p, &error), -ENOENT, "nor a file that never was");
	is_int(purge_plan(lake, "raw", 1, &p, &error), -EISDIR, "nor a version of a folder");
	is_int(purge_plan(lake, "", 0, &p, &error), -EISDIR, "nor the root");
	is_int(purge_plan(lake, "raw", 0, &p, &error), 0, "but a folder");
	ok(p.folder && !p.others, "whose files are all of one owner");
	purge_release(&p);
}

int main(void)
{
	test_begin(SETTINGS);
	make_folder(in_lake("buckets/raw"));
	put_file(in_lake("buckets/raw/a"), "");
	open_lake();
	test_packed();
	test_after_crash();
	test_words();
	close_lake();
	return test_end();
}
