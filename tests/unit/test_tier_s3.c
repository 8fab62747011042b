/* S3 as it is asked, and what its answers are taken for. Against a stand-in; tests/s3/ has a real server. */
#include <signal.h>

#include "test_http.h"
#include "test_tier.h"
#include "tier/s3/credentials.h"
#include "tier/s3/s3_sign.h"

#define SOON "Retry-After: 0\r\n"
#define OBJECT "200 OK\r\nETag: \"e1\"\r\nContent-Length: 5\r\nx-amz-meta-tarn-size: 5\r\n"

static struct settings settings = {.refs = 1};
static struct tier_call quick = {.patience = 3 * NSEC_PER_SEC};

static struct tier *open_bucket(void)
{
	static char endpoint[64];
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", stand_in.port);
	settings.cloud_provider = (char *)"s3";
	settings.cloud_bucket = (char *)"bkt";
	settings.cloud_endpoint = endpoint;
	if (tier_open(&settings, NULL, NULL, &t, &why) < 0)
		printf("Bail out! %s\n", buf_str(&why));
	return t;
}

static bool asked(int i, const char *text)
{
	bool good = strstr(request(i), text) != NULL;

	if (!good)
		diag("%s", request(i));
	return good;
}

static int try_head(struct tier *t, struct tier_head *head)
{
	return tier_head(t, "k", &quick, head);
}

static int try_get(struct tier *t, uint64_t offset, uint64_t length, struct buf *out)
{
	struct tier_get g = {.key = "k", .offset = offset, .length = length, .sink = take, .arg = out};

	buf_clear(out);
	return tier_get(t, &g, &quick, NULL);
}

static void test_requests(struct tier *t)
{
	struct tier_head head;

	ANSWERS(OBJECT
		"Last-Modified: Fri, 20 Nov 2026 09:00:00 GMT\r\nx-amz-storage-class: GLACIER\r\n"
		"x-amz-restore: ongoing-request=\"true\"\r\nx-amz-meta-mtime: 5.5\r\n");
	is_int(tier_head(t, "a b/ä+~'", &quick, &head), 0, "head");
	ok(asked(0, "HEAD /bkt/a%20b/%C3%A4%2B~%27 HTTP/1.1\r\n"), "the path is encoded");
	ok(asked(0, "Authorization: AWS4-HMAC-SHA256 Credential=key/"), "it is signed");
	ok(asked(0, "/us-east-1/s3/aws4_request"), "for the region");
	ok(asked(0, "x-amz-content-sha256: e3b0c44298fc1c14"), "with the hash of nothing");
	ok(!strstr(request(0), "secret"), "and no secret in it");
	ok(head.size == 5 && strcmp(head.etag, "e1") == 0 && head.archived && head.restoring &&
		   head.mtime == INT64_C(1795165200) * NSEC_PER_SEC,
	   "what the answer says");
	ok(head.facts.known == (TIER_KNOWS_SIZE | TIER_KNOWS_MTIME) && head.facts.mtime == INT64_C(5500000000),
	   "and its facts");
	ANSWERS("200 OK\r\nETag: \"e2\"\r\n");
	is_int(put_len(t, "k", "hello", 5, &head), 0, "put");
	ok(asked(0, "x-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
	   "the hash of the body is signed");
	ok(asked(0, "x-amz-meta-tarn-size: 5") && asked(0, "Content-Length: 5"), "with its facts and its length");
	is_str(request_body(0), "hello", "its body");
	is_str(head.etag, "e2", "its ETag");
}

static void test_meanings(struct tier *t)
{
	static const struct {
		const char *answer;
		int error;
	} cases[] = {
		{"403 No\r\nDate: Fri, 20 Nov 2026 09:00:00 GMT\r\n", -EACCES},
		{"401 No\r\n", -EACCES},
		{"405 No\r\n", -ENOTSUP},
		{"412 No\r\n", -ESTALE},
		{"416 No\r\n", -ERANGE},
		{"507 No\r\n", -ENOSPC},
		{"400 No\r\n", -EINVAL},
		{"301 Moved\r\n", -EIO},
		{"200 OK\r\nContent-Length: x\r\n", -EIO},
	};
	struct tier_head head;
	struct tier_stats stats;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ANSWERS(cases[i].answer);
		is_int(try_head(t, &head), cases[i].error, cases[i].answer);
	}
	ANSWERS("403 No\r\nDate: Fri, 20 Nov 2026 09:00:00 GMT\r\n");
	try_head(t, &head);
	tier_stats(t, &stats);
	ok(strstr(stats.last_error, "this machine's clock is"), "a wrong clock is told: %s", stats.last_error);
}

