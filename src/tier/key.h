/*
 * Which key an object has:
 *
 *	<prefix>/<bucket>/<path>	a file of a bucket, as it is called there
 *	<prefix>/.tarn/names/<sha256>	the same, where S3 cannot hold the name: it is not UTF-8, has control characters
 *					or an empty, "." or ".." component, or the key would be longer than 1,024
 *					bytes. The hash is that of "<bucket>/<path>"
 *	<prefix>/.tarn/objects/<sha256>	content that has no name any more, by its SHA-256
 *	<prefix>/.tarn/packs/<name>	history
 *	<prefix>/.tarn/meta/<name>	the metadata store
 *
 * An object that holds a content compressed has TIER_COMPRESSED behind: whoever fetches it sees by its name what it is.
 *
 * Hashes are 64 lower-case hex digits. PREFIX "" has no slash behind it. The functions append to KEY; what fails is
 * told by buf_error().
 */
#ifndef TARN_TIER_KEY_H
#define TARN_TIER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TIER_OWN ".tarn" /* the component below the prefix that is tarn's own; no bucket is called so */
#define TIER_COMPRESSED ".zst"

/* PATH: of a file in BUCKET, without a slash in front. */
void tier_key_of_path(struct buf *key, const char *prefix, const char *bucket, const char *path);
/* The key of the second kind, whatever the name. */
void tier_key_of_name(struct buf *key, const char *prefix, const char *bucket, const char *path);
/* Would PATH in BUCKET get a key with its name in it? */
bool tier_key_is_plain(const char *prefix, const char *bucket, const char *path);
void tier_key_of_content(struct buf *key, const char *prefix, const uint8_t sha256[32]);
/* FOLDER: "packs", "meta" … */
void tier_key_of_own(struct buf *key, const char *prefix, const char *folder, const char *name);

/*
 * The other way round, for objects that others have put there: the path that KEY names below BASE ("": all), a prefix
 * without a slash at its end. It points into KEY. NULL where the key lies elsewhere, is tarn's own, or names no file:
 * an empty, "." or ".." component (a slash at its end too), one longer than 255 bytes, a control character.
 */
const char *tier_path_of_key(const char *base, const char *key);

#endif
