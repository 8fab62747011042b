/* One request to S3: its URL, its signature, the header of its answer. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "tier/facts.h"
#include "tier/s3/s3_int.h"
#include "tier/s3/s3_sign.h"
#include "tier/s3/xml.h"

#define REDIRECTS_MAX 3

void s3_request_release(struct s3_request *r)
{
	http_request_release(&r->http);
}

void s3_encode(struct buf *out, const char *text, bool slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
			     strchr("-_.~", *p) || (slash && *p == '/');

		if (plain) {
			buf_addc(out, (char)*p);
		} else {
			buf_addc(out, '%');
			buf_addc(out, hex[*p >> 4]);
			buf_addc(out, hex[*p & 15]);
		}
	}
}

void s3_hex(char hex[65], const uint8_t hash[32])
{
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

void s3_hash(char hex[65], const void *bytes, size_t len)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, hash);
	s3_hex(hex, hash);
}

/* ---- the header of a request ---- */

void s3_header(struct s3_request *r, const char *name, const char *value)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct curl_slist *list;

	buf_addf(&line, "%s: %s", name, value);
	list = buf_error(&line) ? NULL : curl_slist_append(r->http.headers, buf_str(&line));
	if (list)
		r->http.headers = list;
	else
		r->http.answer.error = -ENOMEM;
}

static void add_fact(void *arg, const char *name, const char *value)
{
	char header[64];

	snprintf(header, sizeof(header), "x-amz-meta-%s", name);
	s3_header(arg, header, value);
}

void s3_header_facts(struct s3_request *r, const struct tier_facts *facts)
{
	facts_each(facts, add_fact, r);
}

void s3_header_new_object(const struct s3 *s3, struct s3_request *r, const char *class)
{
	if (class && class[0])
		s3_header(r, "x-amz-storage-class", class);
	if (s3->sse)
		s3_header(r, "x-amz-server-side-encryption", s3->sse);
	if (s3->sse && s3->sse_key)
		s3_header(r, "x-amz-server-side-encryption-aws-kms-key-id", s3->sse_key);
}

/* ---- the header of an answer ---- */

static void keep(char *to, size_t size, const char *value)
{
	snprintf(to, size, "%s", strlen(value) < size ? value : "");
}

/* "\"abc\"", W/ in front where the server is not sure. */
static void keep_etag(char *to, const char *value)
{
	size_t len;

	if (strncmp(value, "W/", 2) == 0)
		value += 2;
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	if (len < TIER_ETAG_ROOM)
		snprintf(to, TIER_ETAG_ROOM, "%.*s", (int)len, value);
}

static uint64_t number(const char *value)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(value, &end, 10);
	return value[0] >= '0' && value[0] <= '9' && errno == 0 && *end == '\0' ? n : UINT64_MAX;
}

static int64_t http_date(const char *value)
{
	time_t t = curl_getdate(value, NULL);

	return t < 0 ? 0 : (int64_t)t * NSEC_PER_SEC;
}

/* Seconds, or a date. */
static int64_t retry_after(const char *value)
{
	uint64_t seconds = number(value);
	int64_t at = seconds == UINT64_MAX ? http_date(value) - clock_wall() : 0;

	if (seconds != UINT64_MAX)
		return seconds > 3600 ? 3600 * NSEC_PER_SEC : (int64_t)seconds * NSEC_PER_SEC;
	return at > 0 ? at : 0;
}

static void content_range(struct s3_answer *a, const char *value)
{
	uint64_t first, last, total;

	if (sscanf(value, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &first, &last, &total) == 3) {
		a->first = first;
		a->total = total;
	}
}

