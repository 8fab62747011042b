#include "tier/s3/http.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define IDLE_MAX 64 /* handles that are kept */
#define LOOK_MS 50  /* how often it is looked whether to stop */
#define CONNECT_MAX (10 * NSEC_PER_SEC)
#define BUFFER (512 * 1024L)
#define ANSWER_MAX (64 * 1024)

struct handle {
	CURLM *multi; /* has the connection */
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	struct handle *next;
};

struct http_pool {
	char *ca_file;
	bool direct;
	pthread_mutex_t lock; /* protects the list */
	struct handle *idle;
	int nidle;
	CURLSH *share;
	pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
};

/* ---- the pool ---- */

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
	struct http_pool *p = arg;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&p->share_locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *arg)
{
	struct http_pool *p = arg;

	(void)easy;
	pthread_mutex_unlock(&p->share_locks[data]);
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_pool *http_pool_new(const struct http_options *o)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_once(&once, init_curl);
	pthread_mutex_init(&p->lock, NULL);
	for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&p->share_locks[i], NULL);
	p->direct = o->direct;
	p->ca_file = o->ca_file ? strdup(o->ca_file) : NULL;
	p->share = curl_share_init();
	if (!p->share || (o->ca_file && !p->ca_file)) {
		http_pool_free(p);
		return NULL;
	}
	curl_share_setopt(p->share, CURLSHOPT_LOCKFUNC, share_lock);
	curl_share_setopt(p->share, CURLSHOPT_UNLOCKFUNC, share_unlock);
	curl_share_setopt(p->share, CURLSHOPT_USERDATA, p);
	curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return p;
}

static void handle_free(struct handle *h)
{
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h);
}

void http_pool_free(struct http_pool *p)
{
	if (!p)
		return;
	while (p->idle) {
		struct handle *h = p->idle;

		p->idle = h->next;
		handle_free(h);
	}
	if (p->share)
		curl_share_cleanup(p->share);
	for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_destroy(&p->share_locks[i]);
	pthread_mutex_destroy(&p->lock);
	free(p->ca_file);
	free(p);
}

static struct handle *handle_new(void)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (!h->multi || !h->easy) {
		handle_free(h);
		return NULL;
	}
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 1L);
	return h;
}

static struct handle *handle_take(struct http_pool *p)
{
	struct handle *h;

	pthread_mutex_lock(&p->lock);
	h = p->idle;
	if (h) {
		p->idle = h->next;
		p->nidle--;
	}
	pthread_mutex_unlock(&p->lock);
	return h ? h : handle_new();
}

static void handle_give(struct http_pool *p, struct handle *h)
{
	/* Secrets and what the caller's memory has. */
	curl_easy_reset(h->easy);
	pthread_mutex_lock(&p->lock);
	if (p->nidle < IDLE_MAX) {
		h->next = p->idle;
		p->idle = h;
		p->nidle++;
		h = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (h)
		handle_free(h);
}

/* ---- a transfer ---- */

struct transfer {
	struct http_request *r;
	struct tier_try *t;
	struct handle *h;
	uint64_t read; /* of the body */
	bool headed;
	int ended; /* what a callback or the source said */
};

static bool is_success(const struct http_request *r)
{
	return r->status >= 200 && r->status < 300;
}

static void tell_header(struct transfer *x, char *line, size_t len)
{
	char *colon, *value;

	while (len && strchr("\r\n \t", line[len - 1]))
		line[--len] = '\0';
	colon = strchr(line, ':');
	if (!colon || !x->r->header)
		return;
	*colon = '\0';
	for (value = colon + 1; *value == ' ' || *value == '\t'; value++)
		;
	x->r->header(x->r->arg, line, value);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *x = arg;
	size_t len = size * n;
	char line[8192];

	if (len >= sizeof(line))
		return len;
	memcpy(line, bytes, len);
	line[len] = '\0';
	if (strncmp(line, "HTTP/", 5) == 0) {
		x->headed = false;
		if (x->r->header)
			x->r->header(x->r->arg, "", line);
	} else if (line[0] == '\r' || line[0] == '\n') {
		curl_easy_getinfo(x->h->easy, CURLINFO_RESPONSE_CODE, &x->r->status);
		/* Not that of "100 Continue", nor what a proxy said to CONNECT. */
		x->headed = x->r->status >= 200;
		if (is_success(x->r) && x->r->headed && x->ended == 0)
			x->ended = x->r->headed(x->r->arg);
		if (x->ended)
			return 0;
	} else {
		tell_header(x, line, len);
	}
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *x = arg;
	struct http_request *r = x->r;
	size_t len = size * n, max = r->answer_max ? r->answer_max : ANSWER_MAX;

	x->t->received += len;
	if (is_success(r) && r->sink) {
		x->ended = r->sink(r->arg, bytes, len);
		return x->ended ? 0 : len;
	}
	if (r->answer.len + len <= max)
		buf_add(&r->answer, bytes, len);
	else if (is_success(r))
		x->ended = -EIO;
	return x->ended ? 0 : len;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *x = arg;
	struct http_request *r = x->r;
	uint64_t left = r->body_len - x->read;
	size_t want = size * n < left ? size * n : (size_t)left;
	ssize_t got = (ssize_t)want;

	if (want == 0)
		return 0;
	if (r->source)
		got = r->source->read(r->source->arg, bytes, want, r->body_offset + x->read);
	else
		memcpy(bytes, (const char *)r->bytes + x->read, want);
	/* Shorter than it was said to be. */
	if (got <= 0) {
		x->ended = got < 0 ? (int)got : -ESTALE;
		return CURL_READFUNC_ABORT;
	}
	x->read += (uint64_t)got;
	x->t->sent += (uint64_t)got;
	return (size_t)got;
}

/* A kept connection that the server had closed: the body goes over another one, from its beginning. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct transfer *x = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->r->body_len)
		return CURL_SEEKFUNC_FAIL;
	x->read = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_method(CURL *e, struct transfer *x)
{
	const struct http_request *r = x->r;

	if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	} else if (strcmp(r->method, "POST") == 0 || (strcmp(r->method, "PUT") == 0 && !r->source)) {
		/* From memory it goes without "Expect: 100-continue", and a round trip, when it is small. */
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body_len ? r->bytes : "");
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	} else if (strcmp(r->method, "PUT") == 0) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e, CURLOPT_READDATA, x);
		curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(e, CURLOPT_SEEKDATA, x);
	} else if (strcmp(r->method, "GET") != 0) {
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	}
}

