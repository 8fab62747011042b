/* Objects of S3: put, get, head, copy, restore. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "tier/s3/s3_int.h"
#include "tier/s3/xml.h"

#define WHOLE_MAX (1024 * 1024) /* a body up to this is read once, and sent from memory */
#define PIECE (1024 * 1024)

/* ---- put ---- */

/* LEN bytes, all of them. */
static int read_all(const struct tier_source *s, char *bytes, size_t len, uint64_t offset)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = s->read(s->arg, bytes + have, len - have, offset + have);

		if (n <= 0)
			return n < 0 ? (int)n : -ESTALE;
		have += (size_t)n;
	}
	return 0;
}

static int hash_pieces(EVP_MD_CTX *md, const struct tier_put *p, struct tier_try *t, uint8_t hash[32])
{
	_cleanup_free_ char *piece = malloc(PIECE);
	int r = piece && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	for (uint64_t at = 0; r == 0 && at < p->source.size; at += PIECE) {
		size_t len = p->source.size - at < PIECE ? (size_t)(p->source.size - at) : PIECE;

		r = read_all(&p->source, piece, len, at);
		if (r == 0 && EVP_DigestUpdate(md, piece, len) != 1)
			r = -EIO;
		if (r == 0)
			r = try_over(t);
	}
	return r == 0 && EVP_DigestFinal_ex(md, hash, NULL) != 1 ? -EIO : r;
}

/* A large source whose hash nobody knows is read twice. */
static int hash_source(const struct tier_put *p, struct tier_try *t, char hex[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t hash[32];
	int r = md ? hash_pieces(md, p, t, hash) : -ENOMEM;

	EVP_MD_CTX_free(md);
	if (r == 0)
		s3_hex(hex, hash);
	return r;
}

struct body {
	char *bytes; /* NULL: comes from the source */
	char hex[65];
};

static int prepare_body(const struct tier_put *p, struct tier_try *t, struct body *b)
{
	char wanted[65];
	int r;

	if (p->sha256)
		s3_hex(wanted, p->sha256);
	if (p->source.size > WHOLE_MAX) {
		if (!p->sha256)
			return hash_source(p, t, b->hex);
		/* The server compares it with what comes. */
		memcpy(b->hex, wanted, sizeof(wanted));
		return 0;
	}
	b->bytes = malloc((size_t)p->source.size + 1);
	if (!b->bytes)
		return -ENOMEM;
	r = read_all(&p->source, b->bytes, (size_t)p->source.size, 0);
	if (r < 0)
		return r;
	s3_hash(b->hex, b->bytes, (size_t)p->source.size);
	return p->sha256 && strcmp(b->hex, wanted) != 0 ? -ESTALE : 0;
}

static int put_once(struct s3 *s3, const struct tier_put *p, const struct body *b, bool conditional, struct tier_try *t,
		    struct tier_head *head)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "PUT", .key = p->key, .sha256 = b->hex};
	int result;

	r.http.bytes = b->bytes;
	r.http.source = b->bytes ? NULL : &p->source;
	r.http.body_len = p->source.size;
	s3_header(&r, "Content-Type", "application/octet-stream");
	/* Done, and the answer lost: then the second one would be told that there is an object, our own. */
	r.http.once = conditional;
	if (conditional)
		s3_header(&r, "If-None-Match", "*");
	s3_header_new_object(s3, &r, p->class);
	s3_header_facts(&r, &p->facts);
	result = s3_perform(s3, &r, t);
	if (result == -ESTALE && r.http.status == 412)
		result = -EEXIST;
	if (result < 0)
		return result;
	s3_head_of_answer(&r.answer, p->source.size, head);
	head->facts = p->facts;
	snprintf(head->class, sizeof(head->class), "%s", strcmp(p->class, "STANDARD") == 0 ? "" : p->class);
	head->archived = s3_class_is_archive(head->class);
	return 0;
}

static int must_not_exist(struct s3 *s3, const char *key, struct tier_try *t)
{
	struct tier_head head;
	int r = s3_head(s3, key, t, &head);

	return r == -ENOENT ? 0 : r < 0 ? r : -EEXIST;
}

int s3_put(void *engine, const struct tier_put *p, struct tier_try *t, struct tier_head *head)
{
	struct s3 *s3 = engine;
	struct body b = {NULL, ""};
	bool conditional = p->if_none_match && !s3->no_if_none_match;
	int r = prepare_body(p, t, &b);

	if (r == 0 && (conditional || !p->if_none_match))
		r = put_once(s3, p, &b, conditional, t, head);
	if (r == -ENOTSUP && conditional) {
		s3->no_if_none_match = true;
		conditional = false;
		r = 0;
	}
	if (r == 0 && p->if_none_match && !conditional) {
		r = must_not_exist(s3, p->key, t);
		if (r == 0)
			r = put_once(s3, p, &b, false, t, head);
	}
	if (r == 0 && !head->etag[0])
		r = s3_head(s3, p->key, t, head);
	free(b.bytes);
	return r;
}

/* ---- get ---- */

struct getting {
	const struct tier_get *g;
	struct s3_request *r;
	struct tier_try *t;
	int (*headed)(void *arg, const struct tier_head *head);
	int (*body)(void *arg, const void *bytes, size_t len);
	void *arg;
};

static int senseless(struct tier_try *t, const char *what)
{
	snprintf(t->why, sizeof(t->why), "%s", what);
	return -EIO;
}