static void take_header(void *arg, const char *name, const char *value)
{
	struct s3_request *r = arg;
	struct s3_answer *a = &r->answer;
	static const char meta[] = "x-amz-meta-";

	if (!name[0])
		*a = (struct s3_answer){.length = UINT64_MAX, .total = UINT64_MAX};
	else if (strncasecmp(name, meta, sizeof(meta) - 1) == 0)
		facts_take(&a->facts, name + sizeof(meta) - 1, value, strlen(value));
	else if (strcasecmp(name, "Content-Length") == 0)
		a->length = number(value);
	else if (strcasecmp(name, "Content-Range") == 0)
		content_range(a, value);
	else if (strcasecmp(name, "ETag") == 0)
		keep_etag(a->etag, value);
	else if (strcasecmp(name, "Last-Modified") == 0)
		a->modified = http_date(value);
	else if (strcasecmp(name, "Date") == 0)
		a->date = http_date(value);
	else if (strcasecmp(name, "Retry-After") == 0)
		a->retry_after = retry_after(value);
	else if (strcasecmp(name, "Location") == 0)
		keep(a->location, sizeof(a->location), value);
	else if (strcasecmp(name, "x-amz-storage-class") == 0)
		keep(a->class, sizeof(a->class), strcmp(value, "STANDARD") == 0 ? "" : value);
	else if (strcasecmp(name, "x-amz-restore") == 0)
		keep(a->restore, sizeof(a->restore), value);
	else if (strcasecmp(name, "x-amz-archive-status") == 0)
		keep(a->archive, sizeof(a->archive), value);
	else if (strcasecmp(name, "x-amz-bucket-region") == 0)
		keep(a->region, sizeof(a->region), value);
}

bool s3_class_is_archive(const char *class)
{
	return strcmp(class, "GLACIER") == 0 || strcmp(class, "DEEP_ARCHIVE") == 0;
}

void s3_head_of_answer(const struct s3_answer *a, uint64_t size, struct tier_head *head)
{
	*head = (struct tier_head){.size = size, .mtime = a->modified ? a->modified : a->date, .facts = a->facts};
	memcpy(head->etag, a->etag, sizeof(head->etag));
	memcpy(head->class, a->class, sizeof(head->class));
	head->archived = s3_class_is_archive(a->class) || a->archive[0];
	head->restoring = strstr(a->restore, "ongoing-request=\"true\"") != NULL;
	if (strstr(a->restore, "ongoing-request=\"false\""))
		head->archived = false;
}

/* ---- the request ---- */

static int take_headed(void *arg)
{
	struct s3_request *r = arg;

	return r->headed ? r->headed(r->arg, &r->answer) : 0;
}

static int take_body(void *arg, const void *bytes, size_t len)
{
	struct s3_request *r = arg;

	return r->sink(r->arg, bytes, len);
}

static void compose_url(struct s3 *s3, const struct s3_request *r, struct buf *url)
{
	const char *host = strstr(s3->endpoint, "://") + 3;

	if (s3->path_style) {
		buf_addf(url, "%s/", s3->endpoint);
		s3_encode(url, s3->bucket, false);
		buf_addc(url, '/');
	} else {
		buf_addf(url, "%.*s%s.%s/", (int)(host - s3->endpoint), s3->endpoint, s3->bucket, host);
	}
	if (r->key)
		s3_encode(url, r->key, true);
	if (r->query && r->query[0])
		buf_addf(url, "?%s", r->query);
}

static void get_region(struct s3 *s3, char region[REGION_ROOM])
{
	SCOPED_LOCK(&s3->lock);
	memcpy(region, s3->region, REGION_ROOM);
}

/* AWS's own endpoint is that of the region. */
static void put_region(const struct s3 *s3, const char *region, struct buf *url)
{
	static const char any[] = "REGION";
	char *at = s3->own_endpoint || !url->data ? NULL : strstr(url->data, any);
	_cleanup_buf_ struct buf rest = BUF_INIT;

	if (!at)
		return;
	buf_adds(&rest, at + sizeof(any) - 1);
	url->len = (size_t)(at - url->data);
	buf_addf(url, "%s%s", region, buf_str(&rest));
}

