#include "tier/s3/imds.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tier/s3/http.h"

#define ENDPOINT "http://169.254.169.254"
#define ROLES "/latest/meta-data/iam/security-credentials/"
/* It is in the same machine, or there is none. */
#define STALL (2 * NSEC_PER_SEC)

static struct http_pool *pool;

static void make_pool(void)
{
	pool = http_pool_new(&(struct http_options){.direct = true});
}

static const char *endpoint(void)
{
	const char *set = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");

	return set && set[0] ? set : ENDPOINT;
}

/* One request: its answer in OUT. */
static int ask(const char *method, const char *path, const char *header, struct tier_try *t, struct buf *out)
{
	_cleanup_(http_request_release) struct http_request r = {.method = method, .bytes = "", .arg = out};
	_cleanup_buf_ struct buf url = BUF_INIT;
	size_t len = strlen(endpoint());
	int result;

	while (len && endpoint()[len - 1] == '/')
		len--;
	buf_addf(&url, "%.*s%s", (int)len, endpoint(), path);
	r.url = buf_str(&url);
	r.headers = curl_slist_append(NULL, header);
	if (buf_error(&url) || !r.headers)
		return -ENOMEM;
	result = http_perform(pool, &r, t);
	if (result < 0)
		return result == -EHOSTUNREACH || result == -ETIMEDOUT ? -ENOENT : result;
	if (r.status != 200) {
		snprintf(t->why, sizeof(t->why), "status %ld", r.status);
		return -ENOENT;
	}
	buf_clear(out);
	buf_add(out, buf_str(&r.answer), r.answer.len);
	explicit_bzero(r.answer.data, r.answer.room);
	return buf_error(out);
}

/* The first line, as a header's value or a name in a path: nothing else may be in it. */
static bool is_line(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if ((unsigned char)b->data[i] <= ' ' || (unsigned char)b->data[i] >= 0x7f)
			return false;
	}
	return b->len > 0;
}

int imds_role(struct tier_try *t, struct buf *json)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tier_try own = {.call = t->call, .deadline = t->deadline, .stall = STALL};
	_cleanup_buf_ struct buf token = BUF_INIT, role = BUF_INIT, header = BUF_INIT, path = BUF_INIT;
	int r;

	pthread_once(&once, make_pool);
	if (!pool)
		return -ENOMEM;
	r = ask("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 300", &own, &token);
	if (r == 0 && !is_line(&token))
		r = -EIO;
	buf_addf(&header, "X-aws-ec2-metadata-token: %s", buf_str(&token));
	if (r == 0)
		r = ask("GET", ROLES, buf_str(&header), &own, &role);
	if (r == 0 && role.data)
		role.len = strcspn(role.data, "\r\n"), role.data[role.len] = '\0';
	if (r == 0 && !is_line(&role))
		r = -ENOENT;
	buf_addf(&path, ROLES "%s", buf_str(&role));
	if (r == 0)
		r = ask("GET", buf_str(&path), buf_str(&header), &own, json);
	memcpy(t->why, own.why, sizeof(t->why));
	return r;
}