/* Is it what was asked for? A server or a proxy that does not know ranges gives all of it. */
static int get_headed(void *arg, const struct s3_answer *a)
{
	struct getting *get = arg;
	const struct tier_get *g = get->g;
	uint64_t size = get->r->http.status == 206 ? a->total : a->length;
	struct tier_head head;

	if (size == UINT64_MAX)
		return senseless(get->t, "an answer without its length");
	if (get->r->http.status == 206 ? a->first != g->offset : g->offset > 0 || g->length < size)
		return senseless(get->t, "another range than that asked for");
	if (g->etag && a->etag[0] && strcmp(g->etag, a->etag) != 0)
		return -ESTALE;
	s3_head_of_answer(a, size, &head);
	return get->headed(get->arg, &head);
}

static int get_body(void *arg, const void *bytes, size_t len)
{
	struct getting *get = arg;

	return get->body(get->arg, bytes, len);
}

/* "Range not satisfiable" from the first byte on: it is empty. */
static int get_empty(struct s3 *s3, struct getting *get)
{
	struct tier_head head;
	int r = s3_head(s3, get->g->key, get->t, &head);

	if (r < 0)
		return r;
	if (head.size)
		return senseless(get->t, "no range of an object that is not empty");
	if (get->g->etag && strcmp(get->g->etag, head.etag) != 0)
		return -ESTALE;
	return get->headed(get->arg, &head);
}

int s3_get(void *engine, const struct tier_get *g, int (*headed)(void *arg, const struct tier_head *head),
	   int (*body)(void *arg, const void *bytes, size_t len), void *arg, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "GET", .key = g->key};
	struct getting get = {g, &r, t, headed, body, arg};
	char range[64], etag[TIER_ETAG_ROOM + 2];
	int result;

	r.headed = get_headed;
	r.sink = get_body;
	r.arg = &get;
	if (g->length != TIER_TO_END && g->length > UINT64_MAX - g->offset)
		return -EINVAL;
	if (g->length == TIER_TO_END)
		snprintf(range, sizeof(range), "%" PRIu64 "-", g->offset);
	else
		snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, g->offset,
			 g->offset + g->length - (g->length > 0));
	if (g->offset || g->length != TIER_TO_END)
		r.http.range = range;
	if (g->etag) {
		snprintf(etag, sizeof(etag), "\"%s\"", g->etag);
		s3_header(&r, "If-Match", etag);
	}
	result = s3_perform(engine, &r, t);
	if (result == -ERANGE && g->offset == 0)
		result = get_empty(engine, &get);
	return result;
}

int s3_head(void *engine, const char *key, struct tier_try *t, struct tier_head *head)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "HEAD", .key = key};
	int result = s3_perform(engine, &r, t);

	if (result < 0)
		return result;
	if (r.answer.length == UINT64_MAX)
		return senseless(t, "an answer without its length");
	s3_head_of_answer(&r.answer, r.answer.length, head);
	return 0;
}

/* ---- copy ---- */

void s3_header_source(const struct s3 *s3, struct s3_request *r, const struct tier_copy *c)
{
	_cleanup_buf_ struct buf source = BUF_INIT;
	char etag[TIER_ETAG_ROOM + 2];

	buf_addc(&source, '/');
	s3_encode(&source, s3->bucket, false);
	buf_addc(&source, '/');
	s3_encode(&source, c->from, true);
	s3_header(r, "x-amz-copy-source", buf_str(&source));
	if (c->etag) {
		snprintf(etag, sizeof(etag), "\"%s\"", c->etag);
		s3_header(r, "x-amz-copy-source-if-match", etag);
	}
}

/* Ceph does not know x-amz-copy-source-if-match, and copies whatever is there. */
static int still_has_etag(struct s3 *s3, const struct tier_copy *c, struct tier_try *t)
{
	struct tier_head from;
	int r = c->etag ? s3_head(s3, c->from, t, &from) : 0;

	return r < 0 ? r : c->etag && strcmp(c->etag, from.etag) != 0 ? -ESTALE : 0;
}

static int copy_once(struct s3 *s3, const struct tier_copy *c, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "PUT", .key = c->to, .rest_of_code = true};

	s3_header_source(s3, &r, c);
	s3_header(&r, "x-amz-metadata-directive", c->facts ? "REPLACE" : "COPY");
	if (c->facts)
		s3_header(&r, "Content-Type", "application/octet-stream");
	s3_header_new_object(s3, &r, c->class);
	if (c->facts)
		s3_header_facts(&r, c->facts);
	return s3_perform(s3, &r, t);
}

int s3_copy(void *engine, const struct tier_copy *c, struct tier_try *t, struct tier_head *head)
{
	struct s3 *s3 = engine;
	int r = c->if_none_match ? must_not_exist(s3, c->to, t) : 0;

	if (r == 0)
		r = still_has_etag(s3, c, t);
	if (r == 0)
		r = copy_once(s3, c, t);
	if (r == 0 && strcmp(c->from, c->to) != 0)
		r = still_has_etag(s3, c, t);
	return r < 0 ? r : s3_head(s3, c->to, t, head);
}

/* ---- restore ---- */

int s3_restore(void *engine, const char *key, int days, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "POST", .key = key, .query = "restore="};
	_cleanup_buf_ struct buf body = BUF_INIT;
	char hex[65];
	int result;

	buf_addf(&body,
		 "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>%d</Days>"
		 "<GlacierJobParameters><Tier>Standard</Tier></GlacierJobParameters></RestoreRequest>",
		 days);
	if (buf_error(&body))
		return buf_error(&body);
	s3_hash(hex, body.data, body.len);
	r.sha256 = hex;
	r.http.bytes = body.data;
	r.http.body_len = body.len;
	s3_header(&r, "Content-Type", "application/xml");
	result = s3_perform(engine, &r, t);
	/* "Not archived" is what InvalidObjectState says here. */
	if (result == -ENODATA)
		return 0;
	return result == 0 && r.http.status == 202 ? -EINPROGRESS : result;
}
