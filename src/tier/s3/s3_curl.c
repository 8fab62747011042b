#include <errno.h>
#include <string.h>

#include "tier/s3/s3_int.h"

#define PUT_MAX (UINT64_C(5) * 1024 * 1024 * 1024) /* S3's own limit, of copies too */

static void s3_close(void *engine)
{
	struct s3 *s3 = engine;

	http_pool_free(s3->http);
	credentials_free(s3->credentials);
	pthread_mutex_destroy(&s3->lock);
	free(s3->bucket);
	free(s3->endpoint);
	free(s3);
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* The settings, then the environment, then the files of AWS. */
static void find_region(struct s3 *s3, const struct settings *s)
{
	const char *region = s->cloud_region;

	region = region ? region : environment("AWS_REGION");
	region = region ? region : environment("AWS_DEFAULT_REGION");
	if (region)
		snprintf(s3->region, sizeof(s3->region), "%.60s", region);
	else
		credentials_setting(s3->credentials, "region", s3->region, sizeof(s3->region));
	if (!s3->region[0])
		snprintf(s3->region, sizeof(s3->region), "us-east-1");
}

static void find_endpoint(struct s3 *s3, const struct settings *s)
{
	const char *endpoint = s->cloud_endpoint;
	bool china = strncmp(s3->region, "cn-", 3) == 0;
	size_t len;

	endpoint = endpoint ? endpoint : environment("AWS_ENDPOINT_URL_S3");
	endpoint = endpoint ? endpoint : environment("AWS_ENDPOINT_URL");
	s3->own_endpoint = endpoint != NULL;
	if (!endpoint)
		endpoint = china ? "https://s3.REGION.amazonaws.com.cn" : "https://s3.REGION.amazonaws.com";
	for (len = strlen(endpoint); len && endpoint[len - 1] == '/'; len--)
		;
	s3->endpoint = strndup(endpoint, len);
}

/* A bucket with dots in its name has no certificate of AWS's, nor has an address a subdomain. */
static bool find_style(const struct s3 *s3, const struct settings *s)
{
	if (s->cloud_path_style && strcmp(s->cloud_path_style, "auto") != 0)
		return strcmp(s->cloud_path_style, "true") == 0;
	return s3->own_endpoint || strchr(s3->bucket, '.');
}

static bool is_endpoint(const char *url)
{
	const char *host = strstr(url, "://");

	return host && host[3] && !strpbrk(host + 3, "/?# ") &&
	       (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
}

static int s3_open(const struct tier_place *place, void **engine, struct buf *why)
{
	const struct settings *s = place->settings;
	struct http_options o = {.ca_file = s->cloud_ca_file ? s->cloud_ca_file : environment("AWS_CA_BUNDLE")};
	struct s3 *s3 = calloc(1, sizeof(*s3));

	if (!s3)
		return -ENOMEM;
	pthread_mutex_init(&s3->lock, NULL);
	s3->sse = s->cloud_sse;
	s3->sse_key = s->cloud_sse_key;
	s3->bucket = strdup(place->bucket);
	s3->credentials = credentials_new(s->cloud_profile);
	s3->http = http_pool_new(&o);
	if (!s3->bucket || !s3->credentials || !s3->http) {
		s3_close(s3);
		return -ENOMEM;
	}
	find_region(s3, s);
	find_endpoint(s3, s);
	if (!s3->endpoint || !is_endpoint(s3->endpoint)) {
		buf_addf(why, "%s is no endpoint: http://HOST[:PORT] or https://HOST[:PORT]",
			 s3->endpoint ? s3->endpoint : "");
		s3_close(s3);
		return -EINVAL;
	}
	s3->path_style = find_style(s3, s);
	*engine = s3;
	return 0;
}

const struct tier_ops tier_s3_curl = {
	.name = "curl",
	.put_max = PUT_MAX,
	.open = s3_open,
	.close = s3_close,
	.put = s3_put,
	.get = s3_get,
	.head = s3_head,
	.list = s3_list,
	.remove = s3_remove,
	.copy = s3_copy,
	.restore = s3_restore,
	.begin = s3_begin,
	.part = s3_part,
	.part_copy = s3_part_copy,
	.complete = s3_complete,
	.abort = s3_abort,
	.uploads = s3_uploads,
};
