/*
 * Large objects go in parts, several at once. The parts are read in order, for the hash of the whole, and each into the
 * memory of the thread that sends it, so that a part which is sent again is not read again. What was begun and cannot
 * be completed is aborted; what a crash leaves is found by tier_sweep().
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "tier/tier_int.h"

#define PART_MIN (UINT64_C(16) * 1024 * 1024)
#define PART_UNIT (UINT64_C(1024) * 1024)
#define PARTS_MAX 10000
#define COPY_PART (UINT64_C(1024) * 1024 * 1024)
#define THREADS 4 /* each with a part in memory */
/* An abort that is waited for as long as a put would hold up who gave up. */
#define ABORT_PATIENCE (3 * NSEC_PER_SEC)

struct job {
	struct tier *tier;
	const struct tier_put *put;
	const struct tier_copy *copy; /* NULL: bytes are sent */
	struct tier_call call;	      /* for each part: stopped by `failed` too */
	const struct tier_call *outer;
	char *id;
	uint64_t size, part_size;
	unsigned nparts;
	struct tier_part *parts;

	pthread_mutex_t lock; /* protects what follows; held while a part is read, never over the network */
	unsigned next;
	EVP_MD_CTX *hash; /* of the parts before `next`; NULL: nobody asked for it */
	_Atomic int failed;
};

static bool stopped(void *arg)
{
	struct job *j = arg;

	return j->failed || (j->outer && j->outer->stop && j->outer->stop(j->outer->arg));
}

static uint64_t length_of(const struct job *j, unsigned i)
{
	uint64_t left = j->size - i * j->part_size;

	return left < j->part_size ? left : j->part_size;
}

static int read_part(struct job *j, unsigned i, char *bytes)
{
	const struct tier_source *s = &j->put->source;
	size_t len = (size_t)length_of(j, i);

	for (size_t have = 0; have < len;) {
		ssize_t n = s->read(s->arg, bytes + have, len - have, i * j->part_size + have);

		if (n <= 0)
			return n < 0 ? (int)n : -ESTALE;
		have += (size_t)n;
		if (stopped(j))
			return -ECANCELED;
	}
	return j->hash && EVP_DigestUpdate(j->hash, bytes, len) != 1 ? -EIO : 0;
}

/* The next part, read where there are bytes to send. 1; 0: there is none left; -errno. */
static int take_part(struct job *j, char *bytes, unsigned *i)
{
	SCOPED_LOCK(&j->lock);
	int r;

	if (j->failed || j->next == j->nparts)
		return 0;
	*i = j->next++;
	r = bytes ? read_part(j, *i, bytes) : 0;
	return r < 0 ? r : 1;
}

static int send_part(struct job *j, struct tier_part *part, unsigned i)
{
	struct tier *t = j->tier;
	struct attempts a;
	int r;

	attempts_begin(&a, t, &j->call, j->copy ? TIER_VERB_COPY : TIER_VERB_PUT, part->key);
	a.patient = j->copy != NULL;
	do {
		r = attempt_begin(&a);
		if (r == 0 && j->copy)
			r = t->ops->part_copy(t->engine, part, j->copy, i * j->part_size, length_of(j, i), &a.t);
		else if (r == 0)
			r = t->ops->part(t->engine, part, &a.t);
	} while (attempt_again(&a, &r));
	return r;
}

static void fail(struct job *j, int r)
{
	int none = 0;

	atomic_compare_exchange_strong(&j->failed, &none, r);
}

static void *send_parts(void *arg)
{
	struct job *j = arg;
	_cleanup_free_ char *bytes = j->copy ? NULL : malloc((size_t)j->part_size);
	unsigned i;
	int r = 1;

	if (!bytes && !j->copy)
		r = -ENOMEM;
	while (r > 0 && (r = take_part(j, bytes, &i)) > 0) {
		struct tier_part *part = &j->parts[i];

		*part = (struct tier_part){.key = j->put->key, .id = j->id, .number = i + 1, .bytes = bytes};
		part->len = bytes ? (size_t)length_of(j, i) : 0;
		if (bytes)
			SHA256((const unsigned char *)bytes, part->len, part->sha256);
		r = send_part(j, part, i);
		part->bytes = NULL;
		r = r < 0 ? r : 1;
	}
	if (r < 0)
		fail(j, r);
	return NULL;
}

/* In this thread too: with none but it, it only takes longer. */
static void run_threads(struct job *j)
{
	pthread_t threads[THREADS - 1];
	int n = 0;

	while (n < THREADS - 1 && (unsigned)n + 1 < j->nparts && pthread_create(&threads[n], NULL, send_parts, j) == 0)
		n++;
	send_parts(j);
	while (n)
		pthread_join(threads[--n], NULL);
}

/* The last moment at which nothing has happened yet. */
static int check_whole(struct job *j)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	if (j->failed)
		return j->failed;
	if (!j->hash)
		return 0;
	if (EVP_DigestFinal_ex(j->hash, hash, NULL) != 1)
		return -EIO;
	return memcmp(hash, j->put->sha256, sizeof(hash)) != 0 ? -ESTALE : 0;
}

