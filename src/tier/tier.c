#include "tier/tier.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"
#include "tier/key.h"
#include "tier/tier_int.h"

#define S3_SCHEME "s3://"
#define PACED_PIECE (256 * 1024) /* so much goes at once where the bandwidth is limited */

const char *tier_verb_name(enum tier_verb v)
{
	static const char *const names[TIER_VERBS] = {
		[TIER_VERB_PUT] = "put",   [TIER_VERB_GET] = "get",	  [TIER_VERB_HEAD] = "head",
		[TIER_VERB_LIST] = "list", [TIER_VERB_REMOVE] = "remove", [TIER_VERB_COPY] = "copy",
		[TIER_VERB_OTHER] = "ask",
	};

	return names[v];
}

/* ---- opening ---- */

static void tier_free(struct tier *t)
{
	if (t->engine)
		t->ops->close(t->engine);
	pace_destroy(&t->pace);
	pthread_mutex_destroy(&t->lock);
	settings_unref(t->settings);
	free(t->url);
	free(t->bucket);
	free(t->prefix);
	free(t->path);
	free(t->lake);
	free(t);
}

struct tier *tier_ref(struct tier *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	return t;
}

void tier_unref(struct tier *t)
{
	if (t && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0)
		tier_free(t);
}

static int keep(char **to, const char *text, size_t len)
{
	*to = strndup(text, len);
	return *to ? 0 : -ENOMEM;
}

/* Without slashes at its ends. */
static int keep_prefix(struct tier *t, const char *prefix)
{
	size_t len;

	prefix += strspn(prefix, "/");
	for (len = strlen(prefix); len && prefix[len - 1] == '/'; len--)
		;
	return keep(&t->prefix, prefix, len);
}

static int keep_folder(struct tier *t, const char *path, const char *prefix, struct buf *why)
{
	int r;

	t->ops = &tier_dir;
	if (path[0] != '/') {
		buf_addf(why, "%s is no absolute path", path);
		return -EINVAL;
	}
	r = keep(&t->path, path, strlen(path));
	return r < 0 ? r : keep_prefix(t, prefix);
}

/* Which engine talks to S3. */
static const struct tier_ops *s3_engine(const struct settings *s)
{
	return s->cloud_signature && strcmp(s->cloud_signature, "v2") == 0 ? &tier_s3_libs3 : &tier_s3_curl;
}

static int keep_bucket(struct tier *t, const char *bucket, size_t len, const char *prefix, struct buf *why)
{
	int r;

	t->ops = s3_engine(t->settings);
	if (!t->ops)
		return -EINVAL;
	if (len == 0 || memchr(bucket, '/', len)) {
		buf_addf(why, "%.*s is no name of a bucket", (int)len, bucket);
		return -EINVAL;
	}
	r = keep(&t->bucket, bucket, len);
	return r < 0 ? r : keep_prefix(t, prefix);
}

static int place_of_settings(struct tier *t, const struct settings *s, struct buf *why)
{
	const char *prefix = s->cloud_prefix ? s->cloud_prefix : "";

	if (!s->cloud_provider || strcmp(s->cloud_provider, "none") == 0)
		return -ENODEV;
	if (strcmp(s->cloud_provider, "dir") == 0)
		return s->cloud_path ? keep_folder(t, s->cloud_path, prefix, why) : -ENODEV;
	return s->cloud_bucket ? keep_bucket(t, s->cloud_bucket, strlen(s->cloud_bucket), prefix, why) : -ENODEV;
}

static int place_of_url(struct tier *t, const char *url, struct buf *why)
{
	if (url[0] == '/')
		return keep_folder(t, url, "", why);
	if (strncmp(url, S3_SCHEME, sizeof(S3_SCHEME) - 1) == 0) {
		const char *bucket = url + sizeof(S3_SCHEME) - 1;
		size_t len = strcspn(bucket, "/");

		return keep_bucket(t, bucket, len, bucket + len, why);
	}
	buf_addf(why, "%s is no remote: s3://BUCKET/PREFIX or /FOLDER", url);
	return -EINVAL;
}

