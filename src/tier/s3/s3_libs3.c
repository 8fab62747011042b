/*
 * S3 through libs3: signature V2, for servers that know no other. What libs3 2.0 (all that Debian has) is not to be
 * relied on for, and what is done about it:
 *
 *	- a space in a key is sent as "+", which servers store as it is, and "." and ".." as components are lost. Such
 *	  keys are -EINVAL here, so that nothing collides; tier_key_of() gives such paths, and those whose keys are too
 *	  long to be copied, a key of the kind that all names have that S3 cannot hold.
 *	- an answer that is cut off counts as whole. Lengths are compared; listings are read as plain bytes, and must be
 *	  well-formed: see get_bucket().
 *	- it has no time limits: see s3_libs3_int.h.
 *	- certificates are not checked: only http:// is taken.
 *	- no multipart: objects of more than 5 GB are -EINVAL. No storage class, no server-side encryption, no session
 *	  token, no If-None-Match: that one is a HEAD before, between which and the PUT another may put.
 *	- what is to be copied cannot be told by its ETag: the source is looked at before and after, and so is the copy.
 */
#include "tier/s3/s3_libs3_int.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tier/facts.h"
#include "tier/s3/s3_int.h"

#define PUT_MAX (UINT64_C(5) * 1000 * 1000 * 1000)
#define META_MAX 16
#define COPIED_MAX 1400 /* of 2,304 bytes for all headers of Amazon's */
#define ANSWER_MAX (16 * 1024 * 1024)
#define SEEN_FOR (10 * NSEC_PER_SEC) /* so long a bucket that was there is believed to be */

/* ---- keys ---- */

/* libcurl, which libs3 does not tell not to, takes "." and ".." out of paths: then the signature is wrong. */
static bool has_dots(const char *key)
{
	for (const char *p = key; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '.' && (p[1] == '/' || !p[1] || (p[1] == '.' && (p[2] == '/' || !p[2]))))
			return true;
	}
	return false;
}

static int check_key(struct tier_try *t, const char *key)
{
	if (!strchr(key, ' ') && !has_dots(key))
		return 0;
	snprintf(t->why, sizeof(t->why), "libs3 cannot name keys with spaces, nor with . and .. as folders");
	return -EINVAL;
}

/* A key that is copied stands encoded in a header, for which libs3 has little room. */
static bool libs3_can_name(const char *key)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	struct tier_try none;

	s3_encode(&encoded, key, false);
	return check_key(&none, key) == 0 && encoded.len <= COPIED_MAX;
}

/* ---- facts as metadata ---- */

struct metadata {
	S3NameValue list[META_MAX];
	char text[META_MAX][2][96];
	int n;
};

static void add_metadata(void *arg, const char *name, const char *value)
{
	struct metadata *m = arg;

	if (m->n == META_MAX)
		return;
	snprintf(m->text[m->n][0], sizeof(m->text[0][0]), "%s", name);
	snprintf(m->text[m->n][1], sizeof(m->text[0][1]), "%s", value);
	m->list[m->n] = (S3NameValue){m->text[m->n][0], m->text[m->n][1]};
	m->n++;
}

static S3PutProperties properties_of(const struct metadata *meta)
{
	return (S3PutProperties){
		.contentType = "application/octet-stream",
		.expires = -1,
		.cannedAcl = S3CannedAclPrivate,
		.metaDataCount = meta->n,
		.metaData = meta->list,
	};
}

/* ---- listings ---- */

static void begin_list(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	r->bucket.hostName = arg;
	S3_get_object(&r->bucket, "", NULL, 0, 0, context, &libs3_get_handler, r);
}

static int add_to_answer(void *arg, const void *bytes, size_t len)
{
	struct buf *answer = arg;

	if (answer->len + len > ANSWER_MAX)
		return -EIO;
	buf_add(answer, bytes, len);
	return buf_error(answer);
}

/*
 * Reads what a GET of the bucket with QUERY answers. S3_list_bucket() would not notice that an answer was cut off, so
 * the bucket is read as if it were an object. libs3 composes http://HOST/BUCKET/KEY and signs /BUCKET/KEY: with HOST as
 * "host/bucket/?query&x=" and no KEY the server sees the query, and a last parameter that means nothing to it.
 */
