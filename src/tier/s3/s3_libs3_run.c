#include "tier/s3/s3_libs3_int.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tier/facts.h"

#define TICK_MS 100 /* how often a waiting request looks whether it is to end */
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* Composing a request calls gmtime(), whose answer all threads share. */
static pthread_mutex_t compose_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- what libs3 calls ---- */

static void take_head(struct libs3_request *r, const S3ResponseProperties *p)
{
	r->content_length = p->contentLength;
	r->head.size = p->contentLength;
	r->head.mtime = p->lastModified > 0 ? p->lastModified * NS_PER_S : 0;
	if (p->eTag && p->eTag[0])
		snprintf(r->head.etag, sizeof(r->head.etag), "%.*s", (int)strcspn(p->eTag + (p->eTag[0] == '"'), "\""),
			 p->eTag + (p->eTag[0] == '"'));
	for (int i = 0; i < p->metaDataCount; i++)
		facts_take(&r->head.facts, p->metaData[i].name, p->metaData[i].value, strlen(p->metaData[i].value));
}

static S3Status on_head(const S3ResponseProperties *properties, void *arg)
{
	struct libs3_request *r = arg;

	if (r->given_up)
		return S3StatusAbortedByCallback;
	r->moved = clock_monotonic();
	take_head(r, properties);
	r->error = r->headed ? r->headed(r) : 0;
	return r->error ? S3StatusAbortedByCallback : S3StatusOK;
}

static S3Status on_body(int len, const char *bytes, void *arg)
{
	struct libs3_request *r = arg;

	r->moved = clock_monotonic();
	r->try->received += (uint64_t)len;
	if ((uint64_t)len > r->wanted - r->got) {
		r->error = -EIO;
		snprintf(r->try->why, sizeof(r->try->why), "the server sent more bytes than it was asked for");
	} else {
		r->got += (uint64_t)len;
		r->error = r->body(r->arg, bytes, (size_t)len);
	}
	return r->error ? S3StatusAbortedByCallback : S3StatusOK;
}

static int on_send(int room, char *bytes, void *arg)
{
	struct libs3_request *r = arg;
	ssize_t n = r->source->read(r->source->arg, bytes, (size_t)room, r->offset);

	r->moved = clock_monotonic();
	if (n <= 0) {
		r->error = n < 0 ? (int)n : -ESTALE; /* shorter than it was */
		return -1;
	}
	r->offset += (uint64_t)n;
	r->try->sent += (uint64_t)n;
	return (int)n;
}

static void on_end(S3Status status, const S3ErrorDetails *details, void *arg)
{
	struct libs3_request *r = arg;

	r->done = true;
	r->status = status;
	if (!r->given_up && status != S3StatusOK && !r->try->why[0] && details && details->message)
		snprintf(r->try->why, sizeof(r->try->why), "%s", details->message);
}

const S3ResponseHandler libs3_plain_handler = {on_head, on_end};
const S3GetObjectHandler libs3_get_handler = {{on_head, on_end}, on_body};
const S3PutObjectHandler libs3_put_handler = {{on_head, on_end}, on_send};

/* ---- what its status means ---- */

