/* Objects in parts. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tier/s3/s3_int.h"
#include "tier/s3/xml.h"

#define ANSWER_MAX (1024 * 1024)

/* "partNumber=1&uploadId=…", or only the latter for number 0. */
static int compose_query(struct buf *query, unsigned number, const char *id)
{
	if (number)
		buf_addf(query, "partNumber=%u&", number);
	buf_adds(query, "uploadId=");
	s3_encode(query, id, false);
	return buf_error(query);
}

int s3_begin(void *engine, const struct tier_put *p, struct buf *id, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "POST", .key = p->key, .query = "uploads="};
	char text[1024];
	int result;

	r.http.bytes = "";
	s3_header(&r, "Content-Type", "application/octet-stream");
	s3_header_new_object(engine, &r, p->class);
	s3_header_facts(&r, &p->facts);
	result = s3_perform(engine, &r, t);
	if (result < 0)
		return result;
	result = xml_text(buf_str(&r.http.answer), r.http.answer.len, "InitiateMultipartUploadResult/UploadId", text,
			  sizeof(text));
	if (result < 0 || !text[0]) {
		t->again = true;
		return -EIO;
	}
	buf_clear(id);
	buf_adds(id, text);
	return buf_error(id);
}

int s3_part(void *engine, struct tier_part *part, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "PUT", .key = part->key};
	_cleanup_buf_ struct buf query = BUF_INIT;
	char hex[65];
	int result = compose_query(&query, part->number, part->id);

	if (result < 0)
		return result;
	s3_hex(hex, part->sha256);
	r.query = buf_str(&query);
	r.sha256 = hex;
	r.http.bytes = part->bytes;
	r.http.body_len = part->len;
	result = s3_perform(engine, &r, t);
	if (result == 0 && !r.answer.etag[0]) {
		t->again = true;
		result = -EIO;
	}
	memcpy(part->etag, r.answer.etag, sizeof(part->etag));
	return result;
}

int s3_part_copy(void *engine, struct tier_part *part, const struct tier_copy *c, uint64_t offset, uint64_t length,
		 struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "PUT", .key = part->key, .rest_of_code = true};
	_cleanup_buf_ struct buf query = BUF_INIT;
	char range[64], etag[TIER_ETAG_ROOM + 2];
	size_t len;
	int result = compose_query(&query, part->number, part->id);

	if (result < 0)
		return result;
	r.query = buf_str(&query);
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, offset, offset + length - 1);
	s3_header_source(engine, &r, c);
	s3_header(&r, "x-amz-copy-source-range", range);
	result = s3_perform(engine, &r, t);
	if (result < 0)
		return result;
	result = xml_text(buf_str(&r.http.answer), r.http.answer.len, "CopyPartResult/ETag", etag, sizeof(etag));
	len = strlen(etag);
	if (result < 0 || !len) {
		t->again = true;
		return -EIO;
	}
	snprintf(part->etag, sizeof(part->etag), "%.*s", (int)(len >= 2 && etag[0] == '"' ? len - 2 : len),
		 etag + (len >= 2 && etag[0] == '"'));
	return 0;
}

static void compose_parts(struct buf *body, const struct tier_part *parts, unsigned n)
{
	buf_adds(body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < n; i++)
		buf_addf(body, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag></Part>", parts[i].number,
			 parts[i].etag);
	buf_adds(body, "</CompleteMultipartUpload>");
}

int s3_complete(void *engine, const struct tier_put *p, const char *id, const struct tier_part *parts, unsigned n,
		struct tier_try *t, struct tier_head *head)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "POST", .key = p->key, .rest_of_code = true};
	_cleanup_buf_ struct buf query = BUF_INIT, body = BUF_INIT;
	struct s3 *s3 = engine;
	char hex[65];
	int result = compose_query(&query, 0, id);

	compose_parts(&body, parts, n);
	if (result < 0 || buf_error(&body))
		return -ENOMEM;
	s3_hash(hex, body.data, body.len);
	r.query = buf_str(&query);
	r.sha256 = hex;
	r.http.bytes = body.data;
	r.http.body_len = body.len;
	r.http.answer_max = ANSWER_MAX;
	s3_header(&r, "Content-Type", "application/xml");
	if (p->if_none_match && !s3->no_if_none_match)
		s3_header(&r, "If-None-Match", "*");
	result = s3_perform(s3, &r, t);
	if (result == -ESTALE && r.http.status == 412)
		return -EEXIST;
	/* Its ETag is missing on Ceph 16, and its size is worth a look. */
	return result < 0 ? result : s3_head(s3, p->key, t, head);
}

int s3_abort(void *engine, const char *key, const char *id, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "DELETE", .key = key};
	_cleanup_buf_ struct buf query = BUF_INIT;
	int result = compose_query(&query, 0, id);

	if (result < 0)
		return result;
	r.query = buf_str(&query);
	result = s3_perform(engine, &r, t);
	return result == -ENOENT ? 0 : result;
}
