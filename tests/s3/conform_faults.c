// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What goes wrong between here and a server, and at the server: no wrong byte, no half object, no end to no wait. Rules
 * are those of tests/s3/faults.
 */
#include "conform.h"

#include <stdatomic.h>

#define MIB (1024 * 1024)
#define SIZE 1000000

/* Where a case may run into an end that waiting makes, it is this one. */
static const struct tier_call short_call = {.patience = 2 * NSEC_PER_SEC};
/* And here what one connection waits leaves time for another. */
static const struct tier_call longer_call = {.patience = 10 * NSEC_PER_SEC};
#define SHORT_MAX (9 * NSEC_PER_SEC)

/* ---- what is tried ---- */

static int try_get(uint64_t size, const struct tier_call *call)
{
	return get_from(the.faulty, key_of("object"), size, 1, call);
}

static int try_put(uint64_t size, uint64_t seed, bool if_none, const struct tier_call *call)
{
	struct conform_source s = {.size = size, .seed = seed};
	struct tier_put p = {.key = key_of("object"), .source = conform_source(&s), .if_none_match = if_none};

	p.facts.known = TIER_KNOWS_SHA256 | TIER_KNOWS_VERSION;
	p.facts.version = seed;
	bytes_sha256(size, seed, p.facts.sha256);
	p.sha256 = p.facts.sha256;
	return tier_put(the.faulty, &p, call, NULL);
}

static int count_page(void *arg, const struct tier_entry *entries, int n)
{
	(void)entries;
	*(int *)arg += n;
	return 0;
}

/* How many keys are below the case's prefix; -errno. */
static int try_list(const struct tier_call *call)
{
	int n = 0;
	struct tier_list l = {.prefix = key_of(""), .page = count_page, .arg = &n};
	int r = tier_list(the.faulty, &l, call);

	return r < 0 ? r : n;
}

/* The end of each case: what the call said, how long it took, how many requests it made. */
static bool as_wanted(const struct conform_case *c, int got, int wanted, int64_t begun)
{
	int64_t took = clock_monotonic() - begun;
	int requests = proxy_requests();

	proxy_rules("[]");
	WANT(got, wanted);
	if (took > SHORT_MAX || took < (int64_t)c->offset * NSEC_PER_MSEC) {
		diag("took %.1f s", (double)took / 1e9);
		return false;
	}
	if (c->requests)
		WANT(requests, c->requests);
	return true;
}

/* ---- reading ---- */

static bool get(const struct conform_case *c)
{
	uint64_t size = c->size ? c->size : SIZE;
	int64_t begun;
	int r;

	WANT(put_to(the.t, key_of("object"), size, 1), 0);
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = try_get(size, c->length ? &longer_call : &short_call);
	return as_wanted(c, r, c->error, begun) && try_get(size, NULL) == 0;
}

static bool get_beyond(const struct conform_case *c)
{
	struct conform_sink sink = {.seed = 1, .offset = 10};
	struct tier_get g = {.key = key_of("object"), .offset = 10, .length = 5, .sink = conform_sink, .arg = &sink};
	int64_t begun = clock_monotonic();

	WANT(put_to(the.t, g.key, SIZE, 1), 0);
	proxy_rules(c->rules);
	return as_wanted(c, tier_get(the.faulty, &g, &short_call, NULL), c->error, begun) && sink.got == 0;
}

/* A byte that changed on its way is not noticed here but by the hash of the whole: the call must not say less. */
static bool get_flipped(const struct conform_case *c)
{
	int64_t begun = clock_monotonic();

	WANT(put_to(the.t, key_of("object"), SIZE, 1), 0);
	proxy_rules(c->rules);
	return as_wanted(c, try_get(SIZE, NULL), -EBADMSG, begun);
}

static bool head(const struct conform_case *c)
{
	int64_t begun;
	struct tier_head head;
	int r;

	WANT(put_to(the.t, key_of("object"), 10, 1), 0);
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = tier_head(the.faulty, key_of("object"), &short_call, &head);
	return as_wanted(c, r, c->error, begun);
}