static const struct {
	S3Status status;
	int error;
	bool again;
	const char *why; /* NULL: what the server said, else the status's name */
} meanings[] = {
	{S3StatusErrorNoSuchKey, -ENOENT, false, NULL},
	{S3StatusHttpErrorNotFound, -ENOENT, false, NULL},
	{S3StatusErrorNoSuchBucket, -EHOSTUNREACH, false, "there is no such bucket"},
	{S3StatusErrorAccessDenied, -EACCES, false, "access denied"},
	{S3StatusHttpErrorForbidden, -EACCES, false, "access denied"},
	{S3StatusErrorSignatureDoesNotMatch, -EACCES, false, "the signature is wrong: is the secret?"},
	{S3StatusErrorInvalidAccessKeyId, -EACCES, false, "the server does not know the access key"},
	{S3StatusErrorRequestTimeTooSkewed, -EACCES, false, "this machine's clock and the server's differ too much"},
	{S3StatusErrorExpiredToken, -EACCES, false, "the credentials have expired"},
	{S3StatusErrorInvalidToken, -EACCES, false, "the session token is wrong"},
	{S3StatusErrorAccountProblem, -EACCES, false, NULL},
	{S3StatusErrorInvalidSecurity, -EACCES, false, NULL},
	{S3StatusErrorNotSignedUp, -EACCES, false, NULL},
	{S3StatusErrorPreconditionFailed, -ESTALE, false, NULL},
	{S3StatusErrorBadDigest, -ESTALE, false, NULL},
	{S3StatusErrorInvalidRange, -ERANGE, false, NULL},
	{S3StatusErrorEntityTooLarge, -EINVAL, false, NULL},
	{S3StatusErrorMetadataTooLarge, -EINVAL, false, NULL},
	{S3StatusErrorInvalidBucketName, -EINVAL, false, NULL},
	{S3StatusErrorKeyTooLong, -EINVAL, false, NULL},
	{S3StatusKeyTooLong, -EINVAL, false, NULL},
	{S3StatusMetaDataHeadersTooLong, -EINVAL, false, "the headers are too long for libs3"},
	{S3StatusUriTooLong, -EINVAL, false, NULL},
	{S3StatusErrorInvalidArgument, -EINVAL, false, NULL},
	{S3StatusErrorNotImplemented, -ENOTSUP, false, NULL},
	{S3StatusErrorMethodNotAllowed, -ENOTSUP, false, NULL},
	{S3StatusErrorPermanentRedirect, -EIO, false, "the server sends to another endpoint"},
	{S3StatusErrorRedirect, -EIO, false, "the server sends to another endpoint"},
	{S3StatusErrorTemporaryRedirect, -EIO, false, "the server sends to another endpoint"},
	{S3StatusHttpErrorMovedTemporarily, -EIO, false, "the server sends to another endpoint"},
	{S3StatusHttpErrorBadRequest, -EIO, false, NULL},
	{S3StatusErrorMissingContentLength, -EIO, false, NULL},
	{S3StatusOutOfMemory, -ENOMEM, false, NULL},
	{S3StatusNameLookupError, -EHOSTUNREACH, true, "the endpoint's name is not known"},
	{S3StatusFailedToConnect, -EHOSTUNREACH, true, "no connection"},
	{S3StatusConnectionFailed, -EIO, true, "the connection broke"},
	/* A status of its own that libs3 has no name for is none of the above, and may pass: 429, 502, 504 … */
};

static int error_of(struct tier_try *t, S3Status status)
{
	if (status == S3StatusOK)
		return 0;
	t->throttled = status == S3StatusErrorSlowDown;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].status != status)
			continue;
		t->again = meanings[i].again;
		if (meanings[i].why || !t->why[0])
			snprintf(t->why, sizeof(t->why), "%s",
				 meanings[i].why ? meanings[i].why : S3_get_status_name(status));
		return meanings[i].error;
	}
	t->again = true;
	if (!t->why[0])
		snprintf(t->why, sizeof(t->why), "%s", S3_get_status_name(status));
	return -EIO;
}

/* ---- running ---- */

static S3RequestContext *take_context(struct libs3 *engine)
{
	S3RequestContext *context = NULL;

	pthread_mutex_lock(&engine->lock);
	if (engine->nidle)
		context = engine->idle[--engine->nidle];
	pthread_mutex_unlock(&engine->lock);
	if (!context && S3_create_request_context(&context) != S3StatusOK)
		return NULL;
	return context;
}

static void give_context(struct libs3 *engine, S3RequestContext *context)
{
	pthread_mutex_lock(&engine->lock);
	if (engine->nidle < IDLE_MAX) {
		engine->idle[engine->nidle++] = context;
		context = NULL;
	}
	pthread_mutex_unlock(&engine->lock);
	if (context)
		S3_destroy_request_context(context);
}

struct remains {
	S3RequestContext *context;
	struct libs3_request *request;
};