static const char *xml(const char *status, const char *code)
{
	static char texts[8][512];
	static int n;
	char body[300], *text = texts[n++ % 8];

	snprintf(body, sizeof(body), "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>m</Message></Error>", code);
	snprintf(text, sizeof(texts[0]), "%s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
	return text;
}

static void test_codes(struct tier *t)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	static const struct {
		const char *status, *code;
		int error;
	} cases[] = {
		{"404 Not Found", "NoSuchKey", -ENOENT},
		{"404 Not Found", "NoSuchBucket", -EHOSTUNREACH},
		{"403 Forbidden", "InvalidObjectState", -ENODATA},
		{"403 Forbidden", "SignatureDoesNotMatch", -EACCES},
		{"400 Bad", "InvalidToken", -EACCES},
		{"400 Bad", "InvalidRange", -EINVAL},
		{"403 Forbidden", "QuotaExceeded", -EDQUOT},
		{"501 No", "NotImplemented", -ENOTSUP},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ANSWERS(xml(cases[i].status, cases[i].code));
		is_int(try_get(t, 0, TIER_TO_END, &b), cases[i].error, cases[i].code);
	}
	ANSWERS(xml("503 Slow", "SlowDown"), xml("500 Oh", "InternalError"), "!", OBJECT "\r\nhello");
	is_int(try_get(t, 0, TIER_TO_END, &b), 0, "503, 500, a closed connection, and then");
	is_str(buf_str(&b), "hello", "the bytes");
}

/* A bucket that is gone must not make its objects look removed. */
static void test_bucket_gone(void)
{
	struct tier *t = open_bucket();
	struct tier_head head;

	ANSWERS("404 Not Found\r\n", "404 Not Found\r\n");
	is_int(try_head(t, &head), -EHOSTUNREACH, "404 for the object, and for the bucket");
	ok(asked(1, "HEAD /bkt/ HTTP"), "which was asked for");
	ANSWERS("404 Not Found\r\n", "200 OK\r\n");
	is_int(try_head(t, &head), -ENOENT, "404 for the object only");
	ANSWERS("404 Not Found\r\n");
	is_int(try_head(t, &head), -ENOENT, "and the bucket is not asked for each time");
	tier_unref(t);
}

static void test_bodies(struct tier *t)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct tier_get g = {.key = "k", .etag = "e1", .offset = 0, .length = 5, .sink = take, .arg = &b};

	ANSWERS(OBJECT "Connection: close\r\n\r\nhel",
		"206 Partial\r\nETag: \"e1\"\r\nContent-Length: 2\r\nContent-Range: bytes 3-4/5\r\n\r\nlo");
	is_int(try_get(t, 0, TIER_TO_END, &b), 0, "a body that was cut off is gone on with");
	is_str(buf_str(&b), "hello", "each byte once");
	ok(asked(1, "Range: bytes=3-4\r\n") && asked(1, "If-Match: \"e1\""), "from where it ended, of the same object");
	ANSWERS(OBJECT "Connection: close\r\n\r\nhel",
		"206 Partial\r\nETag: \"e9\"\r\nContent-Length: 2\r\nContent-Range: bytes 3-4/5\r\n\r\nLO");
	is_int(try_get(t, 0, TIER_TO_END, &b), -ESTALE, "but not with another object");
	ANSWERS("206 Partial\r\nETag: \"e1\"\r\nContent-Length: 2\r\nContent-Range: bytes 0-1/5\r\n\r\nhe");
	is_int(try_get(t, 3, 2, &b), -EIO, "another range than asked for");
	ANSWERS(OBJECT "\r\nhello");
	is_int(try_get(t, 3, 2, &b), -EIO, "all of it instead of a range");
	ANSWERS("206 Partial\r\nETag: \"e1\"\r\nContent-Length: 5\r\nContent-Range: bytes 3-4/5\r\n\r\nlo...");
	is_int(try_get(t, 3, 2, &b), -EIO, "more bytes than asked for");
	ANSWERS("200 OK\r\nConnection: close\r\n\r\nhello");
	is_int(try_get(t, 0, TIER_TO_END, &b), -EIO, "an answer without its length");
	ANSWERS("416 No\r\n", "200 OK\r\nETag: \"e0\"\r\n");
	is_int(try_get(t, 0, 5, &b), 0, "a range of an empty object");
	ANSWERS("200 OK\r\nETag: \"e2\"\r\nContent-Length: 5\r\n\r\nhello");
	is_int(tier_get(t, &g, &quick, NULL), -ESTALE, "a server that does not look at If-Match");
}