/* Another object comes between two tries of a read: never a mixture. */
static int replace_page(void *arg, const void *bytes, size_t len)
{
	struct conform_sink *sink = arg;

	if (sink->got == 0)
		put_to(the.t, key_of("object"), SIZE, 2);
	return conform_sink(arg, bytes, len);
}

static bool get_replaced(const struct conform_case *c)
{
	struct conform_sink sink = {.seed = 1};
	struct tier_get g = {.key = key_of("object"), .length = TIER_TO_END, .sink = replace_page, .arg = &sink};
	int64_t begun = clock_monotonic();
	int r;

	WANT(put_to(the.t, g.key, SIZE, 1), 0);
	proxy_rules(c->rules);
	r = tier_get(the.faulty, &g, &short_call, NULL);
	HOLDS(!sink.other);
	return as_wanted(c, r, -ESTALE, begun);
}

/* ---- writing ---- */

/* Whatever it says: the object is the old one or the new one, whole. When it says 0 it is the new one. */
static bool put(const struct conform_case *c)
{
	uint64_t size = c->size ? c->size : SIZE;
	int64_t begun;
	int r;
	bool good;

	if (!c->length)
		WANT(put_to(the.t, key_of("object"), 100, 9), 0);
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = try_put(size, 3, c->length, &short_call);
	good = as_wanted(c, r, c->error, begun);
	if (get_from(the.t, key_of("object"), size, 3, NULL) == 0)
		return good;
	return r < 0 && good && (c->length || get_from(the.t, key_of("object"), 100, 9, NULL) == 0);
}

static int none_left(uint64_t *n)
{
	int r = tier_sweep(the.t, key_of(""), clock_wall() + NSEC_PER_SEC, NULL, n);

	return r < 0 ? r : (int)*n;
}

/* A put in parts that fails for good leaves no parts that cost money. */
static bool parts_left(const struct conform_case *c)
{
	uint64_t n;

	HOLDS(put(c));
	WANT(none_left(&n), 0);
	return true;
}

/* Where it could not even end the upload, tier_sweep() does. */
static bool parts_swept(const struct conform_case *c)
{
	uint64_t n, none;

	HOLDS(put(c));
	WANT(tier_sweep(the.t, key_of(""), clock_wall() - 3600 * NSEC_PER_SEC, NULL, &none), 0);
	WANT((int64_t)none, 0); /* too young */
	WANT(none_left(&n), 1);
	WANT(none_left(&n), 0);
	return true;
}

static bool copy(const struct conform_case *c)
{
	struct tier_copy copy = {.from = key_of("from"), .to = key_of("to")};
	int64_t begun;
	int r;

	WANT(put_to(the.t, copy.from, SIZE, 1), 0);
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = tier_copy(the.faulty, &copy, &short_call, NULL);
	HOLDS(as_wanted(c, r, c->error, begun));
	WANT(head_of(the.t, copy.to, NULL), c->error ? -ENOENT : 0);
	return true;
}

static bool removal(const struct conform_case *c)
{
	const char *keys[2] = {key_of("a"), key_of("b")};
	int results[2] = {1, 1};
	int64_t begun;
	int r;

	WANT(put_to(the.t, keys[0], 10, 1), 0);
	WANT(put_to(the.t, keys[1], 10, 1), 0);
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = tier_remove(the.faulty, keys, 2, &short_call, results);
	HOLDS(as_wanted(c, r, c->error, begun));
	for (int i = 0; i < 2; i++)
		WANT(head_of(the.t, keys[i], NULL), results[i] == 0 ? -ENOENT : 0);
	return true;
}

/* ---- listing: all of it, or an error; never less ---- */

static bool list(const struct conform_case *c)
{
	int64_t begun;
	int r;

	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%d", i);
		WANT(put_to(the.t, key_of(name), 3, 1), 0);
	}
	proxy_rules(c->rules);
	begun = clock_monotonic();
	r = try_list(&short_call);
	return as_wanted(c, r, c->error ? c->error : 3, begun);
}

