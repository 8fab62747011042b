/*
 * What an answer means: its status, and the code in the XML that comes with an error. An answer to HEAD has no XML, and
 * its 404 may be about the bucket: a bucket that is gone must not make its objects look removed.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "tier/s3/s3_int.h"
#include "tier/s3/xml.h"

#define SEEN_FOR (10 * NSEC_PER_SEC)	   /* so long a bucket that was there is believed to be */
#define SKEW_AFTER (5 * 60 * NSEC_PER_SEC) /* a clock that is so wrong is worth a word */

enum how { GIVE_UP, AGAIN, THROTTLED, NEW_CREDENTIALS };

/* The codes that say more than their status. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
static const struct meaning {
	const char *code;
	int error;
	enum how how;
} codes[] = {
	{"NoSuchKey", -ENOENT, GIVE_UP},
	{"NoSuchUpload", -ENOENT, GIVE_UP},
	{"NoSuchBucket", -EHOSTUNREACH, GIVE_UP},
	{"InvalidObjectState", -ENODATA, GIVE_UP},
	{"ObjectNotInActiveTierError", -ENODATA, GIVE_UP},
	{"ObjectAlreadyInActiveTierError", 0, GIVE_UP},
	{"RestoreAlreadyInProgress", -EINPROGRESS, GIVE_UP},
	{"ExpiredToken", -EACCES, NEW_CREDENTIALS},
	{"TokenRefreshRequired", -EACCES, NEW_CREDENTIALS},
	{"InvalidToken", -EACCES, NEW_CREDENTIALS},
	{"InvalidAccessKeyId", -EACCES, NEW_CREDENTIALS},
	{"AuthorizationHeaderMalformed", -EACCES, GIVE_UP},
	{"RequestTimeTooSkewed", -EACCES, GIVE_UP},
	{"XAmzContentSHA256Mismatch", -ESTALE, GIVE_UP},
	{"BadDigest", -ESTALE, GIVE_UP},
	{"RequestTimeout", -EIO, AGAIN},
	{"IncompleteBody", -EIO, AGAIN},
	{"OperationAborted", -EIO, AGAIN},
	{"ConditionalRequestConflict", -EIO, AGAIN},
	{"InternalError", -EIO, AGAIN},
	{"SlowDown", -EIO, THROTTLED},
	{"ServiceUnavailable", -EIO, THROTTLED},
	{"QuotaExceeded", -EDQUOT, GIVE_UP},
	{"EntityTooLarge", -EINVAL, GIVE_UP},
	{"NotImplemented", -ENOTSUP, GIVE_UP},
	{"MethodNotAllowed", -ENOTSUP, GIVE_UP},
};

static struct meaning of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
	case 407:
		return (struct meaning){NULL, -EACCES, GIVE_UP};
	case 404:
	case 410:
		return (struct meaning){NULL, -ENOENT, GIVE_UP};
	case 405:
	case 501:
		return (struct meaning){NULL, -ENOTSUP, GIVE_UP};
	case 408:
		return (struct meaning){NULL, -ETIMEDOUT, AGAIN};
	case 409:
		return (struct meaning){NULL, -EIO, AGAIN};
	case 412:
		return (struct meaning){NULL, -ESTALE, GIVE_UP};
	case 416:
		return (struct meaning){NULL, -ERANGE, GIVE_UP};
	case 429:
	case 503:
		return (struct meaning){NULL, -EIO, THROTTLED};
	case 504:
		return (struct meaning){NULL, -ETIMEDOUT, AGAIN};
	case 507:
		return (struct meaning){NULL, -ENOSPC, GIVE_UP};
	default:
		if (status >= 400 && status < 500)
			return (struct meaning){NULL, -EINVAL, GIVE_UP};
		return (struct meaning){NULL, -EIO, status >= 500 ? AGAIN : GIVE_UP};
	}
}

static struct meaning meaning_of(const struct s3_request *r)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i].code, r->code) == 0)
			return codes[i];
	}
	return of_status(r->http.status < 300 ? 500 : r->http.status);
}

static void read_code(struct s3_request *r, char *message, size_t size)
{
	const struct buf *b = &r->http.answer;

	r->code[0] = message[0] = '\0';
	if (b->len == 0 || xml_text(buf_str(b), b->len, "Error/Code", r->code, sizeof(r->code)) < 0)
		r->code[0] = '\0';
	if (r->code[0] && xml_text(buf_str(b), b->len, "Error/Message", message, size) < 0)
		message[0] = '\0';
	for (char *p = message; *p; p++) {
		if ((unsigned char)*p < ' ')
			*p = ' ';
	}
}

/* Seconds by which our clock is ahead of the server's; 0: it is right, or nobody knows. */
static long ahead(const struct s3_answer *a)
{
	int64_t ns = a->date ? clock_wall() - a->date : 0;

	return ns > SKEW_AFTER || ns < -SKEW_AFTER ? (long)(ns / NSEC_PER_SEC) : 0;
}

