/* Removing: one by one, or many with one request (DeleteObjects), which some servers do not have. */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "tier/s3/s3_int.h"
#include "tier/s3/xml.h"

#define ANSWER_MAX (16 * 1024 * 1024)

static int remove_one(struct s3 *s3, const char *key, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "DELETE", .key = key};
	int result = s3_perform(s3, &r, t);

	return result == -ENOENT ? 0 : result;
}

static int remove_singly(struct s3 *s3, const char *const *keys, int n, int *results, struct tier_try *t)
{
	for (int i = 0; i < n; i++) {
		t->again = false;
		results[i] = remove_one(s3, keys[i], t);
		/* The rest would fail as this one did. */
		if (results[i] < 0 && (t->again || results[i] == -EACCES || results[i] == -ECANCELED))
			return results[i];
	}
	return 0;
}

static void add_text(struct buf *b, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || strchr("&<>\"'", *p))
			buf_addf(b, "&#%d;", *p);
		else
			buf_addc(b, (char)*p);
	}
}

static void compose(struct buf *body, const char *const *keys, int n)
{
	buf_adds(body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
	for (int i = 0; i < n; i++) {
		buf_adds(body, "<Object><Key>");
		add_text(body, keys[i]);
		buf_adds(body, "</Key></Object>");
	}
	buf_adds(body, "</Delete>");
}

/* What AWS wants for this request only. Base64. */
static int add_md5(struct s3_request *r, const struct buf *body)
{
	unsigned char md5[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_Digest(body->data, body->len, md5, &len, EVP_md5(), NULL) != 1)
		return -ENOTSUP;
	EVP_EncodeBlock(text, md5, (int)len);
	s3_header(r, "Content-MD5", (const char *)text);
	return 0;
}

struct refused {
	const char *const *keys;
	int n, *results;
	char key[TIER_KEY_MAX + 1], code[64];
	bool answered;
};

static int take_leaf(void *arg, const char *path, const char *text)
{
	struct refused *f = arg;

	f->answered = f->answered || strncmp(path, "DeleteResult", 12) == 0;
	if (strcmp(path, "DeleteResult/Error/Key") == 0)
		snprintf(f->key, sizeof(f->key), "%s", text);
	else if (strcmp(path, "DeleteResult/Error/Code") == 0)
		snprintf(f->code, sizeof(f->code), "%s", text);
	return 0;
}

static int take_end(void *arg, const char *path)
{
	struct refused *f = arg;

	f->answered = f->answered || strcmp(path, "DeleteResult") == 0;
	if (strcmp(path, "DeleteResult/Error") != 0)
		return 0;
	for (int i = 0; i < f->n; i++) {
		if (strcmp(f->keys[i], f->key) == 0)
			f->results[i] = strcmp(f->code, "NoSuchKey") == 0      ? 0
					: strcmp(f->code, "AccessDenied") == 0 ? -EACCES
									       : -EIO;
	}
	return 0;
}

static int remove_at_once(struct s3 *s3, const char *const *keys, int n, int *results, struct tier_try *t)
{
	static const struct xml_handler handler = {take_leaf, take_end};
	_cleanup_(s3_request_release) struct s3_request r = {.method = "POST", .query = "delete="};
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct refused f = {.keys = keys, .n = n, .results = results};
	char hex[65];
	int result;

	compose(&body, keys, n);
	if (buf_error(&body))
		return buf_error(&body);
	s3_hash(hex, body.data, body.len);
	r.sha256 = hex;
	r.http.bytes = body.data;
	r.http.body_len = body.len;
	r.http.answer_max = ANSWER_MAX;
	s3_header(&r, "Content-Type", "application/xml");
	result = add_md5(&r, &body);
	if (result == 0)
		result = s3_perform(s3, &r, t);
	if (result < 0)
		return result;
	memset(results, 0, (size_t)n * sizeof(*results));
	result = xml_parse(buf_str(&r.http.answer), r.http.answer.len, &handler, &f);
	return result < 0 ? result : f.answered ? 0 : -ENOTSUP;
}

int s3_remove(void *engine, const char *const *keys, int n, int *results, struct tier_try *t)
{
	struct s3 *s3 = engine;
	int r;

	if (n == 1 || s3->no_bulk_remove)
		return remove_singly(s3, keys, n, results, t);
	r = remove_at_once(s3, keys, n, results, t);
	/* Servers that lack it say so in many ways; those that have it refuse nothing that single requests may. */
	if (r == -ENOTSUP || r == -EINVAL || r == -ENOENT) {
		s3->no_bulk_remove = r == -ENOTSUP;
		r = remove_singly(s3, keys, n, results, t);
	}
	return r;
}
