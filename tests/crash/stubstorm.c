/*
 * Files go to the cloud and come back, are rewritten, written in place, renamed and removed meanwhile, until somebody
 * kills this process or takes the power from its disk; then what is there is compared with what was done.
 *
 *	stubstorm LAKE MODEL make		makes the files, and puts them into the cloud
 *	stubstorm LAKE MODEL storm SEED [calm]	does random things until it is killed. calm: only evictions, recalls
 *						and what is written to stubs
 *	stubstorm LAKE MODEL check		TAP: are all files, and all versions, what MODEL says?
 *
 * MODEL is a file that is mapped: what was done stands there at once, whatever becomes of the process. The operation
 * under way may have happened or not.
 */
#include <sys/mman.h>

#include "../unit/test_stub.h"
#include "content/recall/recall.h"
#include "ns/ns.h"

#define FILES 24
#define BYTES 40000

#define NUMBERS 100000

/* What a file has: bytes that its number says. 0: there is no such file. */
struct model {
	uint32_t based[NUMBERS]; /* of a number: the one whose bytes it has but for a few; 0: all are its own */
	uint32_t now[FILES];
	uint32_t next[FILES]; /* once the operation under way is done */
	uint32_t last;	      /* number given out */
	uint32_t evicted, recalled, written, to_stubs, done;
};

static struct model *model;
static struct actor actor;
static uint64_t folder;

static void map_model(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*model)) < 0)
		bail_out(path);
	model = mmap(NULL, sizeof(*model), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (model == MAP_FAILED)
		bail_out(path);
	close(fd);
}

static void name_of(int file, char name[16])
{
	snprintf(name, 16, "f%d", file);
}

static const char *path_of(int file)
{
	static char path[32];

	snprintf(path, sizeof(path), "b/f%d", file);
	return path;
}

/* What NUMBER has of its own: from where on, and how many. */
static size_t place_of(uint32_t number, size_t base, size_t *len)
{
	size_t at = base ? number * 7919u % (base + 2000) : 0;

	*len = base ? 1 + number * 31u % 5000 : 1 + number * 7919u % BYTES;
	if (*len > BYTES - at)
		*len = BYTES - at;
	return at;
}

static size_t size_of(uint32_t number)
{
	size_t base = model->based[number] ? size_of(model->based[number]) : 0, len, at = place_of(number, base, &len);

	return at + len > base ? at + len : base;
}

static void fill_own(uint32_t number, char *bytes, size_t len)
{
	uint32_t x = number * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (char)(x >> 24);
	}
}

static void fill(uint32_t number, char *bytes)
{
	size_t base = 0, len, at;

	if (model->based[number]) {
		fill(model->based[number], bytes);
		base = size_of(model->based[number]);
	}
	at = place_of(number, base, &len);
	if (at > base)
		memset(bytes + base, 0, at - base);
	fill_own(number, bytes + at, len);
}

static uint32_t new_number(uint32_t based)
{
	if (++model->last == NUMBERS) {
		errno = ERANGE;
		bail_out("numbers");
	}
	model->based[model->last] = based;
	return model->last;
}

/* ---- what is done ---- */

static void begin(void)
{
	memcpy(model->next, model->now, sizeof(model->now));
}

static void end(void)
{
	memcpy(model->now, model->next, sizeof(model->now));
	model->done++;
}

static uint64_t number_of(int file)
{
	struct inode *inode = look_up(path_of(file));
	uint64_t id = inode ? inode->id : 0;

	if (!inode)
		return 0;
	inode_look_up(lake, inode); /* as a kernel would: it stays in memory */
	inode_unref(lake, inode);
	return id;
}

static void write_bytes(struct open_file *f, uint32_t number)
{
	static char bytes[BYTES + 1];
	int fd = open_file_fd(lake, f);

	fill(number, bytes);
	if (ns_before_write(lake, f, &actor, 0, size_of(number)) < 0 ||
	    pwrite(fd, bytes, size_of(number), 0) != (ssize_t)size_of(number))
		bail_out("write");
	ns_after_write(f);
}

static void rewrite(int file)
{
	struct open_file *f = NULL;
	struct ns_entry e = {0};
	struct handle *h;
	char name[16];
	uint64_t ino = number_of(file);
	int rc;

	name_of(file, name);
	begin();
	model->next[file] = new_number(0);
	if (ino) {
		rc = ns_open(lake, ino, O_WRONLY | O_TRUNC, &actor, &f);
	} else {
		rc = ns_create(lake, folder, name, 0644, O_WRONLY | O_CREAT | O_EXCL, &actor, &e, &h);
		f = rc ? NULL : open_file_of(lake, h);
	}
	if (!f) {
		errno = -rc;
		bail_out("open");
	}
	write_bytes(f, model->next[file]);
	ns_release(lake, f);
	ns_forget(lake, ino ? ino : e.ino, 1);
	end();
}

