/*
 * A remote as people name it on the command line, for verbs that have no lake's settings to go by.
 *
 *	s3://BUCKET[/PREFIX]	on the server of --endpoint or $AWS_ENDPOINT_URL, else AWS
 *	FOLDER			of the provider dir: the folder itself, or one in it (then the rest is the prefix)
 */
#ifndef TARN_CLI_REMOTE_URL_H
#define TARN_CLI_REMOTE_URL_H

#include "base/buf.h"

struct remote_url {
	const char *endpoint, *region, *signature; /* NULL: not said */
};

/*
 * Adds to YAML the section hybrid_storage that means the remote URL. 0, or -errno with the reason said.
 */
int remote_url_settings(const char *url, const struct remote_url *more, struct buf *yaml);

#endif