static int compose_url(struct tier *t)
{
	_cleanup_buf_ struct buf url = BUF_INIT;

	if (t->path)
		buf_addf(&url, "%s", t->path);
	else
		buf_addf(&url, "s3://%s", t->bucket);
	if (t->prefix[0])
		buf_addf(&url, "/%s", t->prefix);
	t->url = buf_detach(&url);
	return t->url ? 0 : -ENOMEM;
}

static int open_engine(struct tier *t, const char *lake, struct buf *why)
{
	int r = compose_url(t);

	if (r == 0 && lake)
		r = keep(&t->lake, lake, strlen(lake));
	if (r < 0)
		return r;
	t->place = (struct tier_place){t->settings, t->bucket, t->prefix, t->path, t->lake};
	return t->ops->open(&t->place, &t->engine, why);
}

int tier_open(struct settings *s, const char *url, const char *lake, struct tier **out, struct buf *why)
{
	struct tier *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->refs = 1;
	pthread_mutex_init(&t->lock, NULL);
	t->settings = settings_ref(s);
	pace_init(&t->pace, s->cloud_bandwidth_mb * 1e6);
	hours_parse(s->cloud_hours, &t->hours);
	r = url ? place_of_url(t, url, why) : place_of_settings(t, s, why);
	if (r == 0)
		r = open_engine(t, lake, why);
	if (r < 0)
		tier_unref(t);
	else
		*out = t;
	return r;
}

const char *tier_url(const struct tier *t)
{
	return t->url;
}

const char *tier_prefix(const struct tier *t)
{
	return t->prefix;
}

void tier_key_of(const struct tier *t, struct buf *key, const char *bucket, const char *path)
{
	size_t begin = key->len;

	tier_key_of_path(key, t->prefix, bucket, path);
	if (buf_error(key) || !t->ops->can_name || t->ops->can_name(key->data + begin))
		return;
	key->len = begin;
	tier_key_of_name(key, t->prefix, bucket, path);
}

const char *tier_engine(const struct tier *t)
{
	return t->ops->name;
}

void tier_stats(struct tier *t, struct tier_stats *out)
{
	int64_t wait = pace_wait(&t->pace);
	SCOPED_LOCK(&t->lock);

	*out = t->stats;
	out->paused_until = wait ? clock_wall() + wait : 0;
}

bool tier_in_hours(const struct tier *t)
{
	return hours_now(&t->hours, clock_wall());
}

/* ---- objects ---- */

static int check_key(const char *key)
{
	size_t len = strlen(key);

	return len == 0 || len > TIER_KEY_MAX ? -EINVAL : 0;
}

int tier_head(struct tier *t, const char *key, const struct tier_call *call, struct tier_head *head)
{
	struct attempts a;
	int r = check_key(key);

	if (r < 0)
		return r;
	attempts_begin(&a, t, call, TIER_VERB_HEAD, key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->head(t->engine, key, &a.t, head);
	} while (attempt_again(&a, &r));
	return r;
}

static const char *class_of(const struct tier *t, const char *class)
{
	if (!class)
		class = t->settings->cloud_storage_class;
	return class ? class : "";
}

int is_ours(struct tier *t, const struct tier_put *p, const struct tier_call *call, struct tier_head *head)
{
	const struct tier_facts *f = &p->facts;
	int r = tier_head(t, p->key, call, head);

	if (r < 0)
		return r == -ENOENT ? -EIO : r;
	return head->size == p->source.size && (f->known & head->facts.known & TIER_KNOWS_SHA256) &&
			       memcmp(head->facts.sha256, f->sha256, 32) == 0 && head->facts.version == f->version &&
			       head->facts.node == f->node
		       ? 0
		       : -EEXIST;
}

/* A source that keeps to the bandwidth. */
struct paced {
	const struct tier_source *source;
	struct tier *tier;
	struct tier_try t;
};