static ssize_t write_at(struct open_file *f, const char *bytes, size_t len, size_t at)
{
	ssize_t n;
	int fd;

	if (ns_writes_stub(f))
		return ns_write_stub(lake, f, &actor, bytes, len, (off_t)at);
	fd = open_file_fd(lake, f);
	n = fd < 0 ? fd : ns_before_write(lake, f, &actor, (off_t)at, len);
	if (n < 0)
		return n;
	n = pwrite(fd, bytes, len, (off_t)at);
	ns_after_write(f);
	return n;
}

/* Some bytes in the midst, at the end or behind it, and durable. STUBS: only of those. */
static void write_some(int file, bool stubs)
{
	static char bytes[BYTES + 1];
	uint64_t ino = model->now[file] ? number_of(file) : 0;
	size_t len, at, base;
	struct open_file *f;
	uint32_t number;
	int rc;

	if (!ino)
		return;
	base = size_of(model->now[file]);
	rc = base < BYTES - 2000 ? ns_open(lake, ino, O_WRONLY, &actor, &f) : -EFBIG;
	if (!rc && (!stubs || ns_writes_stub(f))) {
		number = new_number(model->now[file]);
		at = place_of(number, base, &len);
		fill_own(number, bytes, len);
		begin();
		model->next[file] = number;
		model->to_stubs += ns_writes_stub(f);
		if (write_at(f, bytes, len, at) != (ssize_t)len || ns_fsync(lake, ino, f, number % 2))
			bail_out("a write in place");
		end();
		model->written++;
	}
	if (!rc)
		ns_release(lake, f);
	ns_forget(lake, ino, 1);
}

static void move(int file, int to)
{
	char name[16], to_name[16];
	int rc;

	if (!model->now[file] || file == to)
		return;
	name_of(file, name);
	name_of(to, to_name);
	begin();
	model->next[to] = model->now[file];
	model->next[file] = 0;
	rc = ns_rename(lake, folder, name, folder, to_name, 0, &actor);
	errno = -rc;
	if (rc)
		bail_out("rename");
	end();
}

static void take_away(int file)
{
	char name[16];
	int rc;

	if (!model->now[file])
		return;
	name_of(file, name);
	begin();
	model->next[file] = 0;
	rc = ns_unlink(lake, folder, name, &actor);
	errno = -rc;
	if (rc)
		bail_out("unlink");
	end();
}

/* An object with the only bytes of an older version is never overwritten: each gets a key of its own. */
static bool send(int file)
{
	char key[64];

	snprintf(key, sizeof(key), "%s.%llu", path_of(file), (unsigned long long)live_version(path_of(file)).id);
	return send_object_as(path_of(file), key);
}

static void go(int file)
{
	int rc;

	if (!model->now[file])
		return;
	rc = evict(path_of(file));
	if (rc == -ENODATA && live_version(path_of(file)).hashed && is_file(path_of(file)) && send(file))
		rc = evict(path_of(file));
	model->evicted += !rc;
}

static void come(int file)
{
	if (model->now[file] && !is_file(path_of(file)))
		model->recalled += !recall(path_of(file));
}

static void go_and_write(int file, bool stubs)
{
	go(file);
	write_some(file, stubs);
}

static void storm(unsigned seed, bool calm)
{
	srandom(seed);
	for (;;) {
		int file = (int)(random() % FILES), what = (int)(random() % (calm ? 35 : 44));

		if (what < 20)
			go(file);
		else if (what < 32)
			come(file);
		else if (what < 35)
			go_and_write(file, calm);
		else if (what < 39)
			rewrite(file);
		else if (what < 43)
			move(file, (int)(random() % FILES));
		else
			take_away(file);
	}
}

static void prepare(void)
{
	struct inode *inode;

	lake->read_only = false;
	actor = somebody();
	inode = look_up("b");
	if (!inode)
		bail_out("b");
	inode_look_up(lake, inode);
	folder = inode->id;
	inode_unref(lake, inode);
}

static void make(void)
{
	memset(model, 0, sizeof(*model));
	open_lake();
	start_work();
	prepare();
	for (int i = 0; i < FILES; i++)
		rewrite(i);
	if (!wait_for(no_jobs))
		bail_out("jobs");
	for (int i = 0; i < FILES; i++)
		if (!send(i))
			bail_out("an object");
	close_lake();
}

/* ---- is it right ---- */

#define NOBODYS (-1)
#define UNREADABLE (-2)
#define PARTLY (-3) /* as far as it was written when that was ended */