static int get_bucket(struct libs3 *engine, const char *query, struct buf *answer, struct tier_try *t)
{
	_cleanup_request_ struct libs3_request *r = NULL;
	_cleanup_buf_ struct buf host = BUF_INIT;
	int ret;

	buf_addf(&host, "%s/%s/?%s&x=", engine->host, engine->bucket, query);
	ret = buf_error(&host);
	if (!ret)
		ret = libs3_request_new(engine, t, &r);
	if (ret)
		return ret;
	r->wanted = UINT64_MAX;
	r->body = add_to_answer;
	r->arg = answer;
	ret = libs3_run(engine, &r, begin_list, (void *)buf_str(&host));
	if (ret == 0 && r->content_length && r->got < r->content_length) {
		t->again = true;
		snprintf(t->why, sizeof(t->why), "the answer was cut off");
		ret = -EIO;
	}
	return ret;
}

static int libs3_list(void *engine, struct tier_page *page, struct tier_try *t)
{
	_cleanup_buf_ struct buf query = BUF_INIT, answer = BUF_INIT;
	int ret;

	s3_list_query(&query, page, false);
	ret = buf_error(&query);
	if (!ret)
		ret = get_bucket(engine, buf_str(&query), &answer, t);
	return ret ? ret : s3_list_take(&answer, page, t);
}

/* -ENOENT when it is there; else why nothing can be said about what is in it. */
static int ask_for_bucket(struct libs3 *engine, struct tier_try *t)
{
	_cleanup_buf_ struct buf answer = BUF_INIT;
	int ret = get_bucket(engine, "max-keys=1", &answer, t);

	return ret == -EACCES || ret == 0 ? -ENOENT : ret;
}

/* ---- head ---- */

/* A request about KEY that has no body, in either direction. HEAD may be NULL. */
static int ask_about(struct libs3 *engine, const char *key,
		     void (*begin)(struct libs3_request *r, S3RequestContext *context, void *arg), struct tier_try *t,
		     struct tier_head *head)
{
	_cleanup_request_ struct libs3_request *r = NULL;
	int ret = check_key(t, key);

	if (ret)
		return ret;
	ret = libs3_request_new(engine, t, &r);
	if (ret)
		return ret;
	ret = libs3_run(engine, &r, begin, (void *)key);
	if (ret == 0 && head)
		*head = r->head;
	return ret;
}

static void begin_head(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	S3_head_object(&r->bucket, arg, context, &libs3_plain_handler, r);
}

static int libs3_head(void *arg, const char *key, struct tier_try *t, struct tier_head *head)
{
	struct libs3 *engine = arg;
	int ret = ask_about(engine, key, begin_head, t, head);

	/* The 404 of a HEAD may be about the bucket, which must not make its objects look removed. */
	if (ret == -ENOENT && clock_monotonic() - engine->seen > SEEN_FOR)
		ret = ask_for_bucket(engine, t);
	return ret;
}

/* ---- put ---- */

struct putting {
	const struct tier_put *p;
	S3PutProperties properties;
};

static void begin_put(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	struct putting *put = arg;

	S3_put_object(&r->bucket, put->p->key, put->p->source.size, &put->properties, context, &libs3_put_handler, r);
}

/*
 * The MD5 that is signed with the request, in base64: the server refuses other bytes. All of the source is read for it
 * once more; -ESTALE when it is not what the caller says.
 */
static int hash_source(const struct tier_put *p, struct tier_try *t, char md5_text[32])
{
	_cleanup_free_ uint8_t *piece = malloc(1 << 18);
	EVP_MD_CTX *md5 = EVP_MD_CTX_new(), *sha = EVP_MD_CTX_new();
	uint8_t md5_bytes[16], sha_bytes[32];
	uint64_t at = 0;
	int ret = piece && md5 && sha && EVP_DigestInit_ex(md5, EVP_md5(), NULL) &&
				  EVP_DigestInit_ex(sha, EVP_sha256(), NULL)
			  ? 0
			  : -ENOMEM;

	while (ret == 0 && at < p->source.size) {
		uint64_t left = p->source.size - at;
		ssize_t n = p->source.read(p->source.arg, piece, left < 1 << 18 ? left : 1 << 18, at);

		if (n <= 0) {
			ret = n < 0 ? (int)n : -ESTALE;
			break;
		}
		EVP_DigestUpdate(md5, piece, (size_t)n);
		if (p->sha256)
			EVP_DigestUpdate(sha, piece, (size_t)n);
		at += (uint64_t)n;
		ret = try_over(t);
	}
	if (ret == 0) {
		EVP_DigestFinal_ex(md5, md5_bytes, NULL);
		EVP_DigestFinal_ex(sha, sha_bytes, NULL);
		EVP_EncodeBlock((unsigned char *)md5_text, md5_bytes, sizeof(md5_bytes));
		if (p->sha256 && memcmp(sha_bytes, p->sha256, sizeof(sha_bytes)) != 0)
			ret = -ESTALE;
	}
	EVP_MD_CTX_free(md5);
	EVP_MD_CTX_free(sha);
	return ret;
}

