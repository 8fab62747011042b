/*
 * Recalls: the right bytes or an error, soon, with few of them moved, however the remote behaves. The remote is a
 * stand-in whose bytes come late, short, wrong, or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/recall/extents.h"
#include "content/recall/part_map.h"
#include "content/recall/recall.h"
#include "tap.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

static char folder[4096];
static int cachefd = -1;
static struct recalls *set;

/* ---- the remote ---- */

static struct {
	uint64_t size;
	const char *etag;
	_Atomic uint64_t moved, requests;
	_Atomic int fail_after;	     /* so many more requests go well, then one fails; <0: none does */
	_Atomic unsigned fail_every; /* of so many requests one goes well; 0: all do */
	_Atomic int error;	     /* of those that fail */
	_Atomic uint64_t cut;	     /* they end after so many bytes; 0: before the first */
	_Atomic bool says_whole;     /* and claim that this was all */
	_Atomic uint64_t wrong;	     /* this byte is another one; 0: none */
	_Atomic int delay_ms;	     /* before the first byte */
	_Atomic int linger_ms;	     /* after the last one: who fetches comes late to what follows */
	_Atomic bool stuck;	     /* nothing comes until it is stopped, or false again */
	_Atomic int busy, most_busy;
} remote;

static unsigned char byte_at(uint64_t at)
{
	return (unsigned char)((at * 2654435761u >> 13) ^ (at >> 20));
}

static void fill(unsigned char *to, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(at + i);
}

static bool is_right(const unsigned char *bytes, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(at + i))
			return false;
	return true;
}

static int send_bytes(const struct tier_get *g, uint64_t len)
{
	_cleanup_free_ unsigned char *piece = malloc(64 * KIB);
	uint64_t at = g->offset, end = at + len;
	int rc = 0;

	while (!rc && at < end) {
		uint64_t n = end - at < 64 * KIB ? end - at : 64 * KIB;

		fill(piece, n, at);
		if (remote.wrong && at <= remote.wrong && remote.wrong < at + n)
			piece[remote.wrong - at] ^= 1;
		remote.moved += n;
		rc = g->sink(g->arg, piece, n);
		at += n;
	}
	return rc;
}

