/*
 * HTTP requests, by libcurl. Connections are kept and used again: each handle of the pool has one, and the handle that
 * was used last is the first to be used, so that few are open. (libcurl's own sharing of connections between threads is
 * not safe.) They share what they know of names and TLS sessions.
 */
#ifndef TARN_TIER_S3_HTTP_H
#define TARN_TIER_S3_HTTP_H

#include <curl/curl.h>

#include "base/buf.h"
#include "tier/tier_ops.h"

struct http_pool; /* any thread */
struct http_options {
	const char *ca_file; /* NULL: the system's */
	bool direct;	     /* no proxy, whatever the environment says */
};
struct http_pool *http_pool_new(const struct http_options *o); /* NULL: no memory */
/* No request may be on its way. */
void http_pool_free(struct http_pool *p);

/* Of a request: zeros are fine for what is not said. */
struct http_request {
	const char *method;	    /* GET, HEAD, PUT, POST, DELETE */
	const char *url;	    /* encoded */
	struct curl_slist *headers; /* the caller's */
	const char *range;	    /* "0-99" */
	bool once; /* on a new connection: on a kept one that is dead libcurl sends it again, and does not say so */
	/* signed with Signature V4: "aws:amz:REGION:s3"; NULL: not signed */
	const char *signer, *access, *secret;
	/* The body, of PUT and POST: BYTES, or what SOURCE gives from BODY_OFFSET. */
	const void *bytes;
	const struct tier_source *source;
	uint64_t body_offset, body_len;

	/* The answer's header, line by line; the status line comes as "". A new status line begins anew. */
	void (*header)(void *arg, const char *name, const char *value);
	/* All of it is there. Other than 0 ends the request. Only for 2xx. */
	int (*headed)(void *arg);
	/* The body of a 2xx answer, in order. Other than 0 ends it. NULL: it goes to `answer`, as others' do */
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *arg;
	size_t answer_max; /* more of it is -EIO, or cut off where the status is no 2xx. 0: 64 KiB */

	long status; /* 0: there was no answer */
	struct buf answer;
};

/*
 * 0: there was an answer, whatever its status, and all of its body. Else -errno: what a callback or the source has
 * said, as it is; -ECANCELED, -ETIMEDOUT; -EHOSTUNREACH: no connection; -EACCES: a certificate that is not trusted;
 * -EIO: the connection broke. T->why and T->again tell more.
 */
int http_perform(struct http_pool *p, struct http_request *r, struct tier_try *t);
void http_request_release(struct http_request *r);

#endif