static int none_there(struct libs3 *engine, const char *key, struct tier_try *t)
{
	struct tier_head head;
	int ret = libs3_head(engine, key, t, &head);

	return ret == 0 ? -EEXIST : ret == -ENOENT ? 0 : ret;
}

static int check_class(struct tier_try *t, const char *class)
{
	if (!class[0] || strcmp(class, "STANDARD") == 0)
		return 0;
	snprintf(t->why, sizeof(t->why), "libs3 cannot ask for a storage class");
	return -EINVAL;
}

static int libs3_put(void *arg, const struct tier_put *p, struct tier_try *t, struct tier_head *head)
{
	struct libs3 *engine = arg;
	struct metadata meta = {.n = 0};
	char md5[32];
	struct putting put = {.p = p};
	_cleanup_request_ struct libs3_request *r = NULL;
	int ret = check_key(t, p->key);

	if (!ret)
		ret = check_class(t, p->class);
	if (!ret && p->if_none_match)
		ret = none_there(engine, p->key, t);
	if (!ret)
		ret = hash_source(p, t, md5);
	if (ret)
		return ret;
	facts_each(&p->facts, add_metadata, &meta);
	put.properties = properties_of(&meta);
	put.properties.md5 = md5;
	ret = libs3_request_new(engine, t, &r);
	if (ret)
		return ret;
	r->source = &p->source;
	ret = libs3_run(engine, &r, begin_put, &put);
	if (ret)
		return ret;
	*head = r->head;
	head->size = p->source.size;
	head->facts = p->facts;
	return 0;
}

/* ---- get ---- */

struct getting {
	const struct tier_get *g;
	S3GetConditions conditions;
	uint64_t length;
};

static void begin_get(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	struct getting *get = arg;

	S3_get_object(&r->bucket, get->g->key, &get->conditions, get->g->offset, get->length, context,
		      &libs3_get_handler, r);
}

/* A server that does not do ranges sends all of it: that is not what was asked for. */
static int is_the_range(struct libs3_request *r)
{
	if (r->content_length == r->wanted)
		return 0;
	snprintf(r->try->why, sizeof(r->try->why), "the server sends %llu bytes for a range of %llu",
		 (unsigned long long)r->content_length, (unsigned long long)r->wanted);
	return -EIO;
}

static int libs3_get(void *arg, const struct tier_get *g, int (*headed)(void *arg, const struct tier_head *head),
		     int (*body)(void *arg, const void *bytes, size_t len), void *body_arg, struct tier_try *t)
{
	struct libs3 *engine = arg;
	_cleanup_request_ struct libs3_request *r = NULL;
	struct getting get = {.g = g, .conditions = {.ifModifiedSince = -1, .ifNotModifiedSince = -1}};
	char if_match[TIER_ETAG_ROOM + 2];
	struct tier_head head;
	int ret = libs3_head(engine, g->key, t, &head);

	if (ret == 0 && g->etag && strcmp(g->etag, head.etag) != 0)
		ret = -ESTALE;
	if (ret == 0 && g->offset && g->offset >= head.size)
		ret = -ERANGE;
	if (ret == 0)
		ret = headed(body_arg, &head);
	if (ret)
		return ret;
	get.length = head.size - g->offset < g->length ? head.size - g->offset : g->length;
	if (get.length == 0)
		return 0;
	ret = libs3_request_new(engine, t, &r);
	if (ret)
		return ret;
	if (head.etag[0]) {
		snprintf(if_match, sizeof(if_match), "\"%s\"", head.etag);
		get.conditions.ifMatchETag = if_match;
	}
	r->wanted = get.length;
	r->headed = is_the_range;
	r->body = body;
	r->arg = body_arg;
	ret = libs3_run(engine, &r, begin_get, &get);
	if (ret == 0 && strcmp(r->head.etag, head.etag) != 0)
		ret = -ESTALE;
	if (ret == 0 && r->got < r->wanted) {
		t->again = true;
		snprintf(t->why, sizeof(t->why), "the answer was cut off");
		ret = -EIO;
	}
	return ret;
}

