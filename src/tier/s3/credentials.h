/*
 * With whose key requests to S3 are signed. Looked for in this order, as AWS's own tools do:
 *
 *	1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, unless the settings name a profile
 *	2. the profile (cloud_profile, AWS_PROFILE, "default") in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials),
 *	   then in AWS_CONFIG_FILE (~/.aws/config)
 *	3. the instance's metadata (IMDSv2) at AWS_EC2_METADATA_SERVICE_ENDPOINT, but not where
 *	   AWS_EC2_METADATA_DISABLED is true
 *
 * What expires is fetched again five minutes before. Files are read again when they changed. Secrets are never logged,
 * never in an argument or the environment of a child, and not in core dumps.
 */
#ifndef TARN_TIER_S3_CREDENTIALS_H
#define TARN_TIER_S3_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"
#include "tier/tier_ops.h"

/*
 * Takes the AWS_* secrets out of the environment, so that no child gets them and /proc shows none, and keeps memory out
 * of core dumps when there are any. Once, before there is another thread.
 */
void credentials_take_environment(void);

struct credentials; /* any thread */
/* PROFILE: from the settings, or NULL. NULL: no memory. Reads nothing yet. */
struct credentials *credentials_new(const char *profile);
void credentials_free(struct credentials *c);

#define SECRET_ROOM 4096
struct secret {
	char access[256], secret[256];
	char token[SECRET_ROOM]; /* "": none */
};
/* Wipes it. */
void secret_clear(struct secret *s);

/*
 * What to sign with now. 0; -EACCES: there is none, or it cannot be read; -errno of asking the instance. T: as for a
 * request, and its `why` says what is wrong.
 */
int credentials_get(struct credentials *c, struct tier_try *t, struct secret *s);
/* The server said that these are over: the next credentials_get() looks anew. True: it may find others. */
bool credentials_refused(struct credentials *c);
/* NAME ("region", "endpoint_url") of the profile in the files of AWS; "" when it is not said. */
void credentials_setting(struct credentials *c, const char *name, char *value, size_t size);

#endif