static void test_if_none_match(struct tier *t)
{
	struct bytes b = {"x", 1, 0, 0};
	struct tier_put p = {.key = "k", .source = {1, read_bytes, &b}, .if_none_match = true};

	ANSWERS("412 No\r\n");
	is_int(tier_put(t, &p, &quick, NULL), -EEXIST, "412 for If-None-Match");
	ok(asked(0, "If-None-Match: *"), "which was asked");
	ANSWERS("501 No\r\n", "200 OK\r\nETag: \"e\"\r\n");
	is_int(tier_put(t, &p, &quick, NULL), -EEXIST, "a server without it, where there is one");
	ok(asked(1, "HEAD /bkt/k"), "HEAD instead");
	ANSWERS("404 No\r\n", "200 OK\r\nETag: \"e\"\r\n");
	is_int(tier_put(t, &p, &quick, NULL), 0, "where there is none");
	ok(asked(1, "PUT /bkt/k") && !strstr(request(1), "If-None-Match"), "and it is not asked again");
}

/* The first try was done, and only its answer was lost. */
static void test_lost_answer(void)
{
	struct bytes b = {"x", 1, 0, 0};
	struct tier_put p = {.key = "k", .source = {1, read_bytes, &b}, .if_none_match = true};
	struct tier *t = open_bucket();

	p.facts = (struct tier_facts){.known = TIER_KNOWS_SHA256 | TIER_KNOWS_VERSION, .node = 2, .version = 3};
	ANSWERS("500 Oh\r\n", "412 No\r\n",
		"200 OK\r\nETag: \"e\"\r\nContent-Length: 1\r\nx-amz-meta-tarn-version: "
		"0-2-3\r\nx-amz-meta-tarn-sha256: "
		"0000000000000000000000000000000000000000000000000000000000000000\r\n");
	is_int(tier_put(t, &p, &quick, NULL), 0, "what is there is ours");
	ANSWERS("500 Oh\r\n", "412 No\r\n", "200 OK\r\nETag: \"e\"\r\nContent-Length: 1\r\n");
	is_int(tier_put(t, &p, &quick, NULL), -EEXIST, "what is there is another's");
	tier_unref(t);
}

static void test_redirects(void)
{
	struct tier *t = open_bucket();
	struct tier_head head;
	char to[200];

	ANSWERS("301 Moved\r\nx-amz-bucket-region: eu-west-3\r\n", OBJECT, OBJECT);
	is_int(try_head(t, &head), 0, "a bucket in another region");
	ok(asked(1, "/eu-west-3/s3/"), "is asked as one of that region");
	is_int(try_head(t, &head), 0, "and so it is");
	ok(asked(2, "/eu-west-3/s3/"), "from then on");
	ANSWERS("400 Bad\r\nContent-Length: 95\r\n\r\n<Error><Code>AuthorizationHeaderMalformed</Code>"
		"<Region>eu-west-1</Region><X>..........</X></Error>",
		"404 No\r\n", OBJECT);
	snprintf(to, sizeof(to), "307 There\r\nLocation: http://127.0.0.1:%d/other/k\r\n", stand_in.port);
	ANSWERS(to, OBJECT);
	is_int(try_head(t, &head), 0, "a redirection");
	ok(asked(1, "HEAD /other/k "), "is followed");
	ANSWERS(to, to, to, to, to);
	is_int(try_head(t, &head), -EIO, "but not for ever");
	tier_unref(t);
}