/* ---- remove ---- */

static void begin_remove(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	S3_delete_object(&r->bucket, arg, context, &libs3_plain_handler, r);
}

static int libs3_remove(void *arg, const char *const *keys, int n, int *results, struct tier_try *t)
{
	for (int i = 0; i < n; i++) {
		int ret = ask_about(arg, keys[i], begin_remove, t, NULL);

		ret = ret == -ENOENT ? 0 : ret;
		if (ret && (t->again || ret == -ECANCELED || ret == -ETIMEDOUT))
			return ret;
		results[i] = ret;
	}
	return 0;
}

/* ---- copy ---- */

struct copying {
	const struct tier_copy *c;
	const char *from; /* encoded: libs3 2.0 writes it as it is */
	S3PutProperties properties;
};

static void begin_copy(struct libs3_request *r, S3RequestContext *context, void *arg)
{
	struct copying *copy = arg;

	S3_copy_object(&r->bucket, copy->from, NULL, copy->c->to, copy->c->facts ? &copy->properties : NULL, NULL, 0,
		       NULL, context, &libs3_plain_handler, r);
}

static int copy_once(struct libs3 *engine, const struct tier_copy *c, struct tier_try *t)
{
	_cleanup_buf_ struct buf from = BUF_INIT;
	_cleanup_request_ struct libs3_request *r = NULL;
	struct metadata meta = {.n = 0};
	struct copying copy = {.c = c};
	int ret;

	s3_encode(&from, c->from, false);
	ret = buf_error(&from);
	if (!ret)
		ret = libs3_request_new(engine, t, &r);
	if (ret)
		return ret;
	if (c->facts)
		facts_each(c->facts, add_metadata, &meta);
	copy.from = buf_str(&from);
	copy.properties = properties_of(&meta);
	return libs3_run(engine, &r, begin_copy, &copy);
}

static bool same_facts(const struct tier_facts *a, const struct tier_facts *b)
{
	struct metadata of_a = {.n = 0}, of_b = {.n = 0};
	bool same;

	facts_each(a, add_metadata, &of_a);
	facts_each(b, add_metadata, &of_b);
	same = of_a.n == of_b.n;
	for (int i = 0; same && i < of_a.n; i++)
		same = strcmp(of_a.text[i][0], of_b.text[i][0]) == 0 && strcmp(of_a.text[i][1], of_b.text[i][1]) == 0;
	return same;
}

/*
 * Is TO the copy of FROM? "200 OK" may be followed by an error, and libs3 loses short answers that come in two pieces.
 * ETags with a hyphen are of uploads in parts; a copy of one has another.
 */
static bool is_copy(const struct tier_copy *c, const struct tier_head *from, const struct tier_head *to)
{
	bool tells = !strchr(from->etag, '-') && !strchr(to->etag, '-');

	return from->size == to->size && (!tells || strcmp(from->etag, to->etag) == 0) &&
	       same_facts(c->facts ? c->facts : &from->facts, &to->facts);
}

static int libs3_copy(void *arg, const struct tier_copy *c, struct tier_try *t, struct tier_head *head)
{
	struct libs3 *engine = arg;
	struct tier_head from, after;
	int ret = check_key(t, c->to);

	if (!ret)
		ret = check_class(t, c->class);
	if (!ret)
		ret = libs3_head(engine, c->from, t, &from);
	if (!ret && c->etag && strcmp(c->etag, from.etag) != 0)
		ret = -ESTALE;
	if (!ret && c->if_none_match)
		ret = none_there(engine, c->to, t);
	if (!ret)
		ret = copy_once(engine, c, t);
	if (!ret)
		ret = libs3_head(engine, c->to, t, head);
	if (!ret && strcmp(c->from, c->to) != 0)
		ret = libs3_head(engine, c->from, t, &after);
	if (ret)
		return ret;
	if (strcmp(c->from, c->to) != 0 && strcmp(from.etag, after.etag) != 0)
		return -ESTALE;
	if (is_copy(c, &from, head))
		return 0;
	t->again = true;
	snprintf(t->why, sizeof(t->why), "the server says that it has copied, and has not");
	return -EIO;
}