/* ---- who waits can give up ---- */

static bool stop_after_a_while(void *arg)
{
	return clock_monotonic() > *(int64_t *)arg;
}

static bool stopped(const struct conform_case *c)
{
	int64_t when = clock_monotonic() + 300 * NSEC_PER_MSEC, begun = clock_monotonic();
	struct tier_call call = {.stop = stop_after_a_while, .arg = &when};

	WANT(put_to(the.t, key_of("object"), SIZE, 1), 0);
	proxy_rules(c->rules);
	WANT(c->size ? try_put(SIZE, 2, false, &call) : try_get(SIZE, &call), -ECANCELED);
	HOLDS(clock_monotonic() - begun < 2 * NSEC_PER_SEC);
	proxy_rules("[]");
	return true;
}

static bool deadline(const struct conform_case *c)
{
	int64_t begun = clock_monotonic();
	struct tier_call call = {.deadline = begun + NSEC_PER_SEC};

	WANT(put_to(the.t, key_of("object"), SIZE, 1), 0);
	proxy_rules(c->rules);
	HOLDS((c->size ? try_put(SIZE, 2, false, &call) : try_get(SIZE, &call)) < 0);
	HOLDS(clock_monotonic() - begun < 3 * NSEC_PER_SEC);
	proxy_rules("[]");
	return true;
}

/* One request of ten fails in one of three ways, of many: with some patience all goes well. */
static bool mixed(const struct conform_case *c)
{
	proxy_rules(c->rules);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		WANT(put_to(the.faulty, key_of(name), 20000, 1 + (uint64_t)i), 0);
		WANT(get_from(the.faulty, key_of(name), 20000, 1 + (uint64_t)i, NULL), 0);
	}
	WANT(try_list(NULL), 40);
	proxy_rules("[]");
	return true;
}

#define ONCE(what) "[{" what ", \"times\": 1}]"
#define TWICE(what) "[{" what ", \"times\": 2}]"
#define ALWAYS(what) "[{" what "}]"
#define GETS "\"method\": \"GET\", "
#define STATUS(n, code) "\"do\": \"status\", \"status\": " #n ", \"code\": \"" code "\""
#define RETRY_AFTER(s) ", \"headers\": {\"Retry-After\": \"" s "\"}"
#define OBJECTS "\"target\": \"object\", "

#define CASE(fn, what, rule, ...)                                  \
	{                                                          \
#fn ": " what, S3_, fn, .rules = rule, __VA_ARGS__ \
	}
#define CURL_CASE(fn, what, rule, ...)                               \
	{                                                            \
#fn ": " what, CURL_, fn, .rules = rule, __VA_ARGS__ \
	}

