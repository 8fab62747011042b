#include "tier/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define VALUE_MAX 100

typedef void each_fact(void *arg, const char *name, const char *value);

static void each_number(each_fact *each, void *arg, const char *name, uint64_t number)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, number);
	each(arg, name, value);
}

static void each_hash(each_fact *each, void *arg, const uint8_t sha256[32])
{
	_cleanup_buf_ struct buf hex = BUF_INIT;

	buf_add_hex(&hex, sha256, 32);
	if (buf_error(&hex) == 0)
		each(arg, "tarn-sha256", buf_str(&hex));
}

/* Before 1970 too: -1.500000000 is a second and a half before it. */
static void each_time(each_fact *each, void *arg, int64_t ns)
{
	uint64_t size = ns < 0 ? (uint64_t) - (ns + 1) + 1 : (uint64_t)ns;
	char value[40];

	snprintf(value, sizeof(value), "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "", size / NSEC_PER_SEC,
		 size % NSEC_PER_SEC);
	each(arg, "mtime", value);
}

void facts_each(const struct tier_facts *f, each_fact *each, void *arg)
{
	char value[VALUE_MAX];

	if (f->known & TIER_KNOWS_SHA256)
		each_hash(each, arg, f->sha256);
	if (f->known & TIER_KNOWS_SIZE)
		each_number(each, arg, "tarn-size", f->size);
	if (f->known & TIER_KNOWS_VERSION) {
		snprintf(value, sizeof(value), "%016" PRIx64 "-%" PRIx64 "-%" PRIx64, f->lake, f->node, f->version);
		each(arg, "tarn-version", value);
	}
	if (f->zstd)
		each(arg, "tarn-compress", "zstd");
	if (f->known & TIER_KNOWS_MODE)
		each_number(each, arg, "mode", S_IFREG | (f->mode & 07777));
	if (f->known & TIER_KNOWS_UID)
		each_number(each, arg, "uid", f->uid);
	if (f->known & TIER_KNOWS_GID)
		each_number(each, arg, "gid", f->gid);
	if (f->known & TIER_KNOWS_MTIME)
		each_time(each, arg, f->mtime);
}

/* All of TEXT, up to END; false: it is no number, or too large. */
static bool parse_number(const char *text, int base, char end, uint64_t max, uint64_t *out, const char **rest)
{
	char *stop;

	if (!strchr("0123456789abcdefABCDEF", text[0]) || !text[0])
		return false;
	errno = 0;
	*out = strtoull(text, &stop, base);
	if (errno || *stop != end || *out > max)
		return false;
	*rest = stop + (end ? 1 : 0);
	return true;
}

static bool parse_hash(const char *text, uint8_t sha256[32])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(text) != 64 || strspn(text, digits) != 64)
		return false;
	for (int i = 0; i < 32; i++)
		sha256[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
				      (strchr(digits, text[2 * i + 1]) - digits));
	return true;
}

/* Seconds, and what follows a point as far as it is digits. */
static bool parse_time(const char *text, int64_t *ns)
{
	bool before = text[0] == '-';
	char *rest = NULL;
	int64_t seconds, part = 0, scale = NSEC_PER_SEC / 10;

	text += before;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	seconds = strtoll(text, &rest, 10);
	if (errno || seconds > INT64_MAX / NSEC_PER_SEC - 1 || (*rest && *rest != '.'))
		return false;
	for (const char *p = rest + (*rest == '.'); *p; p++, scale /= 10) {
		if (*p < '0' || *p > '9')
			return false;
		part += (*p - '0') * scale;
	}
	*ns = (seconds * NSEC_PER_SEC + part) * (before ? -1 : 1);
	return true;
}

static void take_version(struct tier_facts *f, const char *text)
{
	const char *rest;

	if (parse_number(text, 16, '-', UINT64_MAX, &f->lake, &rest) &&
	    parse_number(rest, 16, '-', UINT64_MAX, &f->node, &rest) &&
	    parse_number(rest, 16, '\0', UINT64_MAX, &f->version, &rest))
		f->known |= TIER_KNOWS_VERSION;
}

/* A number that is none of ours stays unknown. */
static void take_number(struct tier_facts *f, enum tier_known what, const char *text, uint64_t max, uint64_t *out)
{
	const char *rest;

	if (parse_number(text, 10, '\0', max, out, &rest))
		f->known |= what;
}

static void take_small(struct tier_facts *f, enum tier_known what, const char *text, uint32_t mask, uint32_t *out)
{
	uint64_t number = 0;

	take_number(f, what, text, UINT32_MAX - 1, &number);
	if (f->known & what)
		*out = (uint32_t)number & mask;
}

void facts_take(struct tier_facts *f, const char *name, const char *bytes, size_t len)
{
	char value[VALUE_MAX];

	if (len >= sizeof(value) || memchr(bytes, '\0', len))
		return;
	memcpy(value, bytes, len);
	value[len] = '\0';
	if (strcasecmp(name, "tarn-sha256") == 0 && parse_hash(value, f->sha256))
		f->known |= TIER_KNOWS_SHA256;
	else if (strcasecmp(name, "tarn-size") == 0)
		take_number(f, TIER_KNOWS_SIZE, value, INT64_MAX, &f->size);
	else if (strcasecmp(name, "tarn-version") == 0)
		take_version(f, value);
	else if (strcasecmp(name, "tarn-compress") == 0)
		f->zstd = strcmp(value, "zstd") == 0;
	else if (strcasecmp(name, "mode") == 0)
		take_small(f, TIER_KNOWS_MODE, value, 07777, &f->mode);
	else if (strcasecmp(name, "uid") == 0)
		take_small(f, TIER_KNOWS_UID, value, UINT32_MAX, &f->uid);
	else if (strcasecmp(name, "gid") == 0)
		take_small(f, TIER_KNOWS_GID, value, UINT32_MAX, &f->gid);
	else if (strcasecmp(name, "mtime") == 0 && parse_time(value, &f->mtime))
		f->known |= TIER_KNOWS_MTIME;
}