static int wait_stuck(const struct tier_call *call)
{
	int64_t since = clock_monotonic();

	while (remote.stuck) {
		if (call->stop && call->stop(call->arg))
			return -ECANCELED;
		if (clock_monotonic() - since > call->patience)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

static int serve(const struct tier_get *g, const struct tier_call *call, struct tier_head *head)
{
	uint64_t len = g->offset + g->length > remote.size ? remote.size - g->offset : g->length;
	bool fails = (remote.fail_after >= 0 && remote.fail_after-- <= 0) ||
		     (remote.fail_every && remote.requests % remote.fail_every);
	int rc = wait_stuck(call);

	if (rc)
		return rc;
	usleep((useconds_t)remote.delay_ms * 1000);
	if (g->etag && strcmp(g->etag, remote.etag) != 0)
		return -ESTALE;
	if (fails && !remote.cut)
		return remote.error;
	*head = (struct tier_head){.size = remote.size};
	snprintf(head->etag, sizeof(head->etag), "%s", remote.etag);
	rc = send_bytes(g, fails && remote.cut < len ? remote.cut : len);
	usleep((useconds_t)remote.linger_ms * 1000);
	return rc || !fails || remote.says_whole ? rc : remote.error;
}

static int stand_in(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head)
{
	int busy = ++remote.busy, rc;

	(void)t;
	remote.requests++;
	if (busy > remote.most_busy)
		remote.most_busy = busy;
	rc = serve(g, call, head);
	remote.busy--;
	return rc;
}

static int asked_back;

static int ask_back(struct tier *t, const char *key, int days, const struct tier_call *call)
{
	(void)t, (void)key, (void)days, (void)call;
	asked_back++;
	return -EINPROGRESS;
}

/* What was fetched ahead for the reader before is over. */
static void behave(uint64_t size)
{
	remote.stuck = false;
	while (remote.busy)
		usleep(1000);
	remote.size = size;
	remote.etag = "one";
	remote.moved = remote.requests = 0;
	remote.fail_after = -1;
	remote.fail_every = 0;
	remote.error = -EIO;
	remote.cut = remote.wrong = 0;
	remote.says_whole = remote.stuck = false;
	remote.delay_ms = remote.linger_ms = 0;
	remote.most_busy = 0;
}

/* ---- who reads ---- */

static struct tier *tier;
static uint64_t ids = 0xabc;

static struct recall_source source_of(uint64_t id, bool hashed)
{
	struct recall_source s = {.id = id, .key = "p/b/file", .etag = "one", .size = remote.size, .hashed = hashed};
	_cleanup_free_ unsigned char *all = malloc(remote.size + 1);

	if (!hashed)
		return s;
	fill(all, remote.size, 0);
	EVP_Digest(all, remote.size, s.sha256, NULL, EVP_sha256(), NULL);
	return s;
}

static struct recall *open_source(const struct recall_source *s)
{
	struct recall *r = NULL;
	int rc = recall_open(set, tier, cachefd, s, &r);

	if (rc < 0)
		printf("Bail out! recall_open: %s\n", strerror(-rc));
	return r;
}

static struct recall *open_new(uint64_t size, bool hashed)
{
	struct recall_source s;

	behave(size);
	s = source_of(++ids, hashed);
	return open_source(&s);
}

/* 0: the right bytes; 1: wrong ones; else -errno. */
static int read_at(struct recall *r, uint64_t at, size_t len)
{
	_cleanup_free_ unsigned char *got = malloc(len);
	size_t wanted = at >= remote.size ? 0 : at + len > remote.size ? remote.size - at : len;
	ssize_t n = recall_read(r, got, len, at, NULL);

	return n < 0 ? (int)n : (size_t)n == wanted && is_right(got, wanted, at) ? 0 : 1;
}

static int read_all(struct recall *r, size_t piece)
{
	int rc = 0;

	for (uint64_t at = 0; !rc && at < remote.size; at += piece)
		rc = read_at(r, at, piece);
	return rc;
}

static bool has_file(const char *suffix)
{
	char command[4200];

	snprintf(command, sizeof(command), "ls '%s'/%llx-*.%s >/dev/null 2>&1", folder, (unsigned long long)ids,
		 suffix);
	return system(command) == 0;
}

/* Another daemon. */
static void restart(void)
{
	recalls_free(set);
	set = NULL;
	recalls_new(&set);
}

/* Is all that is said to be here, here? */
static bool is_here_right(struct recall *r)
{
	_cleanup_free_ unsigned char *got = malloc(64 * KIB);
	bool right = true;

	for (uint64_t at = 0; right && at < remote.size; at += 64 * KIB) {
		ssize_t n = recall_read_here(r, got, 64 * KIB, at);

		right = n == -EAGAIN || (n >= 0 && is_right(got, (size_t)n, at));
	}
	return right;
}

/* ---- extents ---- */

static void test_extents(void)
{
	struct extents e = {0};
	struct extent gap;
	bool model[256] = {0}, same = true;

	srand(7);
	for (int i = 0; i < 20000 && same; i++) {
		unsigned a = (unsigned)rand() % 256, b = (unsigned)rand() % 257, add = rand() % 2;
		uint64_t bytes = 0;

		if (add)
			extents_add(&e, a, b);
		else
			extents_remove(&e, a, b);
		for (unsigned k = a; k < b; k++)
			model[k] = add;
		for (unsigned k = 0; k < 256; k++)
			bytes += model[k];
		for (unsigned k = 0; k < 256; k++)
			same = same && extents_cover(&e, k, k + 1) == model[k];
		for (size_t k = 1; k < e.n; k++)
			same = same && e.list[k - 1].to < e.list[k].from;
		same = same && bytes == e.bytes && extents_within(&e, 0, 256) == bytes;
		if (extents_gap(&e, a, 256, &gap))
			same = same && !model[gap.from] && gap.from < gap.to && !extents_touch(&e, gap.from, gap.to);
	}
	ok(same, "a set of ranges is what a bitmap says");
	extents_release(&e);
}

/* ---- the map ---- */

static void test_map(void)
{
	uint8_t one[PART_CONTENT] = {1}, other[PART_CONTENT] = {2};
	struct extents here = {0};
	struct part_map *m = NULL;
	struct stat st;
	int fd, rc;

	rc = part_map_open(cachefd, "m", 100 * MIB, one, &m, &here);
	ok(!rc && !here.n, "a new map is empty");
	part_map_here(m, 0, MIB);
	part_map_here(m, 2 * MIB, 9 * MIB);
	part_map_gone(m, 3 * MIB, 4 * MIB);
	part_map_close(m);
	rc = part_map_open(cachefd, "m", 100 * MIB, one, &m, &here);
	ok(!rc && here.n == 3 && here.bytes == 7 * MIB, "what was noted is known again");
	part_map_here(m, 10 * MIB, 11 * MIB);
	part_map_close(m);
	fd = openat(cachefd, "m", O_RDWR | O_CLOEXEC);
	if (fstat(fd, &st) || ftruncate(fd, st.st_size - 7))
		printf("Bail out! no map\n");
	rc = part_map_open(cachefd, "m", 100 * MIB, one, &m, &here);
	ok(!rc && here.bytes == 7 * MIB, "a record that was cut off does not count");
	part_map_here(m, 20 * MIB, 21 * MIB);
	part_map_close(m);
	rc = part_map_open(cachefd, "m", 100 * MIB, one, &m, &here);
	ok(!rc && here.bytes == 8 * MIB && extents_cover(&here, 20 * MIB, 21 * MIB),
	   "and the next one stands in its place");
	part_map_close(m);
	if (pwrite(fd, "x", 1, PART_HEADER + PART_RECORD + 9) != 1)
		printf("Bail out! no map\n");
	rc = part_map_open(cachefd, "m", 100 * MIB, one, &m, &here);
	ok(!rc && here.bytes == MIB, "a damaged record ends the map");
	part_map_close(m);
	rc = part_map_open(cachefd, "m", 100 * MIB, other, &m, &here);
	ok(!rc && !here.n, "a map of another content begins anew");
	part_map_close(m);
	close(fd);
	extents_release(&here);
	unlinkat(cachefd, "m", 0);
}

/* ---- reading ---- */

static void test_random(void)
{
	struct recall *r = open_new(100 * MIB, true);

	is_int(read_at(r, 50 * MIB + 12345, 64 * KIB), 0, "64 KiB from the middle are right");
	ok(remote.moved <= 512 * KIB && remote.requests == 1, "one request moved %llu bytes for them",
	   (unsigned long long)remote.moved);
	for (int i = 0; i < 10; i++)
		read_at(r, (uint64_t)(i * 7 % 10) * 9 * MIB + 777, 4096);
	ok(remote.moved <= 11 * 512 * KIB, "ten reads here and there move %llu KiB",
	   (unsigned long long)remote.moved / 1024);
	is_int(read_at(r, 100 * MIB - 10, 4096), 0, "the end is right");
	is_int(read_at(r, 100 * MIB, 4096), 0, "there is nothing behind the end");
	is_int(read_at(r, UINT64_MAX - 5000, 4096), 0, "nor far behind it");
	ok(recall_has(r, 50 * MIB + 12345, 4096) && !recall_has(r, 60 * MIB, 4096), "what is here is known");
	recall_close(r);
}

static void test_sequential(void)
{
	struct recall *r = open_new(96 * MIB + 12345, true);
	uint64_t early;

	remote.delay_ms = 2;
	read_at(r, 0, 128 * KIB);
	early = remote.moved;
	ok(early <= 256 * KIB, "the first read moves %llu KiB", (unsigned long long)early / 1024);
	is_int(read_all(r, 128 * KIB), 0, "a file that is read in order is right");
	ok(remote.moved == remote.size, "each byte was moved once");
	ok(remote.most_busy >= 4, "by %d requests at once", remote.most_busy);
	ok(remote.requests < 80, "%llu in all", (unsigned long long)remote.requests);
	ok(recall_is_whole(r), "it is whole and verified");
	recall_close(r);
	restart();
	ok(has_file("whole") && !has_file("map") && !has_file("part"), "its name says so");
	{
		struct recall_source s = source_of(ids, true);

		remote.fail_after = 0;
		r = open_source(&s);
		is_int(read_all(r, MIB), 0, "the next daemon needs no remote for it");
		recall_close(r);
	}
}

static void test_whole(void)
{
	struct recall *r = open_new(5 * MIB, true);
	uint8_t sha256[SHA256_BYTES];
	struct recall_source s = source_of(ids, true);
	struct stat st;

	is_int(recall_whole(r, NULL), 0, "a whole one");
	recall_sha256(r, sha256);
	ok(!memcmp(sha256, s.sha256, sizeof(sha256)), "its SHA-256 is known");
	is_int(recall_take(r, cachefd, "taken"), 0, "its file can be taken");
	ok(!fstatat(cachefd, "taken", &st, 0) && (uint64_t)st.st_size == remote.size, "and is all of it");
	is_int(recall_take(r, cachefd, "taken2"), -ENOENT, "but once");
	is_int(read_all(r, MIB), 0, "who has it open reads on");
	recall_close(r);
	unlinkat(cachefd, "taken", 0);

	r = open_new(0, true);
	is_int(recall_whole(r, NULL), 0, "an empty one is whole");
	ok(recall_is_whole(r) && !remote.requests, "without a request");
	recall_close(r);

	r = open_new(3 * MIB, false);
	is_int(recall_whole(r, NULL), 0, "one whose SHA-256 is not known");
	recall_sha256(r, sha256);
	s = source_of(ids, true);
	ok(!memcmp(sha256, s.sha256, sizeof(sha256)), "has one then");
	recall_close(r);
}

/* ---- faults ---- */

static void test_errors(void)
{
	struct recall *r = open_new(20 * MIB, true);

	remote.fail_after = 0;
	remote.error = -EHOSTUNREACH;
	is_int(read_at(r, 5 * MIB, 4096), -EHOSTUNREACH, "an unreachable remote is an error");
	remote.fail_after = -1;
	is_int(read_at(r, 5 * MIB, 4096), -EHOSTUNREACH, "also for who asks again at once");
	sleep(3);
	is_int(read_at(r, 5 * MIB, 4096), 0, "and the next read tries again");
	remote.fail_after = 0;
	remote.error = -EIO;
	remote.cut = 70000;
	is_int(read_at(r, 10 * MIB, 4096), 0, "what came before a body was cut off is good");
	is_int(read_at(r, 10 * MIB + 100000, 4096), 0, "and the rest is fetched by who wants it");
	remote.fail_after = 0;
	remote.says_whole = true;
	is_int(read_at(r, 15 * MIB + 100000, 4096), -ESTALE, "an object that is too short is another one");
	recall_close(r);

	r = open_new(20 * MIB, true);
	remote.fail_after = 0;
	remote.error = -ENODATA;
	is_int(read_at(r, 0, 4096), -ENODATA, "an archived object cannot be read");
	is_int(asked_back, 1, "but was asked for");
	remote.fail_after = 0;
	remote.error = -EACCES;
	is_int(read_at(r, 0, 4096), -EACCES, "what is refused is refused");
	recall_close(r);
}

static void test_other_object(void)
{
	struct recall *r = open_new(20 * MIB, true);
	struct recall_source s = source_of(ids, true);

	is_int(read_at(r, 0, 4096), 0, "an object");
	remote.etag = "two";
	is_int(read_at(r, 10 * MIB, 4096), -ESTALE, "that becomes another one is an error");
	is_int(read_at(r, 0, 4096), 0, "what came before is good still");
	s.etag = "two";
	is_int(recall_open(set, tier, cachefd, &s, &r), 0, "opened again with its new place");
	is_int(read_at(r, 10 * MIB, 4096), 0, "it is read on");
	recall_close(r);
	recall_close(r);

	behave(20 * MIB);
	s = source_of(++ids, false);
	s.etag = "";
	r = open_source(&s);
	is_int(read_at(r, 0, 4096), 0, "one whose ETag is not known");
	remote.etag = "two";
	is_int(read_at(r, 10 * MIB, 4096), -ESTALE, "is that of the first answer");
	recall_close(r);

	r = open_new(20 * MIB, true);
	remote.size = 21 * MIB;
	is_int(read_at(r, 0, 4096), -ESTALE, "one of another size is another one");
	recall_close(r);
}

static void test_damage(void)
{
	struct recall *r = open_new(40 * MIB, true);
	struct recall_source s = source_of(ids, true);
	int rc = 0;

	remote.wrong = 17 * MIB + 5;
	for (uint64_t at = 0; rc >= 0 && at < remote.size; at += MIB)
		rc = read_at(r, at, MIB);
	is_int(rc, -EIO, "who reads a damaged object to its end gets an error");
	is_int(recall_whole(r, NULL), -EIO, "it never counts as whole");
	recall_close(r);
	restart();
	ok(!has_file("whole"), "nor for the next daemon");
	remote.wrong = 0;
	r = open_source(&s);
	is_int(read_all(r, MIB), 0, "for which nothing of it counts");
	recall_close(r);
}

static bool stop_at(void *arg)
{
	return clock_monotonic() > *(int64_t *)arg;
}

static void test_waiting(void)
{
	struct recall *r = open_new(20 * MIB, true);
	int64_t began = clock_monotonic(), stop = began + 300 * NSEC_PER_MSEC;
	struct tier_call call = {.stop = stop_at, .arg = &stop};
	char byte;

	remote.stuck = true;
	is_int(recall_read(r, &byte, 1, 0, &call), -ECANCELED, "who is interrupted does not wait");
	ok(clock_monotonic() - began < 2 * NSEC_PER_SEC, "any longer");
	began = clock_monotonic();
	call = (struct tier_call){.patience = 500 * NSEC_PER_MSEC};
	is_int(recall_read(r, &byte, 1, 0, &call), -ETIMEDOUT, "a remote that says nothing is an error");
	ok(clock_monotonic() - began < 3 * NSEC_PER_SEC, "in time");
	remote.stuck = false;
	is_int(read_at(r, 0, 4096), 0, "when it goes on it is read");
	remote.stuck = true;
	recall_want(r, 10 * MIB, 1, &(struct tier_call){.patience = NSEC_PER_MSEC});
	recall_close(r);
	began = clock_monotonic();
	restart();
	ok(clock_monotonic() - began < 3 * NSEC_PER_SEC, "the end waits for no remote");
}

/* ---- a crash ---- */

static int failing_sync(int fd)
{
	(void)fd;
	errno = EIO;
	return -1;
}

static void test_crash(void)
{
	struct recall *r;
	struct recall_source s;
	uint64_t moved;
	int status = 0;
	pid_t child;

	restart();
	behave(64 * MIB);
	s = source_of(++ids, true);
	fflush(stdout);
	recalls_free(set);
	set = NULL;
	child = fork();
	if (!child) { /* reads half of it, and is killed while it reads on */
		recalls_new(&set);
		recall_open(set, tier, cachefd, &s, &r);
		for (uint64_t at = 0; at < 32 * MIB; at += MIB)
			if (read_at(r, at, MIB))
				_exit(1);
		sleep(4);
		for (uint64_t at = 32 * MIB; at < 40 * MIB; at += MIB)
			read_at(r, at, MIB);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status), "a daemon was killed");
	recalls_new(&set);
	r = open_source(&s);
	ok(recall_has(r, 0, 32 * MIB), "what it had made durable is there");
	is_int(read_all(r, MIB), 0, "the rest is fetched, and all is right");
	moved = remote.moved;
	ok(moved <= 32 * MIB, "no more than was missing (%llu MiB)", (unsigned long long)(moved / MIB));
	recall_close(r);

	restart();
	recall_calls.sync = failing_sync;
	r = open_new(64 * MIB, true);
	read_at(r, 0, MIB);
	recall_close(r);
	restart();
	recall_calls.sync = fdatasync;
	s = source_of(ids, true);
	r = open_source(&s);
	ok(!recall_has(r, 0, 1), "what could not be made durable does not count");
	recall_close(r);
}

/* ---- a small disk ---- */

#define DISK (48 * MIB)

/* Many small ones are made durable together when it ends. */
static void test_end_of_many(void)
{
	uint64_t first = ids + 1;
	bool right = true;

	restart();
	for (int i = 0; i < 20; i++) {
		struct recall *r = open_new(MIB, i % 2);

		right &= !read_all(r, MIB);
		recall_close(r);
	}
	restart();
	for (uint64_t id = first; id < first + 20; id++) {
		struct recall_source s = source_of(id, (id - first) % 2);
		struct recall *r = open_source(&s);

		right &= recall_has(r, 0, MIB) && !read_all(r, MIB);
		recall_close(r);
	}
	ok(right, "twenty that were fetched before the end are there");
}

static uint64_t used_now(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;
	uint64_t used = 0;

	while (d && (e = readdir(d)))
		if (!fstatat(cachefd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			used += (uint64_t)st.st_blocks * 512;
	closedir(d);
	return used;
}

static uint64_t small_disk(int fd, uint64_t *total)
{
	uint64_t used = used_now();

	(void)fd;
	*total = DISK;
	return used < DISK ? DISK - used : 0;
}

/* From AT on, in order: what read_at() says. */
static int read_from(struct recall *r, uint64_t at)
{
	int rc = 0;

	for (; !rc && at < remote.size; at += MIB)
		rc = read_at(r, at, MIB);
	return rc;
}

static void test_room_of_others(void)
{
	struct recall *r = open_new(160 * MIB + 5, true);
	unsigned seed = 5;
	int rc = 0;

	is_int(read_from(r, 10 * MIB), 0, "who begins in its middle reads on to its end");
	recall_close(r);

	r = open_new(160 * MIB + 5, true);
	for (int i = 0; !rc && i < 200; i++)
		rc = read_at(r, (uint64_t)rand_r(&seed) * 977 % remote.size, MIB);
	is_int(rc, 0, "who reads here and there never finds the disk full");
	recall_close(r);

	r = open_new(160 * MIB + 5, true);
	remote.linger_ms = 200;
	is_int(read_from(r, 0), 0, "nor who reads in order, where those who fetch are late to hash");
	recall_close(r);
}

static _Atomic uint64_t tiny;

static uint64_t tiny_room(int fd, uint64_t *total)
{
	(void)fd;
	*total = DISK;
	return tiny;
}

static void *read_one(void *arg)
{
	return (void *)(intptr_t)read_at(arg, MIB, 4096);
}

/* What was to be fetched ahead, and is waited for before its turn came, does not fit; what is waited for does. */
static void test_room_for_less(void)
{
	struct recall *other = open_new(64 * MIB, true), *r;
	struct recall_source s = source_of(++ids, true);
	pthread_t reader;
	void *rc = NULL;

	tiny = 200 * MIB;
	recall_calls.room = tiny_room;
	r = open_source(&s);
	remote.stuck = true;
	recall_fetch_ahead(other, 0, 64 * MIB);
	while (remote.busy < RECALL_THREADS)
		usleep(1000);
	recall_fetch_ahead(r, 0, 8 * MIB);
	pthread_create(&reader, NULL, read_one, r);
	usleep(50000);
	tiny = 4 * MIB;
	remote.stuck = false;
	pthread_join(reader, &rc);
	is_int((int)(intptr_t)rc, 0, "little room is enough for who wants little of what was to be fetched ahead");
	tiny = 0;
	is_int(read_at(r, 5 * MIB, 4096), -ENOSPC, "no room is none");
	recall_close(other);
	recall_close(r);
}

static void test_room(void)
{
	uint64_t (*room)(int fd, uint64_t *total) = recall_calls.room;
	uint64_t most = 0;
	struct recall *r;
	int rc = 0;

	restart();
	recall_calls.room = small_disk;
	r = open_new(160 * MIB + 5, true);
	for (uint64_t at = 0; !rc && at < remote.size; at += MIB) {
		rc = read_at(r, at, MIB);
		if (used_now() > most)
			most = used_now();
	}
	is_int(rc, 0, "a file that is larger than the disk is read in order");
	ok(most <= DISK, "in no more room than there is (%llu MiB)", (unsigned long long)(most / MIB));
	ok(remote.moved <= remote.size + 4 * MIB, "moving it once (%llu MiB)",
	   (unsigned long long)(remote.moved / MIB));
	is_int(read_at(r, 5 * MIB, 4096), 0, "who goes back reads it again");
	recall_close(r);

	r = open_new(20 * MIB, true);
	is_int(recall_whole(r, NULL), 0, "what nobody has open gives its room");
	recall_close(r);

	r = open_new(160 * MIB, true);
	remote.wrong = 100 * MIB + 5;
	for (uint64_t at = 0; rc >= 0 && at < remote.size; at += MIB)
		rc = read_at(r, at, MIB);
	is_int(rc, -EIO, "damage is found although not all is there at once");
	recall_close(r);
	test_room_of_others();
	test_room_for_less();
	restart();
	recall_calls.room = room;
}

/* ---- many at once ---- */

static struct recall *shared;
static _Atomic int wrong_reads;

static void *read_some(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 60; i++) {
		uint64_t at = (uint64_t)rand_r(&seed) * 977 % remote.size;
		int rc = read_at(shared, seed % 3 ? at : (uint64_t)i * MIB, 200 * KIB);

		wrong_reads += rc == 1 || (rc < 0 && !remote.fail_every);
	}
	return NULL;
}

static void run_readers(void)
{
	pthread_t threads[12];

	for (size_t i = 0; i < 12; i++)
		pthread_create(&threads[i], NULL, read_some, (void *)(i + 1));
	for (size_t i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
}

static void test_threads(void)
{
	shared = open_new(80 * MIB, true);
	run_readers();
	is_int(wrong_reads, 0, "twelve readers of one file read it right");
	ok(remote.moved <= remote.size, "and move nothing twice");
	is_int(recall_whole(shared, NULL), 0, "it can be had whole");
	is_int(read_all(shared, MIB), 0, "and is right");
	recall_close(shared);

	shared = open_new(80 * MIB, true);
	remote.fail_every = 3;
	remote.cut = 100000;
	wrong_reads = 0;
	run_readers();
	is_int(wrong_reads, 0, "where two requests of three fail no byte is wrong");
	remote.fail_every = 0;
	is_int(read_all(shared, MIB), 0, "and it goes on when they do not");
	recall_close(shared);
}

/* What goes while others read it, fetch it again, and make durable what came. */
static void test_threads_without_room(void)
{
	uint64_t (*room)(int fd, uint64_t *total) = recall_calls.room;
	struct recall_source s;

	restart();
	recall_calls.room = small_disk;
	shared = open_new(120 * MIB, true);
	s = source_of(ids, true);
	wrong_reads = 0;
	run_readers();
	is_int(wrong_reads, 0, "twelve readers of one file that has no room read it right");
	recall_close(shared);
	restart();
	shared = open_source(&s);
	ok(is_here_right(shared), "and what the next daemon finds of it is right");
	recall_close(shared);
	restart();
	recall_calls.room = room;
}

/* ---- a folder as the remote ---- */

static int open_remote(void)
{
	static struct settings settings;
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_free_ char *path = NULL;
	int rc;

	if (asprintf(&path, "%s/remote", folder) < 0 || mkdir(path, 0700))
		return -ENOMEM;
	settings = (struct settings){.refs = 1, .cloud_provider = strdup("dir"), .cloud_allow_same_disk = true};
	settings.cloud_path = strdup(path);
	rc = tier_open(&settings, NULL, NULL, &tier, &why);
	if (rc < 0)
		diag("%s", buf_str(&why));
	return rc;
}

static ssize_t read_remote(void *arg, void *to, size_t len, uint64_t at)
{
	(void)arg;
	if (at >= remote.size)
		return 0;
	len = at + len > remote.size ? remote.size - at : len;
	fill(to, len, at);
	return (ssize_t)len;
}

static int put_remote(const char *key, struct tier_head *head)
{
	struct tier_put p = {.key = key, .source = {remote.size, read_remote, NULL}};

	return tier_put(tier, &p, NULL, head);
}

static void test_folder(void)
{
	struct recall_source s;
	struct tier_head head;
	struct recall *r;

	behave(20 * MIB + 77);
	is_int(put_remote("p/b/file", &head), 0, "a file in a folder");
	s = source_of(++ids, true);
	s.etag = head.etag;
	r = open_source(&s);
	is_int(read_at(r, 10 * MIB, 64 * KIB), 0, "is read in its middle");
	is_int(read_all(r, MIB), 0, "and whole");
	ok(recall_is_whole(r), "it is verified then");
	recall_close(r);

	s.id = ++ids;
	r = open_source(&s);
	is_int(read_at(r, 0, 10), 0, "it is read again");
	remote.size += MIB;
	put_remote("p/b/file", &head);
	remote.size -= MIB;
	is_int(read_at(r, 15 * MIB, 10), -ESTALE, "somebody puts another one there");
	recall_close(r);
	s.id = ++ids;
	s.key = "p/b/none";
	r = open_source(&s);
	is_int(read_at(r, 0, 10), -ESTALE, "one that is not there is an error");
	recall_close(r);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "%s/tarn-recall-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(folder) || (cachefd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return skip_all("a folder to work in");
	if (open_remote())
		return skip_all("a folder as a remote");
	recall_calls.restore = ask_back;
	recalls_new(&set);
	test_folder();
	recall_calls.get = stand_in;
	test_extents();
	test_map();
	test_random();
	test_sequential();
	test_whole();
	test_errors();
	test_other_object();
	test_damage();
	test_waiting();
	test_crash();
	test_end_of_many();
	test_room();
	test_threads();
	test_threads_without_room();
	recalls_free(set);
	tier_unref(tier);
	close(cachefd);
	snprintf(folder + strlen(folder), sizeof(folder) - strlen(folder), "/");
	{
		char command[4200];

		snprintf(command, sizeof(command), "rm -rf '%s'", folder);
		if (system(command))
			diag("%s is left", folder);
	}
	return done();
}