static void explain(const struct s3 *s3, const struct s3_request *r, const char *message, struct tier_try *t)
{
	long skew = r->http.status == 403 || strcmp(r->code, "RequestTimeTooSkewed") == 0 ? ahead(&r->answer) : 0;

	if (skew)
		snprintf(t->why, sizeof(t->why), "this machine's clock is %ld s %s the server's%s%.40s",
			 skew < 0 ? -skew : skew, skew < 0 ? "behind" : "ahead of", r->code[0] ? ": " : "", r->code);
	else if (strcmp(r->code, "NoSuchBucket") == 0)
		snprintf(t->why, sizeof(t->why), "there is no bucket %.70s", s3->bucket);
	else if (strcmp(r->code, "SignatureDoesNotMatch") == 0)
		snprintf(t->why, sizeof(t->why), "SignatureDoesNotMatch: the secret key is wrong, or the region");
	else if (r->code[0])
		snprintf(t->why, sizeof(t->why), "%.60s%s%.80s", r->code, message[0] ? ": " : "", message);
	else
		snprintf(t->why, sizeof(t->why), "status %ld", r->http.status);
}

static bool bucket_is_seen(struct s3 *s3)
{
	SCOPED_LOCK(&s3->lock);
	return s3->seen && clock_monotonic() - s3->seen < SEEN_FOR;
}

static void see_bucket(struct s3 *s3)
{
	SCOPED_LOCK(&s3->lock);
	s3->seen = clock_monotonic();
}

/* HEAD of the bucket itself: its 404 cannot be about anything else. */
static int ask_for_bucket(struct s3 *s3, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "HEAD", .query = ""};
	int result = s3_perform(s3, &r, t);

	/* Who may not look at the bucket may know the object all the same. */
	return result == -EHOSTUNREACH || result == -ETIMEDOUT || result == -EIO || result == -ECANCELED ? result : 0;
}

static int not_found(struct s3 *s3, const struct s3_request *r, struct tier_try *t)
{
	if (!r->key && strcmp(r->method, "HEAD") == 0) {
		snprintf(t->why, sizeof(t->why), "there is no bucket %.70s", s3->bucket);
		return -EHOSTUNREACH;
	}
	if (r->code[0]) {
		see_bucket(s3);
		return -ENOENT;
	}
	if (!bucket_is_seen(s3)) {
		int result = ask_for_bucket(s3, t);

		if (result < 0)
			return result;
	}
	t->again = false;
	return -ENOENT;
}

int s3_error(struct s3 *s3, struct s3_request *r, struct tier_try *t)
{
	char message[200];
	struct meaning m;
	bool good = r->http.status >= 200 && r->http.status < 300;

	r->code[0] = '\0';
	if (good && !r->rest_of_code) {
		see_bucket(s3);
		return 0;
	}
	read_code(r, message, sizeof(message));
	if (good && !r->code[0])
		return 0;
	m = meaning_of(r);
	explain(s3, r, message, t);
	t->again = m.how == AGAIN || m.how == THROTTLED;
	t->throttled = m.how == THROTTLED;
	t->retry_after = r->answer.retry_after;
	if (m.how == NEW_CREDENTIALS)
		t->again = credentials_refused(s3->credentials);
	return m.error == -ENOENT ? not_found(s3, r, t) : m.error;
}
