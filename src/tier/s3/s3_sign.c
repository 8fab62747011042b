#include "tier/s3/s3_sign.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tier/s3/s3_int.h"

#define SORTS_RIGHT 0x080a00 /* libcurl 8.10 */
#define HEADERS_MAX 32
#define HASH_LEN 32

static size_t name_len(const char *line)
{
	return strcspn(line, ":");
}

bool sign_is_needed(const struct curl_slist *headers)
{
	if (curl_version_info(CURLVERSION_NOW)->version_num >= SORTS_RIGHT)
		return false;
	for (const struct curl_slist *a = headers; a; a = a->next) {
		for (const struct curl_slist *b = headers; b; b = b->next) {
			size_t len = name_len(a->data);

			if (a != b && name_len(b->data) > len && strncasecmp(a->data, b->data, len) == 0)
				return true;
		}
	}
	return false;
}

/* "name:value\n", the name in lower case. */
struct line {
	const char *name, *value;
	size_t len;
};

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int r = strncasecmp(x->name, y->name, len);

	return r ? r : (x->len > y->len) - (x->len < y->len);
}

static bool is_signed(const char *line)
{
	return strncasecmp(line, "x-amz-", 6) == 0;
}

static void add_lower(struct buf *b, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(b, (char)tolower((unsigned char)name[i]));
}

static void take_line(struct line *lines, int *n, const char *text)
{
	size_t len = name_len(text);

	if (*n < HEADERS_MAX)
		lines[(*n)++] = (struct line){text, text + len + 1 + strspn(text + len + 1, " "), len};
}

/* The canonical request, and the names of its headers. */
static void compose(const struct sign_request *r, const char *host, const char *date, struct buf *out,
		    struct buf *names)
{
	const char *path = strchr(strstr(r->url, "://") + 3, '/'), *query = strchr(r->url, '?');
	size_t path_len = query ? (size_t)(query - path) : strlen(path);
	struct line lines[HEADERS_MAX];
	int n = 0;

	take_line(lines, &n, host);
	take_line(lines, &n, date);
	for (const struct curl_slist *h = r->headers; h; h = h->next) {
		if (is_signed(h->data))
			take_line(lines, &n, h->data);
	}
	qsort(lines, (size_t)n, sizeof(*lines), compare);
	buf_addf(out, "%s\n%.*s\n%s\n", r->method, (int)path_len, path, query ? query + 1 : "");
	for (int i = 0; i < n; i++) {
		add_lower(out, lines[i].name, lines[i].len);
		buf_addf(out, ":%s\n", lines[i].value);
		if (i)
			buf_addc(names, ';');
		add_lower(names, lines[i].name, lines[i].len);
	}
	buf_addf(out, "\n%s\n%s", buf_str(names), r->sha256);
}

static bool mac(uint8_t out[HASH_LEN], const void *key, size_t len, const char *text)
{
	unsigned n;

	return HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text, strlen(text), out, &n) != NULL;
}

static bool signature(uint8_t out[HASH_LEN], const struct secret *s, const char *day, const char *region,
		      const char *text)
{
	char first[sizeof(s->secret) + 4];
	uint8_t key[HASH_LEN];
	bool good;

	snprintf(first, sizeof(first), "AWS4%s", s->secret);
	good = mac(key, first, strlen(first), day) && mac(key, key, HASH_LEN, region) &&
	       mac(key, key, HASH_LEN, "s3") && mac(key, key, HASH_LEN, "aws4_request") &&
	       mac(out, key, HASH_LEN, text);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(key, sizeof(key));
	return good;
}

static void host_header(struct buf *host, const char *url)
{
	const char *begin = strstr(url, "://") + 3;

	buf_addf(host, "host:%.*s", (int)strcspn(begin, "/"), begin);
}

int sign_by_hand(const struct sign_request *r, const struct secret *s, struct buf *date, struct buf *authorization)
{
	_cleanup_buf_ struct buf request = BUF_INIT, names = BUF_INIT, host = BUF_INIT, text = BUF_INIT;
	time_t now = (time_t)(r->now / NSEC_PER_SEC);
	char stamp[32], day[16], hash[65];
	uint8_t result[HASH_LEN];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	strftime(day, sizeof(day), "%Y%m%d", &tm);
	buf_addf(date, "x-amz-date: %s", stamp);
	host_header(&host, r->url);
	if (buf_error(date) || buf_error(&host))
		return -ENOMEM;
	compose(r, buf_str(&host), buf_str(date), &request, &names);
	s3_hash(hash, buf_str(&request), request.len);
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/s3/aws4_request\n%s", stamp, day, r->region, hash);
	if (buf_error(&request) || buf_error(&names) || buf_error(&text))
		return -ENOMEM;
	if (!signature(result, s, day, r->region, buf_str(&text)))
		return -EIO;
	buf_addf(authorization,
		 "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request, SignedHeaders=%s, Signature=",
		 s->access, day, r->region, buf_str(&names));
	buf_add_hex(authorization, result, sizeof(result));
	return buf_error(authorization);
}
