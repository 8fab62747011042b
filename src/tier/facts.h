/*
 * Facts as names and values, which is what an object's metadata is:
 *
 *	tarn-sha256	64 hex digits
 *	tarn-size	decimal
 *	tarn-version	LAKE-NODE-VERSION, hex
 *	tarn-compress	zstd
 *	mode		decimal, with the type (33188 is a plain file, 0644): as s3fs has it
 *	uid, gid	decimal
 *	mtime		SECONDS.NNNNNNNNN since 1970: as rclone and s3fs have it
 */
#ifndef TARN_TIER_FACTS_H
#define TARN_TIER_FACTS_H

#include "tier/tier.h"

/* Calls EACH for every fact that is known. */
void facts_each(const struct tier_facts *f, void (*each)(void *arg, const char *name, const char *value), void *arg);
/* Takes in one of LEN bytes; other names (in any case) and values that make no sense are passed over. */
void facts_take(struct tier_facts *f, const char *name, const char *value, size_t len);

#endif