static void clean_up(void *arg)
{
	struct remains *remains = arg;

	S3_destroy_request_context(remains->context); /* calls on_end() */
	libs3_request_free(remains->request);
	free(remains);
}

static void give_up(struct libs3 *engine, S3RequestContext *context, struct libs3_request *r)
{
	struct remains *remains = malloc(sizeof(*remains));

	r->given_up = true;
	if (!remains) { /* then whoever waits waits for it */
		S3_destroy_request_context(context);
		libs3_request_free(r);
		return;
	}
	*remains = (struct remains){context, r};
	errand_post(engine->errands, clean_up, remains);
}

/* Until a socket of the context is ready, its timer is due, or the tick is over. */
static void wait_for(S3RequestContext *context)
{
	fd_set in, out, err;
	int max = -1;
	int64_t ms = S3_get_request_context_timeout(context);
	struct timeval tv;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&err);
	if (S3_get_request_context_fdsets(context, &in, &out, &err, &max) != S3StatusOK)
		max = -1;
	if (ms < 0 || ms > TICK_MS)
		ms = TICK_MS;
	if (max < 0 && ms > 5) /* nothing to wait for yet, or descriptors beyond what select() can take */
		ms = 5;
	tv = (struct timeval){.tv_usec = ms * 1000};
	select(max + 1, &in, &out, &err, &tv);
}

static int over(const struct libs3_request *r)
{
	int ret = try_over(r->try);

	if (!ret && clock_monotonic() - r->moved > r->try->stall)
		ret = -ETIMEDOUT;
	return ret;
}

static int drive(struct libs3_request *r, S3RequestContext *context)
{
	int left = 1, ret;

	while (!r->done) {
		if (S3_runonce_request_context(context, &left) != S3StatusOK)
			return -EIO;
		if (r->done)
			break;
		ret = over(r);
		if (ret)
			return ret;
		wait_for(context);
	}
	return 0;
}

int libs3_request_new(struct libs3 *engine, struct tier_try *t, struct libs3_request **out)
{
	_cleanup_request_ struct libs3_request *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	r->try = t;
	ret = credentials_get(engine->credentials, t, &r->secret);
	if (ret)
		return ret;
	if (r->secret.token[0]) {
		snprintf(t->why, sizeof(t->why), "libs3 cannot send a session token: only signature v4 has them");
		return -EACCES;
	}
	r->bucket = (S3BucketContext){
		.hostName = engine->host,
		.bucketName = engine->bucket,
		.protocol = S3ProtocolHTTP,
		.uriStyle = S3UriStylePath,
		.accessKeyId = r->secret.access,
		.secretAccessKey = r->secret.secret,
	};
	*out = steal_ptr(&r);
	return 0;
}

void libs3_request_free(struct libs3_request *r)
{
	if (r)
		secret_clear(&r->secret);
	free(r);
}

int libs3_run(struct libs3 *engine, struct libs3_request **rp,
	      void (*begin)(struct libs3_request *r, S3RequestContext *context, void *arg), void *arg)
{
	struct libs3_request *r = *rp;
	S3RequestContext *context = take_context(engine);
	int ret;

	if (!context)
		return -ENOMEM;
	r->moved = clock_monotonic();
	pthread_mutex_lock(&compose_lock);
	begin(r, context, arg);
	pthread_mutex_unlock(&compose_lock);
	ret = drive(r, context);
	if (ret) {
		r->try->again = ret == -ETIMEDOUT;
		*rp = NULL;
		give_up(engine, context, r);
		return ret;
	}
	give_context(engine, context);
	ret = r->error ? r->error : error_of(r->try, r->status);
	if (ret == 0 || r->status == S3StatusErrorNoSuchKey)
		engine->seen = clock_monotonic();
	/* What the server does not know now, or not any more, may have been renewed. */
	if (r->status == S3StatusErrorInvalidAccessKeyId || r->status == S3StatusErrorExpiredToken)
		r->try->again = credentials_refused(engine->credentials);
	return ret;
}
