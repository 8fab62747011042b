/*
 * The chain of versions under one raw file: what is saved before it is changed, what is read of it afterwards, what is
 * lost; and that a long history costs nothing when a file is opened.
 */
#include "content/past/chain.h"
#include "content/past/kept.h"
#include "test_work.h"

#define KIB 1024
#define SIZE (256 * KIB)
#define MANY 100000
#define SOON_NS (20 * NSEC_PER_MSEC)

static struct inode *inode;
static struct chain *chain;
static int rawfd = -1;

static void begin(const char *name, char filling)
{
	static char bytes[SIZE];
	char path[64];

	memset(bytes, filling, sizeof(bytes));
	snprintf(path, sizeof(path), "b/%s", name);
	put_bytes(in_lake("buckets/%s", path), bytes, sizeof(bytes));
	inode = look_up(path);
	rawfd = open(in_lake("buckets/%s", path), O_RDWR | O_CLOEXEC);
	if (!inode || rawfd < 0 || store_barrier(lake->store, 0) || chain_of(lake, inode, &chain))
		bail_out(name);
}

static void end(void)
{
	chain_unref(chain);
	inode_unref(lake, inode);
	close(rawfd);
	chain = NULL;
}

/* What writes of the mount do: first what was there is saved. */
static void change(char filling, uint64_t from, size_t len)
{
	char bytes[SIZE];

	memset(bytes, filling, sizeof(bytes));
	is_int(chain_save(lake, inode, chain, from, from + len), 0, "what is there is saved");
	ok(chain_has(chain, from, from + len), "and may be changed");
	if (pwrite(rawfd, bytes, len, (off_t)from) != (ssize_t)len)
		bail_out("pwrite");
}

/* The next version is what the raw file has now. */
static uint64_t cut(uint64_t size)
{
	uint64_t version = store_new_version(lake->store);

	is_int(chain_cut(chain, version, size), 0, "a version is cut");
	return version;
}

/* Do all LEN bytes of VERSION from AT say FILLING? */
static bool says(uint64_t version, char filling, uint64_t at, size_t len)
{
	char bytes[SIZE];

	if (chain_reach(lake, chain, version) || chain_read(chain, version, rawfd, bytes, len, at))
		return false;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != filling)
			return false;
	return true;
}

static void test_changes(void)
{
	uint64_t first, second, third, stored = 0;

	begin("changed", 'A');
	first = inode->version;
	ok(first && chain_is_due(chain), "a version is read through its raw file");
	ok(!chain_has(chain, 0, 1) && chain_has(chain, SIZE, SIZE + 1), "where it has bytes they are not saved yet");
	is_int(chain_how(chain, first, SIZE, &stored), HOW_PREFIX, "what is only appended to is a prefix");
	is_int(stored, 0, "which occupies nothing");
	change('B', 64 * KIB, 4 * KIB);
	is_int(chain_how(chain, first, SIZE, &stored), HOW_UNDO, "what was changed is kept by what was there");
	ok(stored >= 4 * KIB && stored <= SIZE, "%d bytes of it", (int)stored);
	ok(says(first, 'A', 0, SIZE), "and is read as it was");
	second = cut(SIZE);
	ok(says(first, 'A', 0, SIZE) && says(second, 'B', 64 * KIB, 4 * KIB) && says(second, 'A', 0, 64 * KIB),
	   "beside the next one");
	change('C', 0, SIZE);
	third = cut(SIZE);
	ok(says(first, 'A', 0, SIZE) && says(second, 'B', 64 * KIB, 4 * KIB) && says(third, 'C', 0, SIZE),
	   "each of three is read");
	chain_grow(chain, third, 2 * SIZE);
	ok(chain_has(chain, 2 * SIZE, 3 * SIZE) && !chain_has(chain, SIZE, SIZE + 1), "what is appended belongs to it");
	is_int(chain_how(chain, second, SIZE, &stored), HOW_NONE, "how is asked of the last one");
	is_int(chain_how(chain, third, SIZE, &stored), HOW_NONE, "which is not kept when somebody else cut its file");
	end();
}

static void test_whole(void)
{
	uint64_t first, stored = 0;
	enum version_how how;

	begin("whole", 'A');
	first = inode->version;
	is_int(chain_save_whole(lake, inode, chain, true), 0, "it is saved whole");
	ok(chain_is_whole(chain) && !chain_is_due(chain) && chain_has(chain, 0, SIZE), "then nothing is due");
	how = chain_how(chain, first, SIZE, &stored);
	ok(how == HOW_COPY ? stored == SIZE : how == HOW_REFLINK, "a copy occupies what it has, a reflink nothing");
	if (ftruncate(rawfd, 0) < 0)
		bail_out("ftruncate");
	ok(says(first, 'A', 0, SIZE), "and is read without the raw file");
	end();
}

static void test_lost(void)
{
	struct version_row row;
	uint64_t first;

	begin("lost", 'A');
	first = inode->version;
	chain_lose(lake, inode, chain, "a test");
	is_int(chain_reach(lake, chain, first), -ENOENT, "what is lost is not found");
	store_barrier(lake->store, 0);
	ok(!store_version(lake->store, first, &row) && row.state == VERSION_NOT_KEPT && !strcmp(row.reason, "a test"),
	   "and its row says why");
	end();
	begin("void", 'A');
	chain_void(chain);
	ok(!says(inode->version, 'A', 0, SIZE), "nothing is read of a raw file that somebody else changed");
	ok(!chain_is_due(chain), "and nothing has to be saved");
	end();
}

