#include "cli/remote_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/place.h"

#define MARK ".tarn%own" /* in the folder that a remote of the provider dir is */

static void add(struct buf *yaml, const char *key, const char *value)
{
	if (!value || !value[0])
		return;
	buf_addf(yaml, "  %s: ", key);
	buf_add_json(yaml, value, strlen(value)); /* YAML reads it as a quoted text */
	buf_addc(yaml, '\n');
}

static int s3(const char *place, const struct remote_url *more, struct buf *yaml)
{
	size_t len = strcspn(place, "/");
	_cleanup_free_ char *bucket = strndup(place, len), *prefix = strdup(place + len + strspn(place + len, "/"));
	const char *endpoint = more->endpoint ? more->endpoint : getenv("AWS_ENDPOINT_URL");

	if (!bucket || !prefix)
		return -ENOMEM;
	if (!bucket[0]) {
		say("s3://%s: names no bucket (s3://BUCKET/PREFIX)", place);
		return -EINVAL;
	}
	while (prefix[0] && prefix[strlen(prefix) - 1] == '/')
		prefix[strlen(prefix) - 1] = '\0';
	buf_adds(yaml, "  cloud_provider: s3\n");
	add(yaml, "cloud_bucket", bucket);
	add(yaml, "cloud_prefix", prefix);
	add(yaml, "cloud_endpoint", endpoint);
	add(yaml, "cloud_region", more->region);
	add(yaml, "signature", more->signature);
	return buf_error(yaml);
}

/* Where FOLDER's part above the mark ends; 0: no folder on its way has the mark. */
static size_t find_mark(const char *folder)
{
	for (size_t len = strlen(folder); len > 1; len--) {
		_cleanup_buf_ struct buf mark = BUF_INIT;

		if (folder[len] && folder[len] != '/')
			continue;
		buf_addf(&mark, "%.*s/%s", (int)len, folder, MARK);
		if (!access(buf_str(&mark), F_OK))
			return len;
	}
	return 0;
}

static int folder(const char *given, struct buf *yaml)
{
	_cleanup_free_ char *real = realpath(given, NULL);
	size_t root;

	if (!real) {
		say("%s: %m (a remote is s3://BUCKET/PREFIX or a folder)", given);
		return -errno;
	}
	root = find_mark(real);
	buf_adds(yaml, "  cloud_provider: dir\n  cloud_allow_same_disk: true\n");
	if (root && real[root]) {
		add(yaml, "cloud_prefix", real + root + 1);
		real[root] = '\0';
	}
	add(yaml, "cloud_path", real);
	return buf_error(yaml);
}

int remote_url_settings(const char *url, const struct remote_url *more, struct buf *yaml)
{
	buf_adds(yaml, "hybrid_storage:\n");
	if (!strncmp(url, "s3://", 5))
		return s3(url + 5, more, yaml);
	return folder(!strncmp(url, "file://", 7) ? url + 7 : url, yaml);
}
