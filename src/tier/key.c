#include "tier/key.h"

#include <string.h>

#include <openssl/sha.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "tier/tier.h"

#define NAME_BYTES_MAX 255

static void add_prefix(struct buf *key, const char *prefix)
{
	if (prefix && prefix[0]) {
		buf_adds(key, prefix);
		buf_addc(key, '/');
	}
}

/* Text that XML 1.0 and every provider can carry: no control characters, of ASCII or Latin-1, not U+FFFE, U+FFFF. */
static bool is_text(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t left = strlen(name);

	while (left) {
		size_t n = utf8_length(p, left);

		if (n == 0 || *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
		if (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
			return false;
		p += n;
		left -= n;
	}
	return true;
}

/* Components that are names, between single slashes. */
static bool is_path(const char *path)
{
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || n > NAME_BYTES_MAX || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

bool tier_key_is_plain(const char *prefix, const char *bucket, const char *path)
{
	size_t len = strlen(bucket) + 1 + strlen(path) + (prefix && prefix[0] ? strlen(prefix) + 1 : 0);

	return len <= TIER_KEY_MAX && strcmp(bucket, TIER_OWN) != 0 && is_text(bucket) && is_text(path) &&
	       is_path(bucket) && is_path(path);
}

void tier_key_of_name(struct buf *key, const char *prefix, const char *bucket, const char *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	uint8_t hash[SHA256_DIGEST_LENGTH];

	buf_addf(&name, "%s/%s", bucket, path);
	SHA256((const unsigned char *)buf_str(&name), name.len, hash);
	add_prefix(key, prefix);
	buf_adds(key, TIER_OWN "/names/");
	buf_add_hex(key, hash, sizeof(hash));
	if (buf_error(&name))
		key->error = buf_error(&name);
}

void tier_key_of_path(struct buf *key, const char *prefix, const char *bucket, const char *path)
{
	if (!tier_key_is_plain(prefix, bucket, path)) {
		tier_key_of_name(key, prefix, bucket, path);
		return;
	}
	add_prefix(key, prefix);
	buf_addf(key, "%s/%s", bucket, path);
}

void tier_key_of_content(struct buf *key, const char *prefix, const uint8_t sha256[32])
{
	add_prefix(key, prefix);
	buf_adds(key, TIER_OWN "/objects/");
	buf_add_hex(key, sha256, SHA256_DIGEST_LENGTH);
}

void tier_key_of_own(struct buf *key, const char *prefix, const char *folder, const char *name)
{
	add_prefix(key, prefix);
	buf_addf(key, TIER_OWN "/%s/%s", folder, name);
}

const char *tier_path_of_key(const char *base, const char *key)
{
	size_t n = strlen(base);

	if (n && (strncmp(key, base, n) != 0 || key[n] != '/'))
		return NULL;
	key += n ? n + 1 : 0;
	if (strncmp(key, TIER_OWN "/", sizeof(TIER_OWN)) == 0 || !is_text(key) || !is_path(key))
		return NULL;
	return key;
}