/* A byte at AT, from the end, of what was saved of VERSION; twice: as it was. */
static void flip(uint64_t version, off_t at)
{
	char name[VERSION_NAME_MAX], byte;
	_cleanup_close_ int fd = -1;

	undo_name(inode->id, version, name);
	fd = openat(inode->volume->versionsfd, name, O_RDWR | O_CLOEXEC);
	at = lseek(fd, -at, SEEK_END);
	if (pread(fd, &byte, 1, at) != 1)
		bail_out(name);
	byte ^= 1;
	if (pwrite(fd, &byte, 1, at) != 1)
		bail_out(name);
}

static void forget_chain(void)
{
	chain_unref(chain);
	chain_unref(inode->chain);
	inode->chain = NULL;
	inode->no_past = false;
	if (chain_of(lake, inode, &chain))
		bail_out("chain_of");
}

/* What its row says was saved of a version is missed when it is damaged, be it at the end. */
static void test_damaged(void)
{
	uint64_t first, second, stored = 0;
	char byte;
	struct record *r;

	begin("damaged", 'A');
	first = inode->version;
	change('B', 0, 10);
	change('B', 128 * KIB, 10);
	is_int(chain_how(chain, first, SIZE, &stored), HOW_UNDO, "a version is changed twice");
	second = cut(SIZE);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	record_version_state(r, first, VERSION_KEPT, HOW_UNDO, NULL);
	record_version_how(r, first, HOW_UNDO, stored);
	record_version_add(
		r, &(struct version_row){
			   .id = second, .node = inode->id, .size = SIZE, .state = VERSION_LIVE, .settled = true});
	inode->version = second;
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
	forget_chain();
	ok(says(first, 'A', 0, SIZE), "and is read as it was");
	flip(first, 5);
	forget_chain();
	is_int(chain_reach(lake, chain, first), 0, "a byte of its last record rots");
	is_int(chain_read(chain, first, rawfd, &byte, 1, 128 * KIB), -EIO, "what was there is not passed for it");
	ok(says(first, 'A', 0, 64 * KIB), "the rest of it is read");
	flip(first, 5);
	flip(first, 64 * KIB + 20);
	forget_chain();
	is_int(chain_reach(lake, chain, first), -EIO, "nothing is when it is not known what is missing");
	ok(says(second, 'B', 0, 10), "but the next version");
	flip(first, 64 * KIB + 20);
	forget_chain();
	ok(says(first, 'A', 0, SIZE), "right again");
	end();
}

/* MANY versions of FIRST's node that were appended to, and one that was changed in place among them. */
static uint64_t add_many(uint64_t live, uint64_t undone)
{
	uint64_t first = 0;

	for (int i = 0; i < MANY; i += 1000) {
		struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);

		if (!i)
			record_version_state(r, live, VERSION_KEPT, HOW_PREFIX, NULL);
		for (int n = i; n < i + 1000; n++) {
			struct version_row v = {.id = store_new_version(lake->store),
						.node = inode->id,
						.size = SIZE,
						.state = n == MANY - 1 ? VERSION_LIVE : VERSION_KEPT,
						.how = n == MANY - 1	       ? HOW_NONE
						       : (uint64_t)n == undone ? HOW_UNDO
									       : HOW_PREFIX,
						.settled = true};

			first = first ? first : v.id;
			record_version_add(r, &v);
			inode->version = v.id;
		}
		store_submit(lake->store, r, NULL);
	}
	store_barrier(lake->store, 0);
	return first;
}

/* Of the chain, and of VERSION, unless that is 0. */
static int64_t opening(uint64_t version)
{
	int64_t begun = clock_monotonic();
	int rc = chain_of(lake, inode, &chain);

	if (!rc && version)
		rc = chain_reach(lake, chain, version);
	begun = clock_monotonic() - begun;
	is_int(rc, 0, version ? "its first version can be read" : "its chain is there");
	diag("after %lld us", (long long)begun / 1000);
	return begun;
}

/* The store is not asked for all of them. */
static void test_long(void)
{
	int64_t limit = getenv("TARN_SANITIZE") && strcmp(getenv("TARN_SANITIZE"), "no") ? 50 * SOON_NS : SOON_NS;
	struct version_row row = {0};
	uint64_t first;

	begin("long", 'A');
	chain_unref(chain);
	chain_unref(inode->chain);
	inode->chain = NULL;
	inode->no_past = false;
	first = add_many(inode->version, MANY);
	ok(opening(0) < limit, "of a file with %d versions at once", MANY);
	chain_unref(chain);
	ok(opening(first) < limit, "as soon");
	ok(says(first, 'A', 0, SIZE), "which is read through all others");
	ok(kept_needs_raw(lake, inode), "that they need the raw file is known");
	store_version(lake->store, first + MANY / 2, &row);
	ok(kept_is_needed(lake, &row), "and that one in between is needed");
	end();
}

int main(void)
{
	test_begin("storage: {local_capacity_gb: 100}\n");
	make_folder(in_lake("buckets/b"));
	open_lake();
	test_changes();
	test_whole();
	test_lost();
	test_damaged();
	test_long();
	close_lake();
	return test_end();
}