static bool set_region(struct s3 *s3, const char *region)
{
	bool other;

	if (!region[0] || strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
		return false;
	pthread_mutex_lock(&s3->lock);
	other = strcmp(s3->region, region) != 0;
	snprintf(s3->region, sizeof(s3->region), "%s", region);
	pthread_mutex_unlock(&s3->lock);
	return other;
}

/* Where a redirection leads, when it may be followed: a signed request does not leave TLS. */
static bool may_follow(const char *from, const char *to)
{
	return strncmp(to, "https://", 8) == 0 || (strncmp(from, "http://", 7) == 0 && strncmp(to, "http://", 7) == 0);
}

/*
 * Is it to be made again at once, since the server has said where? Another region is remembered, another host is for
 * this request only.
 */
static bool is_redirected(struct s3 *s3, struct s3_request *r, struct buf *url)
{
	char region[64] = "";

	if (r->http.status == 400 && strstr(buf_str(&r->http.answer), "<Region>"))
		(void)!xml_text(buf_str(&r->http.answer), r->http.answer.len, "Error/Region", region, sizeof(region));
	if (r->http.status < 300 || (r->http.status >= 400 && !region[0]))
		return false;
	if (set_region(s3, region[0] ? region : r->answer.region)) {
		buf_clear(url);
		compose_url(s3, r, url);
		return true;
	}
	if (r->http.status == 304 || !r->answer.location[0] || !may_follow(buf_str(url), r->answer.location))
		return false;
	buf_clear(url);
	buf_adds(url, r->answer.location);
	return true;
}

/* Headers of one try only: what stands behind the first N goes, and what it said. */
static void cut_headers(struct s3_request *r, int n)
{
	struct curl_slist **p = &r->http.headers;

	while (*p && n--)
		p = &(*p)->next;
	for (struct curl_slist *h = *p; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(*p);
	*p = NULL;
}

static int count_headers(const struct s3_request *r)
{
	int n = 0;

	for (const struct curl_slist *h = r->http.headers; h; h = h->next)
		n++;
	return n;
}

static void add_line(struct s3_request *r, struct buf *line)
{
	struct curl_slist *list = curl_slist_append(r->http.headers, buf_str(line));

	if (list)
		r->http.headers = list;
	else
		r->http.answer.error = -ENOMEM;
}

static int sign(struct s3_request *r, const char *url, const char *region, const struct secret *secret,
		struct buf *signer)
{
	_cleanup_buf_ struct buf date = BUF_INIT, authorization = BUF_INIT;
	struct sign_request s = {.method = r->method,
				 .url = url,
				 .region = region,
				 .sha256 = r->sha256 ? r->sha256 : HASH_OF_NOTHING,
				 .headers = r->http.headers,
				 .now = clock_wall()};
	int result;

	if (!sign_is_needed(r->http.headers)) {
		buf_addf(signer, "aws:amz:%s:s3", region);
		r->http.signer = buf_str(signer);
		r->http.access = secret->access;
		r->http.secret = secret->secret;
		return buf_error(signer);
	}
	result = sign_by_hand(&s, secret, &date, &authorization);
	if (result == 0) {
		add_line(r, &date);
		add_line(r, &authorization);
	}
	return result;
}

static int perform_signed(struct s3 *s3, struct s3_request *r, struct buf *url, struct tier_try *t)
{
	_cleanup_(secret_clear) struct secret secret;
	_cleanup_buf_ struct buf signer = BUF_INIT;
	int nheaders = count_headers(r), result;
	char region[REGION_ROOM];

	result = credentials_get(s3->credentials, t, &secret);
	if (result < 0)
		return result;
	get_region(s3, region);
	put_region(s3, region, url);
	if (secret.token[0])
		s3_header(r, "x-amz-security-token", secret.token);
	result = buf_error(url) ? buf_error(url) : sign(r, buf_str(url), region, &secret, &signer);
	if (result == 0)
		result = buf_error(&r->http.answer);
	r->http.url = buf_str(url);
	if (result == 0)
		result = http_perform(s3->http, &r->http, t);
	cut_headers(r, nheaders);
	r->http.url = r->http.signer = r->http.access = r->http.secret = NULL;
	return result;
}

int s3_perform(struct s3 *s3, struct s3_request *r, struct tier_try *t)
{
	_cleanup_buf_ struct buf url = BUF_INIT;
	int result;

	r->http.method = r->method;
	r->http.header = take_header;
	r->http.headed = take_headed;
	r->http.sink = r->sink ? take_body : NULL;
	r->http.arg = r;
	s3_header(r, "x-amz-content-sha256", r->sha256 ? r->sha256 : HASH_OF_NOTHING);
	compose_url(s3, r, &url);
	for (int i = 0;; i++) {
		result = perform_signed(s3, r, &url, t);
		if (result < 0)
			return result;
		if (i == REDIRECTS_MAX || !is_redirected(s3, r, &url))
			return s3_error(s3, r, t);
	}
}