/* Which content has FILE? 0: there is no file. */
static int64_t content_of(int file)
{
	static char bytes[BYTES + 1], wanted[BYTES + 1];
	uint32_t may[2] = {model->now[file], model->next[file]};
	struct open_file *f;
	struct recall *r;
	uint64_t ino = number_of(file);
	int64_t found = NOBODYS;
	size_t got = 0;
	ssize_t n;

	if (!ino)
		return 0;
	if (ns_open(lake, ino, O_RDONLY, &actor, &f) < 0)
		return UNREADABLE;
	r = open_file_recall(f); /* small ones are read from their ends, which stayed here */
	n = ns_read_stub(lake, f, bytes, sizeof(bytes), 0, NULL, &got);
	n = n != -ENOENT ? (n ? n : (ssize_t)got)
	    : r		 ? recall_read(r, bytes, sizeof(bytes), 0, NULL)
			 : pread(open_file_fd(lake, f), bytes, sizeof(bytes), 0);
	for (int i = 0; i < 2 && found < 0; i++) {
		if (!may[i] || n != (ssize_t)size_of(may[i]))
			continue;
		fill(may[i], wanted);
		if (!memcmp(bytes, wanted, (size_t)n))
			found = may[i];
	}
	if (found < 0 && model->now[file] != model->next[file] && n >= 0 && n < (ssize_t)size_of(model->next[file])) {
		fill(model->next[file], wanted); /* it was being written */
		if (!memcmp(bytes, wanted, (size_t)n))
			found = PARTLY;
	}
	if (found < 0) {
		size_t at = 0, len, place;

		fill(model->now[file], wanted);
		while (n > 0 && at < (size_t)n && bytes[at] == wanted[at])
			at++;
		place = place_of(model->now[file],
				 model->based[model->now[file]] ? size_of(model->based[model->now[file]]) : 0, &len);
		diag("f%d: %zd bytes%s%s, as wanted up to %zu of %zu; %u is %zu-%zu on %u", file, n,
		     r ? ", a stub" : "", got ? ", written" : "", at, size_of(model->now[file]), model->now[file],
		     place, place + len, model->based[model->now[file]]);
	}
	ns_release(lake, f);
	ns_forget(lake, ino, 1);
	return found;
}

static int wrong, seen;

static int check_version(void *arg, const struct version_row *v)
{
	uint8_t sha256[SHA256_BYTES];
	struct past *p;

	(void)arg;
	if (!version_is_readable(lake, v) || !v->hashed)
		return 0;
	seen++;
	if (past_open(lake, v, &p) < 0) {
		wrong++;
		diag("version %llu of node %llu cannot be opened", (unsigned long long)v->id,
		     (unsigned long long)v->node);
		return 0;
	}
	if (hash_past(p, NULL, NULL, sha256) || memcmp(sha256, v->sha256, sizeof(sha256))) {
		wrong++;
		diag("version %llu of node %llu has other bytes", (unsigned long long)v->id,
		     (unsigned long long)v->node);
	}
	past_close(p);
	return 0;
}

static int count_staged(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint64_t node, version;
	enum staged_kind kind;

	(void)st;
	(void)type;
	if (staged_name_parse(path + ftw->base, &node, &version, &kind)) {
		diag("left: %s", path);
		wrong++;
	}
	return 0;
}

static void check(void)
{
	bool part[FILES];
	int bad = 0;

	open_lake();
	prepare();
	wrong = 0;
	nftw(in_lake("versions"), count_staged, 16, FTW_PHYS);
	ok(!wrong, "nothing that was staged is left");
	for (int i = 0; i < FILES; i++) {
		int64_t is = content_of(i);
		bool fine = is == model->now[i] || is == model->next[i] || is == PARTLY;

		if (!fine)
			diag("f%d has %lld, wanted %u or %u", i, (long long)is, model->now[i], model->next[i]);
		bad += !fine;
		model->now[i] = model->next[i] = is > 0 ? (uint32_t)is : 0;
		part[i] = is == PARTLY;
	}
	for (int i = 0; i < FILES; i++)
		if (part[i])
			rewrite(i);
	is_int(bad, 0, "each file has its bytes");
	start_work();
	if (!wait_for(scan_is_done) || !wait_for(no_jobs))
		ok(false, "the jobs end");
	stop_work();
	wrong = seen = 0;
	store_kept_after(lake->store, 0, 0, INT32_MAX, check_version, NULL);
	for (int i = 0; i < FILES; i++) {
		struct version_row v = live_version(path_of(i));

		if (v.id)
			check_version(NULL, &v);
	}
	is_int(wrong, 0, "each version has its bytes");
	diag("%d versions; %u evictions, %u recalls, %u written in place (%u stubs), %u other operations so far", seen,
	     model->evicted, model->recalled, model->written, model->to_stubs, model->done - model->written);
	close_lake();
}

int main(int argc, char **argv)
{
	log_set_level(getenv("TARN_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	if (argc < 4)
		return 2;
	snprintf(test_lake, sizeof(test_lake), "%s", argv[1]);
	map_model(argv[2]);
	recall_calls.small = 0;
	if (!strcmp(argv[3], "make")) {
		make();
	} else if (!strcmp(argv[3], "storm")) {
		open_lake();
		start_work();
		prepare();
		storm((unsigned)atoi(argv[4]), argc > 5);
	} else {
		check();
		return done();
	}
	return 0;
}