static const char *list_answer(const char *body)
{
	static char texts[4][3000];
	static int n;
	char *text = texts[n++ % 4];

	snprintf(text, sizeof(texts[0]), "200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	return text;
}

static void test_listing(struct tier *t)
{
	ANSWERS(list_answer("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
			    "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
			    "<Contents><Key>a%2Fb+c%2B</Key><Size>5</Size><ETag>&quot;x&quot;</ETag>"
			    "<LastModified>2026-11-20T09:00:00.000Z</LastModified></Contents>"
			    "<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes></ListBucketResult>"),
		list_answer("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>d&amp;+</Key>"
			    "<Size>1</Size></Contents></ListBucketResult>"));
	is_str(list(t, "", NULL, true), "a/;a/b c+;d&+;", "two pages, one of them encoded");
	ok(asked(0, "GET /bkt/?delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix= HTTP"),
	   "the query is sorted");
	ok(asked(1, "&start-after=a%2Fb%20c%2B HTTP"), "the second goes on after the first");
	ANSWERS(list_answer("<ListBucketResult/>"));
	is_str(list(t, "", NULL, false), "", "an empty bucket");
}

static void test_senseless_listings(struct tier *t)
{
	static const char *const bad[] = {
		"<html><body>Log in</body></html>",
		"<ListBucketResult><Contents><Key>a</Key>",
		"not XML",
		"",
		"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%00b</Key></Contents></"
		"ListBucketResult>",
		"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b "
		"'&a;&a;&a;&a;'>]><ListBucketResult>&b;</ListBucketRes>",
	};
	struct tier_list l = {.prefix = "", .page = add_keys};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct tier_call once = {.patience = NSEC_PER_SEC / 50};

	l.arg = &b;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ANSWERS(list_answer(bad[i]));
		is_int(tier_list(t, &l, &once), -EIO, bad[i]);
		is_str(buf_str(&b), "", "of which nothing is told");
	}
}

static void test_removing(struct tier *t)
{
	static const char *const keys[] = {"a&b", "c"};
	int results[2];

	ANSWERS(list_answer("<DeleteResult><Error><Key>c</Key><Code>AccessDenied</Code></Error></DeleteResult>"));
	is_int(tier_remove(t, keys, 2, &quick, results), -EACCES, "two at once, one refused");
	ok(results[0] == 0 && results[1] == -EACCES, "which one");
	ok(asked(0, "POST /bkt/?delete= ") && asked(0, "Content-MD5: "), "one request");
	ok(strstr(request_body(0), "<Key>a&#38;b</Key>"), "with its keys");
	ANSWERS("501 No\r\n", "204 No Content\r\n", "404 No\r\n", "200 OK\r\n");
	is_int(tier_remove(t, keys, 2, &quick, results), 0, "a server without that");
	ok(asked(1, "DELETE /bkt/a%26b ") && asked(2, "DELETE /bkt/c "), "one after the other");
}

static void test_restore(struct tier *t)
{
	ANSWERS("202 Accepted\r\n");
	is_int(tier_restore(t, "k", 3, &quick), -EINPROGRESS, "asked for");
	ok(asked(0, "POST /bkt/k?restore= ") && strstr(request_body(0), "<Days>3</Days>"), "for three days");
	ANSWERS(xml("409 Conflict", "RestoreAlreadyInProgress"));
	is_int(tier_restore(t, "k", 3, &quick), -EINPROGRESS, "asked for before");
	ANSWERS("200 OK\r\n");
	is_int(tier_restore(t, "k", 3, &quick), 0, "it is readable");
	ANSWERS(xml("403 Forbidden", "InvalidObjectState"));
	is_int(tier_restore(t, "k", 3, &quick), 0, "it always was");
}

static void test_copy(struct tier *t)
{
	struct tier_copy c = {.from = "a b", .to = "k", .etag = "e1", .size = 5};
	struct tier_head head;

	ANSWERS(OBJECT, list_answer("<CopyObjectResult><ETag>\"e1\"</ETag></CopyObjectResult>"), OBJECT, OBJECT);
	is_int(tier_copy(t, &c, &quick, &head), 0, "a copy");
	ok(asked(1, "x-amz-copy-source: /bkt/a%20b\r\n") && asked(1, "x-amz-copy-source-if-match: \"e1\""),
	   "of one ETag");
	ok(asked(1, "x-amz-copy-source;x-amz-copy-source-if-match;x-amz-date;x-amz-metadata-directive"),
	   "rightly sorted");
	ANSWERS(OBJECT, list_answer("<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"));
	is_int(tier_copy(t, &c, &quick, &head), -ENOENT, "an error after 200");
	ANSWERS("200 OK\r\nETag: \"e7\"\r\n");
	is_int(tier_copy(t, &c, &quick, &head), -ESTALE, "of another ETag");
}

