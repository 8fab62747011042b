/*
 * What the parts of the libs3 engine share: one request of libs3, run to its end or given up.
 *
 * libs3 waits for a server without an end (it gives up after 15 s only when less than 1 KiB a second comes), so its own
 * loop is not used: each request is put into a request context, which is a libcurl multi handle, and waited for here,
 * with a deadline. What is given up is cleaned up by another thread, for that may wait for a name to be resolved.
 */
#ifndef TARN_TIER_S3_S3_LIBS3_INT_H
#define TARN_TIER_S3_S3_LIBS3_INT_H

#include <pthread.h>

#include <libs3.h>

#include "tier/s3/credentials.h"
#include "tier/errand.h"
#include "tier/tier_ops.h"

#define IDLE_MAX 16

struct libs3 {
	char *host; /* with the port */
	char *bucket;
	struct credentials *credentials;
	struct errands *errands;
	_Atomic int64_t seen; /* clock_monotonic() when the bucket was known to be there */

	pthread_mutex_t lock;		  /* a leaf; protects what follows */
	S3RequestContext *idle[IDLE_MAX]; /* each with the connection that it has open */
	int nidle;
};

/* On the heap: libs3 may call back once more when a request that was given up is cleaned up. */
struct libs3_request {
	struct tier_try *try;
	S3BucketContext bucket;
	struct secret secret;
	int64_t moved; /* when something was last heard, clock_monotonic() */
	int error;     /* what a callback of ours wants to be returned */
	bool given_up; /* nothing but this struct is there any more */
	bool done;
	S3Status status;
	/* The head of the answer, when it is one of success. */
	struct tier_head head;
	uint64_t content_length;
	/* A body that is sent: SIZE bytes of SOURCE. */
	const struct tier_source *source;
	uint64_t offset;
	/* A body that comes: at most WANTED bytes go to BODY. */
	uint64_t wanted, got;			/* wanted: UINT64_MAX as long as nobody knows */
	int (*headed)(struct libs3_request *r); /* before the first byte; may be NULL */
	int (*body)(void *arg, const void *bytes, size_t len);
	void *arg;
};

/* Path style, signed with what the credentials are now. 0 or -errno. */
int libs3_request_new(struct libs3 *engine, struct tier_try *t, struct libs3_request **out);
/*
 * BEGIN calls one S3_* function with CONTEXT and with the handlers below, and the request is run to its end: 0 or
 * -errno, as tier.h has it, with what the server said in its `try`. *R is still the caller's, to be freed, or NULL when
 * the request was given up.
 */
int libs3_run(struct libs3 *engine, struct libs3_request **r,
	      void (*begin)(struct libs3_request *r, S3RequestContext *context, void *arg), void *arg);
void libs3_request_free(struct libs3_request *r);
static inline void libs3_request_freep(struct libs3_request **r)
{
	libs3_request_free(*r);
}

#define _cleanup_request_ __attribute__((cleanup(libs3_request_freep)))

extern const S3ResponseHandler libs3_plain_handler; /* no body */
extern const S3GetObjectHandler libs3_get_handler;
extern const S3PutObjectHandler libs3_put_handler;

#endif