static int libs3_restore(void *arg, const char *key, int days, struct tier_try *t)
{
	(void)arg, (void)key, (void)days;
	snprintf(t->why, sizeof(t->why), "libs3 cannot ask for archived objects");
	return -ENOTSUP;
}

/* ---- opening ---- */

static void libs3_close(void *arg)
{
	struct libs3 *engine = arg;

	for (int i = 0; i < engine->nidle; i++)
		S3_destroy_request_context(engine->idle[i]);
	if (engine->errands)
		errands_free(engine->errands);
	credentials_free(engine->credentials);
	pthread_mutex_destroy(&engine->lock);
	free(engine->host);
	free(engine->bucket);
	free(engine);
}

/* Once per process, and never undone: other remotes may be in use. */
static S3Status libs3_begun;
static void begin_libs3(void)
{
	libs3_begun = S3_initialize("tarn", S3_INIT_ALL, NULL);
}

/* "http://HOST[:PORT]" */
static int find_host(struct libs3 *engine, const struct settings *s, struct buf *why)
{
	static const char http[] = "http://";
	const char *endpoint = s->cloud_endpoint ? s->cloud_endpoint : "https://s3.amazonaws.com";
	size_t len;

	if (strncmp(endpoint, http, sizeof(http) - 1) != 0) {
		buf_addf(why,
			 "signature: v2 goes through libs3, which does not check certificates: cloud_endpoint must be "
			 "http://, or signature v4 (%s)",
			 endpoint);
		return -EINVAL;
	}
	endpoint += sizeof(http) - 1;
	len = strcspn(endpoint, "/");
	if (len == 0 || endpoint[len + strspn(endpoint + len, "/")]) {
		buf_addf(why, "%s is no endpoint: http://HOST[:PORT]", s->cloud_endpoint);
		return -EINVAL;
	}
	engine->host = strndup(endpoint, len);
	return engine->host ? 0 : -ENOMEM;
}

/* What the settings ask for that libs3 cannot do; NULL: nothing. */
static const char *too_much(const struct tier_place *place)
{
	const struct settings *s = place->settings;

	if (S3_validate_bucket_name(place->bucket, S3UriStylePath) != S3StatusOK)
		return "use this name of a bucket";
	if (strchr(place->prefix, ' '))
		return "send the spaces in cloud_prefix";
	if (s->cloud_storage_class && strcmp(s->cloud_storage_class, "STANDARD") != 0)
		return "ask for cloud_storage_class";
	return s->cloud_sse ? "ask for cloud_sse" : NULL;
}

static int libs3_open(const struct tier_place *place, void **out, struct buf *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct libs3 *engine = calloc(1, sizeof(*engine));
	const char *problem = too_much(place);
	int ret;

	if (!engine)
		return -ENOMEM;
	pthread_once(&once, begin_libs3);
	pthread_mutex_init(&engine->lock, NULL);
	engine->bucket = strdup(place->bucket);
	engine->credentials = credentials_new(place->settings->cloud_profile);
	engine->errands = errands_new(4);
	ret = engine->bucket && engine->credentials && engine->errands && libs3_begun == S3StatusOK ? 0 : -ENOMEM;
	if (!ret)
		ret = find_host(engine, place->settings, why);
	if (!ret && problem) {
		buf_addf(why, "signature: v2 goes through libs3, which cannot %s", problem);
		ret = -EINVAL;
	}
	if (ret)
		libs3_close(engine);
	else
		*out = engine;
	return ret;
}

const struct tier_ops tier_s3_libs3 = {
	.name = "libs3",
	.put_max = PUT_MAX,
	.can_name = libs3_can_name,
	.open = libs3_open,
	.close = libs3_close,
	.put = libs3_put,
	.get = libs3_get,
	.head = libs3_head,
	.list = libs3_list,
	.remove = libs3_remove,
	.copy = libs3_copy,
	.restore = libs3_restore,
};