const struct conform_case conform_faults[] = {
	CASE(get, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(get, "500 twice", TWICE(STATUS(500, "InternalError")), .error = 0),
	CASE(get, "502 once", ONCE(STATUS(502, "BadGateway")), .error = 0),
	CASE(get, "504 once", ONCE(STATUS(504, "GatewayTimeout")), .error = 0),
	CASE(get, "429 once", ONCE(STATUS(429, "TooManyRequests")), .error = 0),
	CURL_CASE(get, "503 with Retry-After is waited for", ONCE(STATUS(503, "SlowDown") RETRY_AFTER("2")),
		  .offset = 1900, .length = 1),
	CURL_CASE(get, "429 with Retry-After is waited for", ONCE(STATUS(429, "TooManyRequests") RETRY_AFTER("1")),
		  .offset = 950, .length = 1),
	CURL_CASE(get, "a Retry-After beyond all patience ends it", ALWAYS(STATUS(503, "SlowDown") RETRY_AFTER("3600")),
		  .error = -EIO, .requests = 1),
	CASE(get, "503 without an end", ALWAYS(STATUS(503, "SlowDown")), .error = -EIO),
	CASE(get, "500 without an end", ALWAYS(STATUS(500, "InternalError")), .error = -EIO),
	CASE(get, "403 is final", ALWAYS(STATUS(403, "AccessDenied")), .error = -EACCES, .requests = 1),
	CASE(get, "404 is final", ALWAYS(STATUS(404, "NoSuchKey")), .error = -ENOENT, .requests = 1),
	CURL_CASE(get, "404 of the bucket", ALWAYS(STATUS(404, "NoSuchBucket")), .error = -EHOSTUNREACH, .requests = 1),
	CASE(get, "412 is another object", ALWAYS(GETS STATUS(412, "PreconditionFailed")), .error = -ESTALE),
	CASE(get_beyond, "416 is beyond the end", ALWAYS(GETS STATUS(416, "InvalidRange")), .error = -ERANGE),
	CASE(get, "the clock, says the server", ALWAYS(STATUS(403, "RequestTimeTooSkewed")), .error = -EACCES),
	CASE(get, "reset before the answer", ONCE("\"do\": \"reset\""), .error = 0),
	CASE(get, "reset twice", TWICE("\"do\": \"reset\""), .error = 0),
	CASE(get, "reset without an end", ALWAYS("\"do\": \"reset\""), .error = -EIO),
	CASE(get, "reset in the body", ONCE(GETS "\"do\": \"reset\", \"after\": 300000"), .error = 0),
	CASE(get, "reset in the body, twice", TWICE(GETS "\"do\": \"reset\", \"after\": 200000"), .error = 0),
	CASE(get, "cut off at once", ONCE(GETS "\"do\": \"cut\", \"after\": 0"), .error = 0),
	CASE(get, "cut off in the middle", ONCE(GETS "\"do\": \"cut\", \"after\": 500000"), .error = 0),
	CASE(get, "cut off before the last byte", ONCE(GETS "\"do\": \"cut\", \"after\": 999999"), .error = 0),
	CASE(get, "cut off twice", TWICE(GETS "\"do\": \"cut\", \"after\": 100"), .error = 0),
	CASE(get, "cut off without an end", ALWAYS(GETS "\"do\": \"cut\", \"after\": 0"), .error = -EIO),
	CASE(get, "a slow body is no failure", ONCE(GETS "\"do\": \"slow\", \"rate_bytes\": 500000"), .offset = 1500),
	CASE(get, "a body that stalls is gone on with", ONCE(GETS "\"do\": \"stall\", \"after\": 1000, \"ms\": 60000"),
	     .length = 1),
	CASE(get, "a late answer", ONCE("\"do\": \"delay\", \"ms\": 1000"), .offset = 950),
	CASE(get, "no answer", ONCE("\"do\": \"silence\", \"ms\": 60000"), .length = 1),
	CASE(get, "no answer, ever", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .error = -ETIMEDOUT),
	CASE(get, "an error without XML", ALWAYS(GETS "\"do\": \"answer\", \"status\": 500, \"body\": \"<html>oops\""),
	     .error = -EIO),
	CASE(get, "a redirect to nowhere",
	     ALWAYS("\"do\": \"answer\", \"status\": 307, \"body\": \"\", \"headers\": "
		    "{\"Location\": \"http://127.0.0.1:1/\"}"),
	     .error = -EHOSTUNREACH),
	CASE(get, "a redirect without an end",
	     ALWAYS("\"do\": \"answer\", \"status\": 307, \"body\": \"\", \"headers\": "
		    "{\"Location\": \"/again\"}"),
	     .error = -EIO),
	CASE(get, "301 without a place", ALWAYS(STATUS(301, "PermanentRedirect")), .error = -EIO),
	CASE(get_flipped, "a byte that changed", ALWAYS(GETS "\"do\": \"flip\", \"after\": 1000"), .error = 0),
	CASE(get_replaced, "the object is another after a cut", ONCE(GETS "\"do\": \"cut\", \"after\": 500000"),
	     .error = 0),
	CASE(head, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(head, "reset once", ONCE("\"do\": \"reset\""), .error = 0),
	CASE(head, "403", ALWAYS(STATUS(403, "AccessDenied")), .error = -EACCES, .requests = 1),
	CASE(head, "404", ALWAYS(STATUS(404, "NoSuchKey")), .error = -ENOENT, .requests = 1),
	CASE(head, "500 without an end", ALWAYS(STATUS(500, "InternalError")), .error = -EIO),
	CASE(head, "no answer, ever", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .error = -ETIMEDOUT),
	CASE(put, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(put, "500 once", ONCE(STATUS(500, "InternalError")), .error = 0),
	CASE(put, "reset once", ONCE("\"do\": \"reset\""), .error = 0),
	CASE(put, "reset in the middle of what is sent", ONCE("\"method\": \"PUT\", \"do\": \"half\""), .error = 0),
	CASE(put, "done, but the answer is lost", ONCE("\"method\": \"PUT\", \"do\": \"lost\""), .error = 0),
	CASE(put, "done, but the answer is lost, if-none-match", ONCE("\"method\": \"PUT\", \"do\": \"lost\""),
	     .length = 1),
	CASE(put, "403 is final", ALWAYS(STATUS(403, "AccessDenied")), .error = -EACCES, .requests = 1),
	CASE(put, "404 of the bucket", ALWAYS(STATUS(404, "NoSuchBucket")), .error = -EHOSTUNREACH),
	CASE(put, "503 without an end", ALWAYS(STATUS(503, "SlowDown")), .error = -EIO),
	CASE(put, "reset without an end", ALWAYS("\"do\": \"reset\""), .error = -EIO),
	CASE(put, "no answer, ever", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .error = -ETIMEDOUT),
	CASE(put, "late", ONCE("\"do\": \"delay\", \"ms\": 1000"), .offset = 950),
	CURL_CASE(put, "parts: one is refused once", ONCE("\"target\": \"partNumber=2\", " STATUS(503, "SlowDown")),
		  .size = 80 * MIB),
	CURL_CASE(put, "parts: one is reset", ONCE("\"target\": \"partNumber=3\", \"do\": \"half\""), .size = 80 * MIB),
	CURL_CASE(put, "parts: the answer to one is lost", ONCE("\"target\": \"partNumber=1\", \"do\": \"lost\""),
		  .size = 80 * MIB),
	CURL_CASE(put, "parts: the beginning is refused once",
		  ONCE("\"target\": \"uploads\", " STATUS(500, "InternalError")), .size = 80 * MIB),
	CURL_CASE(put, "parts: the beginning makes no sense",
		  ALWAYS("\"target\": \"uploads\", \"do\": \"answer\", \"body\": \"<a><b>\""), .error = -EIO,
		  .size = 80 * MIB),
	CURL_CASE(put, "parts: the end is refused once",
		  ONCE("\"method\": \"POST\", \"target\": \"uploadId\", " STATUS(503, "SlowDown")), .size = 80 * MIB),
	CURL_CASE(put, "parts: the end is lost",
		  ONCE("\"method\": \"POST\", \"target\": \"uploadId\", \"do\": \"lost\""), .size = 80 * MIB),
	CURL_CASE(put, "parts: the end says 200 and is an error",
		  ONCE("\"method\": \"POST\", \"target\": \"uploadId\", \"do\": \"answer\", \"body\": "
		       "\"<Error><Code>InternalError</Code></Error>\""),
		  .size = 80 * MIB),
	CURL_CASE(parts_left, "all that was sent is removed after a failure",
		  ALWAYS("\"target\": \"partNumber=2\", " STATUS(403, "AccessDenied")), .error = -EACCES,
		  .size = 80 * MIB),
	CURL_CASE(parts_swept, "what could not be removed is swept",
		  ALWAYS("\"target\": \"partNumber=2\", " STATUS(
			  403, "AccessDenied") "}, {\"method\": \"DELETE\", " STATUS(403, "AccessDenied")),
		  .error = -EACCES, .size = 80 * MIB),
	CASE(copy, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(copy, "403 is final", ALWAYS("\"method\": \"PUT\", " STATUS(403, "AccessDenied")), .error = -EACCES),
	CURL_CASE(copy, "200 that is an error",
		  ALWAYS("\"method\": \"PUT\", \"do\": \"answer\", \"body\": "
			 "\"<Error><Code>InternalError</Code></Error>\""),
		  .error = -EIO),
	CASE(removal, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(removal, "reset once", ONCE("\"do\": \"reset\""), .error = 0),
	CASE(removal, "the answer is lost", ONCE("\"do\": \"lost\""), .error = 0),
	CASE(removal, "403", ALWAYS(STATUS(403, "AccessDenied")), .error = -EACCES),
	CURL_CASE(removal, "an answer that makes no sense",
		  ALWAYS("\"method\": \"POST\", \"do\": \"answer\", \"body\": \"}{\""), .error = -EIO),
	CASE(list, "503 once", ONCE(STATUS(503, "SlowDown")), .error = 0),
	CASE(list, "reset once", ONCE("\"do\": \"reset\""), .error = 0),
	CASE(list, "reset in the body", ONCE("\"do\": \"reset\", \"after\": 400"), .error = 0),
	CASE(list, "cut off", ONCE("\"do\": \"cut\", \"after\": 500"), .error = 0),
	CASE(list, "cut off near the end", ONCE("\"do\": \"cut\", \"after\": 900"), .error = 0),
	CASE(list, "cut off without an end", ALWAYS("\"do\": \"cut\", \"after\": 500"), .error = -EIO),
	CASE(list, "no XML", ALWAYS("\"do\": \"answer\", \"body\": \"hello\""), .error = -EIO),
	CASE(list, "nothing", ALWAYS("\"do\": \"answer\", \"body\": \"\""), .error = -EIO),
	CASE(list, "XML that does not end", ALWAYS("\"do\": \"answer\", \"body\": \"<ListBucketResult><Contents>\""),
	     .error = -EIO),
	CASE(list, "XML that is something else", ALWAYS("\"do\": \"answer\", \"body\": \"<html><body/></html>\""),
	     .error = -EIO),
	CASE(list, "XML with entities that grow",
	     ALWAYS("\"do\": \"answer\", \"body\": \"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
		    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>&b;</Key></Contents>"
		    "</ListBucketResult>\""),
	     .error = -EIO),
	CASE(list, "403", ALWAYS(STATUS(403, "AccessDenied")), .error = -EACCES),
	CASE(list, "no such bucket", ALWAYS(STATUS(404, "NoSuchBucket")), .error = -EHOSTUNREACH),
	CASE(list, "no answer, ever", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .error = -ETIMEDOUT),
	CASE(stopped, "a read that gets no answer", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .size = 0),
	CASE(stopped, "a read that stalls", ALWAYS(GETS "\"do\": \"stall\", \"after\": 1000, \"ms\": 60000"),
	     .size = 0),
	CASE(stopped, "a read that is tried again and again", ALWAYS(STATUS(503, "SlowDown")), .size = 0),
	CASE(stopped, "a write that gets no answer", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .size = 1),
	CASE(deadline, "a read", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .size = 0),
	CASE(deadline, "a slow read", ALWAYS(GETS "\"do\": \"slow\", \"rate_bytes\": 20000"), .size = 0),
	CASE(deadline, "a write", ALWAYS("\"do\": \"silence\", \"ms\": 60000"), .size = 1),
	CASE(mixed, "one request of ten fails",
	     "[{\"do\": \"reset\", \"rate\": 0.04, \"seed\": 1}, {\"do\": \"cut\", \"after\": 100, \"rate\": 0.04, "
	     "\"seed\": 2}, "
	     "{" STATUS(503, "SlowDown") ", \"rate\": 0.04, \"seed\": 3}]",
	     .error = 0),
	{NULL},
};