static void set_signature(CURL *e, const struct http_request *r)
{
	if (!r->signer)
		return;
	curl_easy_setopt(e, CURLOPT_AWS_SIGV4, r->signer);
	curl_easy_setopt(e, CURLOPT_USERNAME, r->access);
	curl_easy_setopt(e, CURLOPT_PASSWORD, r->secret);
}

static void set_connection(CURL *e, const struct http_pool *p, const struct transfer *x)
{
	int64_t connect = x->t->stall && x->t->stall < CONNECT_MAX ? x->t->stall : CONNECT_MAX;

	curl_easy_setopt(e, CURLOPT_SHARE, p->share);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* A name server that does not answer must not hold up who gave up. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect / NSEC_PER_MSEC));
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "tarn/" PACKAGE_VERSION);
	if (p->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, p->ca_file);
	if (p->direct)
		curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
}

static void set_options(const struct http_pool *p, struct transfer *x)
{
	const struct http_request *r = x->r;
	CURL *e = x->h->easy;

	x->h->error[0] = '\0';
	curl_easy_setopt(e, CURLOPT_URL, r->url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)r->once);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	if (r->range)
		curl_easy_setopt(e, CURLOPT_RANGE, r->range);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->h->error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	set_connection(e, p, x);
	set_method(e, x);
	set_signature(e, r);
}

static int of_curl(CURLcode code, struct tier_try *t, const char *error)
{
	snprintf(t->why, sizeof(t->why), "%.150s", error[0] ? error : curl_easy_strerror(code));
	t->again = true;
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return -EHOSTUNREACH;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		t->again = false;
		return -EACCES;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		t->again = false;
		return -EINVAL;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* Bytes that have come or gone, to see whether any still do. */
static curl_off_t moved(CURL *e)
{
	curl_off_t up = 0, down = 0;
	long header = 0;

	curl_easy_getinfo(e, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(e, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(e, CURLINFO_HEADER_SIZE, &header);
	return up + down + header;
}

struct watch {
	int64_t looked, moved_at;
	curl_off_t moved;
};

/* Is it over? Looked at every LOOK_MS, however often it is called. */
static int watch(struct watch *w, const struct transfer *x)
{
	int64_t now = clock_monotonic();
	curl_off_t m;
	int r;

	if (now - w->looked < LOOK_MS * NSEC_PER_MSEC)
		return 0;
	w->looked = now;
	r = try_over(x->t);
	m = moved(x->h->easy);
	if (m != w->moved) {
		w->moved = m;
		w->moved_at = now;
	} else if (r == 0 && x->t->stall && now - w->moved_at > x->t->stall) {
		r = -ETIMEDOUT;
	}
	return r;
}

static CURLcode result_of(CURLM *multi)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(multi, &left))) {
		if (m->msg == CURLMSG_DONE)
			return m->data.result;
	}
	return CURLE_RECV_ERROR;
}

static int run(struct transfer *x)
{
	struct watch w = {.moved_at = clock_monotonic()};
	CURLM *multi = x->h->multi;
	int running = 1, r = 0;

	if (curl_multi_add_handle(multi, x->h->easy) != CURLM_OK)
		return -ENOMEM;
	w.looked = w.moved_at;
	while (running && r == 0) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			r = -EIO;
		if (running && r == 0)
			r = watch(&w, x);
		if (running && r == 0)
			curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
	}
	if (r == 0) {
		CURLcode code = result_of(multi);

		curl_easy_getinfo(x->h->easy, CURLINFO_RESPONSE_CODE, &x->r->status);
		if (x->ended)
			r = x->ended;
		else if (code != CURLE_OK)
			r = of_curl(code, x->t, x->h->error);
		else
			r = buf_error(&x->r->answer);
	} else if (r == -ETIMEDOUT) {
		snprintf(x->t->why, sizeof(x->t->why), "no answer in time");
		x->t->again = true;
	}
	curl_multi_remove_handle(multi, x->h->easy);
	return r;
}

int http_perform(struct http_pool *p, struct http_request *r, struct tier_try *t)
{
	struct transfer x = {.r = r, .t = t, .h = handle_take(p)};
	int result = try_over(t);

	if (!x.h)
		return -ENOMEM;
	r->status = 0;
	buf_clear(&r->answer);
	if (result == 0) {
		set_options(p, &x);
		result = run(&x);
	}
	handle_give(p, x.h);
	return result;
}

void http_request_release(struct http_request *r)
{
	curl_slist_free_all(r->headers);
	r->headers = NULL;
	buf_release(&r->answer);
}
