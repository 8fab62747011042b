/*
 * S3 over libcurl. A key is requested at
 *
 *	ENDPOINT/BUCKET/KEY	path style: where an endpoint is set, unless cloud_path_style is false
 *	BUCKET.ENDPOINT/KEY	virtual-host style: AWS's own
 *
 * and every request is signed with Signature V4. What libcurl 7.88.1 wants for that: x-amz-content-sha256 is always
 * sent, no header is blanked, the path is encoded but for unreserved characters and slashes, the query is sorted by
 * name and its values are encoded wholly, and what has no value ends in "=".
 */
#ifndef TARN_TIER_S3_S3_INT_H
#define TARN_TIER_S3_S3_INT_H

#include <pthread.h>

#include "base/cleanup.h"
#include "tier/s3/credentials.h"
#include "tier/s3/http.h"

#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define REGION_ROOM 64

struct s3 {
	char *bucket, *endpoint; /* "https://host[:port]", no slash at its end */
	bool own_endpoint;	 /* it was set: a redirection to another region does not change it */
	bool path_style;
	const char *sse, *sse_key; /* of the settings; NULL */
	struct credentials *credentials;
	struct http_pool *http;

	pthread_mutex_t lock; /* a leaf; protects what follows */
	char region[REGION_ROOM];
	int64_t seen; /* clock_monotonic() when the bucket was known to be there */

	_Atomic bool no_bulk_remove, no_if_none_match; /* the server cannot: found out by trying */
};

/* The answer's header. */
struct s3_answer {
	uint64_t length, total; /* total: of the object, in Content-Range; UINT64_MAX: not said */
	uint64_t first;		/* of the range */
	char etag[TIER_ETAG_ROOM], class[TIER_CLASS_ROOM];
	char restore[64], archive[32];
	char region[64], location[512];
	int64_t modified, date; /* ns; 0: not said */
	int64_t retry_after;	/* ns */
	struct tier_facts facts;
};

struct s3_request {
	const char *method;
	const char *key;	  /* NULL: the bucket itself */
	const char *query;	  /* encoded; "" */
	const char *sha256;	  /* hex, of the body; NULL: there is none */
	bool rest_of_code;	  /* a 200 may come with an error in it, as from copying */
	struct http_request http; /* its url, signer and key are filled in here; headers go into it by s3_header() */
	struct s3_answer answer;
	char code[64]; /* of S3's errors; "" */
	/* of a body's reader: the request's own arg */
	int (*headed)(void *arg, const struct s3_answer *answer);
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *arg;
};
void s3_request_release(struct s3_request *r);

/* Adds "NAME: VALUE". What fails is told by s3_perform(). */
void s3_header(struct s3_request *r, const char *name, const char *value);
void s3_header_facts(struct s3_request *r, const struct tier_facts *facts);
/* Storage class (NULL, "": the usual one), and server-side encryption as set. */
void s3_header_new_object(const struct s3 *s3, struct s3_request *r, const char *class);
/* What a copy is made of. */
void s3_header_source(const struct s3 *s3, struct s3_request *r, const struct tier_copy *c);
/* Percent-encodes; SLASH: but for slashes. */
void s3_encode(struct buf *out, const char *text, bool slash);

/* Signs it and makes it. 0: a 2xx answer; else -errno, with what T has to tell. */
int s3_perform(struct s3 *s3, struct s3_request *r, struct tier_try *t);
/* What the status and the code of an answer mean. 0: a success. (s3_error.c) */
int s3_error(struct s3 *s3, struct s3_request *r, struct tier_try *t);

/* An object's head, from the header of an answer that is about all of it. */
void s3_head_of_answer(const struct s3_answer *a, uint64_t size, struct tier_head *head);
/* Is an object of this class out of reach until it is restored? */
bool s3_class_is_archive(const char *class);
/* A SHA-256, that of BYTES, in lower-case hex. */
void s3_hex(char hex[65], const uint8_t hash[32]);
void s3_hash(char hex[65], const void *bytes, size_t len);

/* The query of a page: ListObjectsV2, or what came before it, which only has other names. Sorted and encoded. */
void s3_list_query(struct buf *query, const struct tier_page *page, bool v2);
/* What a page's answer says: 0, what page->add() says, or -errno. */
int s3_list_take(const struct buf *answer, struct tier_page *page, struct tier_try *t);

/* ---- the functions of the table ---- */

int s3_put(void *engine, const struct tier_put *p, struct tier_try *t, struct tier_head *head);
int s3_get(void *engine, const struct tier_get *g, int (*headed)(void *arg, const struct tier_head *head),
	   int (*body)(void *arg, const void *bytes, size_t len), void *arg, struct tier_try *t);
int s3_head(void *engine, const char *key, struct tier_try *t, struct tier_head *head);
int s3_list(void *engine, struct tier_page *page, struct tier_try *t);
int s3_remove(void *engine, const char *const *keys, int n, int *results, struct tier_try *t);
int s3_copy(void *engine, const struct tier_copy *c, struct tier_try *t, struct tier_head *head);
int s3_restore(void *engine, const char *key, int days, struct tier_try *t);
int s3_begin(void *engine, const struct tier_put *p, struct buf *id, struct tier_try *t);
int s3_part(void *engine, struct tier_part *part, struct tier_try *t);
int s3_part_copy(void *engine, struct tier_part *part, const struct tier_copy *c, uint64_t offset, uint64_t length,
		 struct tier_try *t);
int s3_complete(void *engine, const struct tier_put *p, const char *id, const struct tier_part *parts, unsigned n,
		struct tier_try *t, struct tier_head *head);
int s3_abort(void *engine, const char *key, const char *id, struct tier_try *t);
int s3_uploads(void *engine, const char *prefix, int (*each)(void *arg, const struct tier_upload *u), void *arg,
	       struct tier_try *t);

#endif