static int begin(struct job *j)
{
	_cleanup_buf_ struct buf id = BUF_INIT;
	struct tier *t = j->tier;
	struct attempts a;
	int r;

	attempts_begin(&a, t, j->outer, TIER_VERB_OTHER, j->put->key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->begin(t->engine, j->put, &id, &a.t);
	} while (attempt_again(&a, &r));
	if (r < 0)
		return r;
	j->id = buf_detach(&id);
	return j->id ? 0 : -ENOMEM;
}

/* An answer that was lost: the upload is gone then, for it has become the object. */
static int complete(struct job *j, struct tier_head *head)
{
	struct tier *t = j->tier;
	struct attempts a;
	int r;

	attempts_begin(&a, t, j->outer, TIER_VERB_OTHER, j->put->key);
	a.patient = true;
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->complete(t->engine, j->put, j->id, j->parts, j->nparts, &a.t, head);
	} while (attempt_again(&a, &r));
	if (a.unsure && (r == -ENOENT || r == -EEXIST))
		r = is_ours(t, j->put, j->outer, head);
	if (r == -ENOENT)
		r = -EIO;
	/* It cannot be put in question what became of it. */
	if (r == 0 && head->size != j->size)
		r = -EIO;
	return r;
}

static void abort_upload(struct job *j)
{
	struct tier_call call = {.patience = ABORT_PATIENCE};
	struct attempts a;
	int r;

	attempts_begin(&a, j->tier, &call, TIER_VERB_OTHER, j->put->key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = j->tier->ops->abort(j->tier->engine, j->put->key, j->id, &a.t);
	} while (attempt_again(&a, &r));
}

static int transfer(struct job *j, struct tier_head *head)
{
	int r = begin(j);

	if (r < 0)
		return r;
	run_threads(j);
	r = check_whole(j);
	if (r == 0)
		r = complete(j, head);
	/* After a complete() whose outcome nobody knows it is not found any more, or it is rightly gone. */
	if (r < 0)
		abort_upload(j);
	return r;
}

/* Not more than PARTS_MAX, and whole MiB. */
static uint64_t part_size_for(uint64_t size, uint64_t least)
{
	uint64_t part = (size + PARTS_MAX - 1) / PARTS_MAX;

	part = (part + PART_UNIT - 1) / PART_UNIT * PART_UNIT;
	return part < least ? least : part;
}

static int run_job(struct job *j, struct tier_head *head)
{
	int r = -ENOMEM;

	j->nparts = (unsigned)((j->size + j->part_size - 1) / j->part_size);
	j->parts = calloc(j->nparts, sizeof(*j->parts));
	j->call = j->outer ? *j->outer : (struct tier_call){0};
	j->call.stop = stopped;
	j->call.arg = j;
	pthread_mutex_init(&j->lock, NULL);
	if (!j->copy && j->put->sha256)
		j->hash = EVP_MD_CTX_new();
	if (j->parts && (j->copy || !j->put->sha256 || (j->hash && EVP_DigestInit_ex(j->hash, EVP_sha256(), NULL))))
		r = transfer(j, head);
	EVP_MD_CTX_free(j->hash);
	pthread_mutex_destroy(&j->lock);
	free(j->parts);
	free(j->id);
	return r;
}

int put_in_parts(struct tier *t, const struct tier_put *p, const struct tier_call *call, struct tier_head *head)
{
	struct job j = {.tier = t, .put = p, .outer = call, .size = p->source.size};

	j.part_size = part_size_for(j.size, PART_MIN);
	return run_job(&j, head);
}

/* The parts of an upload have no metadata of their source. */
int copy_in_parts(struct tier *t, const struct tier_copy *c, const struct tier_call *call, struct tier_head *head)
{
	struct tier_put put = {.key = c->to, .class = c->class, .if_none_match = c->if_none_match};
	struct tier_copy pinned = *c;
	struct job j = {.tier = t, .put = &put, .copy = &pinned, .outer = call};
	char etag[TIER_ETAG_ROOM];
	struct tier_head from;
	int r = tier_head(t, c->from, call, &from);

	if (r < 0)
		return r;
	if (c->etag && strcmp(c->etag, from.etag) != 0)
		return -ESTALE;
	snprintf(etag, sizeof(etag), "%s", from.etag);
	/* All parts are to be of the same object. */
	pinned.etag = etag[0] ? etag : NULL;
	put.source.size = j.size = from.size;
	put.facts = c->facts ? *c->facts : from.facts;
	j.part_size = part_size_for(j.size, COPY_PART);
	r = run_job(&j, head);
	/* Not every server looks at the ETag itself. */
	if (r == 0)
		r = tier_head(t, c->from, call, &from);
	return r == 0 && pinned.etag && strcmp(pinned.etag, from.etag) != 0 ? -ESTALE : r;
}