#define GIB6 "200 OK\r\nETag: \"e1\"\r\nContent-Length: 6442450944\r\n"

/* More than S3 copies with one request: in parts of 1 GiB, of one ETag. */
static void test_copy_in_parts(struct tier *t)
{
	struct tier_copy c = {.from = "large", .to = "k", .size = UINT64_C(6) << 30};
	const char *part = list_answer("<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>");
	struct tier_head head;
	bool whole = false;

	ANSWERS(GIB6,
		list_answer("<InitiateMultipartUploadResult><UploadId>u/1</UploadId>"
			    "</InitiateMultipartUploadResult>"),
		part, part, part, part, part, part, "200 OK\r\n", GIB6, GIB6);
	is_int(tier_copy(t, &c, &quick, &head), 0, "a copy of 6 GiB");
	ok(asked(1, "POST /bkt/k?uploads= "), "is begun");
	ok(asked(2, "&uploadId=u%2F1 ") && asked(2, "x-amz-copy-source: /bkt/large\r\n"), "each part is of the source");
	ok(asked(2, "x-amz-copy-source;x-amz-copy-source-if-match;x-amz-copy-source-range;"), "rightly signed");
	for (int i = 2; i < 8; i++)
		whole = whole || strstr(request(i), "x-amz-copy-source-range: bytes=5368709120-6442450943\r\n");
	ok(whole, "up to its last byte");
	ok(strstr(request_body(8), "<PartNumber>6</PartNumber><ETag>&quot;p&quot;</ETag>"), "and put together");
}

/* The example of the documentation, so that what we compose is what AWS does. */
static void test_signature(void)
{
	struct curl_slist h2 = {(char *)"x-amz-content-sha256: "
					"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
				NULL};
	struct sign_request r = {.method = "GET",
				 .url = "https://examplebucket.s3.amazonaws.com/?lifecycle=",
				 .region = "us-east-1",
				 .sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
				 .headers = &h2,
				 .now = INT64_C(1369353600) * NSEC_PER_SEC};
	struct secret s = {.access = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
	_cleanup_buf_ struct buf date = BUF_INIT, authorization = BUF_INIT;

	is_int(sign_by_hand(&r, &s, &date, &authorization), 0, "signed by hand");
	is_str(buf_str(&date), "x-amz-date: 20130524T000000Z", "its date");
	is_str(buf_str(&authorization),
	       "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
	       "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
	       "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	       "as in AWS's documentation of Signature V4");
}

static void test_unreachable(void)
{
	struct tier_call call = {.patience = NSEC_PER_SEC / 2};
	struct tier_stats stats;
	struct tier_head head;
	struct tier *t;
	int port = stand_in.port;

	stand_in.port = 1;
	t = open_bucket();
	stand_in.port = port;
	is_int(tier_head(t, "k", &call, &head), -EHOSTUNREACH, "nobody listens");
	tier_stats(t, &stats);
	ok(stats.unreachable_since != 0 && stats.verb[TIER_VERB_HEAD].errors > 0, "which is counted");
	tier_unref(t);
}

int main(void)
{
	struct tier *t;

	signal(SIGPIPE, SIG_IGN);
	setenv("AWS_ACCESS_KEY_ID", "key", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	if (!stand_in_start())
		return skip_all("a socket");
	credentials_take_environment();
	ok(!getenv("AWS_SECRET_ACCESS_KEY"), "no child sees the secret");
	t = open_bucket();
	test_requests(t);
	test_meanings(t);
	test_codes(t);
	test_bucket_gone();
	test_bodies(t);
	test_if_none_match(t);
	test_lost_answer();
	test_redirects();
	test_listing(t);
	test_senseless_listings(t);
	test_removing(t);
	test_restore(t);
	test_copy(t);
	test_copy_in_parts(t);
	test_signature();
	test_unreachable();
	tier_unref(t);
	return done();
}