static ssize_t read_paced(void *arg, void *bytes, size_t len, uint64_t offset)
{
	struct paced *p = arg;
	ssize_t n;
	int r;

	if (len > PACED_PIECE)
		len = PACED_PIECE;
	n = p->source->read(p->source->arg, bytes, len, offset);
	r = n > 0 ? attempt_paced(&p->t, p->tier, (uint64_t)n) : 0;
	return r < 0 ? r : n;
}

int tier_put(struct tier *t, const struct tier_put *put, const struct tier_call *call, struct tier_head *head)
{
	struct tier_put p = *put;
	struct paced paced = {&put->source, t, {.call = call, .deadline = call ? call->deadline : 0}};
	struct tier_head own;
	struct attempts a;
	int r = check_key(p.key);

	if (r < 0)
		return r;
	head = head ? head : &own;
	if (call && call->background && t->settings->cloud_bandwidth_mb > 0)
		p.source = (struct tier_source){put->source.size, read_paced, &paced};
	p.class = class_of(t, p.class);
	if (t->ops->begin && p.source.size > TIER_PART_FROM)
		return put_in_parts(t, &p, call, head);
	if (p.source.size > t->ops->put_max)
		return -EINVAL;
	attempts_begin(&a, t, call, TIER_VERB_PUT, p.key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->put(t->engine, &p, &a.t, head);
	} while (attempt_again(&a, &r));
	if (r == -EEXIST && a.unsure)
		r = is_ours(t, &p, call, head);
	return r;
}

int tier_remove(struct tier *t, const char *const *keys, int n, const struct tier_call *call, int *results)
{
	int first = 0;

	for (int done = 0; done < n; done += REMOVE_MAX) {
		int own[REMOVE_MAX], *results_here = results ? results + done : own;
		int some = n - done < REMOVE_MAX ? n - done : REMOVE_MAX, r;
		struct attempts a;

		attempts_begin(&a, t, call, TIER_VERB_REMOVE, keys[done]);
		do {
			r = attempt_begin(&a);
			if (r == 0)
				r = t->ops->remove(t->engine, keys + done, some, results_here, &a.t);
		} while (attempt_again(&a, &r));
		for (int i = 0; i < some; i++) {
			if (r < 0)
				results_here[i] = r;
			if (first == 0)
				first = results_here[i];
		}
	}
	return first;
}

int tier_copy(struct tier *t, const struct tier_copy *copy, const struct tier_call *call, struct tier_head *head)
{
	struct tier_copy c = *copy;
	struct tier_head own, from;
	struct attempts a;
	int r = check_key(c.from);

	if (r == 0)
		r = check_key(c.to);
	if (r == 0 && c.size == 0) {
		r = tier_head(t, c.from, call, &from);
		c.size = from.size;
	}
	if (r < 0)
		return r;
	head = head ? head : &own;
	c.class = class_of(t, c.class);
	if (c.size > t->ops->put_max)
		return t->ops->begin ? copy_in_parts(t, &c, call, head) : -EINVAL;
	attempts_begin(&a, t, call, TIER_VERB_COPY, c.to);
	a.patient = true;
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->copy(t->engine, &c, &a.t, head);
	} while (attempt_again(&a, &r));
	return r;
}

int tier_restore(struct tier *t, const char *key, int days, const struct tier_call *call)
{
	struct attempts a;
	int r = check_key(key);

	if (r < 0)
		return r;
	attempts_begin(&a, t, call, TIER_VERB_OTHER, key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->restore(t->engine, key, days, &a.t);
	} while (attempt_again(&a, &r));
	return r;
}

ssize_t tier_source_fd(void *arg, void *bytes, size_t len, uint64_t offset)
{
	ssize_t n;

	do
		n = pread(*(int *)arg, bytes, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool tier_etag_is_of(const char *etag, const void *bytes, size_t len)
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	if (EVP_Digest(bytes, len, md5, &n, EVP_md5(), NULL) != 1)
		return false; /* this machine may not (FIPS 140) */
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", md5[i]);
	return !strcasecmp(etag, hex);
}
