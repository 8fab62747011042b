/* Which key a path gets, and which path a key names; facts as metadata. */
#include <string.h>

#include "tap.h"
#include "tier/facts.h"
#include "tier/key.h"
#include "tier/tier.h"

static void is_key(const char *prefix, const char *bucket, const char *path, const char *wanted)
{
	_cleanup_buf_ struct buf key = BUF_INIT;
	char what[160];

	tier_key_of_path(&key, prefix, bucket, path);
	snprintf(what, sizeof(what), "%.60s/%.60s", bucket, path);
	is_str(buf_str(&key), wanted, what);
}

/* Its name is not in it. */
static void is_hashed(const char *bucket, const char *path, const char *what)
{
	_cleanup_buf_ struct buf key = BUF_INIT;

	tier_key_of_path(&key, "p", bucket, path);
	ok(strncmp(buf_str(&key), "p/.tarn/names/", 14) == 0 && key.len == 14 + 64, "%s: by its hash", what);
	ok(!tier_key_is_plain("p", bucket, path), "%s: not plain", what);
}

static void test_keys(void)
{
	static const uint8_t hash[32] = {0x01, 0xff};
	_cleanup_buf_ struct buf key = BUF_INIT;
	char name[256];

	is_key("lake", "raw", "a/b.csv", "lake/raw/a/b.csv");
	is_key("", "raw", "a", "raw/a");
	is_key(NULL, "raw", "a", "raw/a");
	is_key("x/y", "raw", "Ein Ä+=@~ %2f?#&", "x/y/raw/Ein Ä+=@~ %2f?#&");
	is_key("", "raw", ".tarn/x", "raw/.tarn/x");
	is_hashed("raw", "caf\xe9", "Latin-1");
	is_hashed("raw", "a\nb", "a line feed");
	is_hashed("raw", "a\x7f", "DEL");
	is_hashed("raw", "a\xc2\x85", "a control character of Latin-1");
	is_hashed("raw", "a\xef\xbf\xbf", "U+FFFF, which XML cannot have");
	is_hashed(".tarn", "objects/x", "a bucket called as tarn's own");
	is_hashed("raw", "a//b", "an empty component");
	is_hashed("raw", "../b", "a component of dots");
	memset(name, 'n', 255);
	name[255] = '\0';
	for (int i = 0; i < 4; i++)
		buf_addf(&key, "%s/", name);
	ok(tier_key_is_plain("", "r", name), "a name of 255 bytes is plain");
	is_hashed("raw", buf_str(&key), "1,024 bytes and more");

	buf_clear(&key);
	tier_key_of_content(&key, "lake", hash);
	is_str(buf_str(&key), "lake/.tarn/objects/01ff000000000000000000000000000000000000000000000000000000000000",
	       "content");
	buf_clear(&key);
	tier_key_of_own(&key, "", "packs", "7.pack");
	is_str(buf_str(&key), ".tarn/packs/7.pack", "a pack");
}

static void test_paths(void)
{
	is_str(tier_path_of_key("lake/raw", "lake/raw/a/b"), "a/b", "below a prefix");
	is_str(tier_path_of_key("", "a/b"), "a/b", "below none");
	is_str(tier_path_of_key("lake", "lakes/a"), NULL, "another prefix");
	is_str(tier_path_of_key("lake", "lake"), NULL, "the prefix itself");
	is_str(tier_path_of_key("lake", "lake/.tarn/objects/x"), NULL, "tarn's own");
	is_str(tier_path_of_key("lake", "lake/a/"), NULL, "a folder's marker");
	is_str(tier_path_of_key("lake", "lake//a"), NULL, "an empty component");
	is_str(tier_path_of_key("lake", "lake/../a"), NULL, "dots");
	is_str(tier_path_of_key("", "a\nb"), NULL, "a control character");
}

static void keep_fact(void *arg, const char *name, const char *value)
{
	facts_take(arg, name, value, strlen(value));
}

static void add_fact(void *arg, const char *name, const char *value)
{
	buf_addf(arg, "%s=%s ", name, value);
}

static void take(struct tier_facts *f, const char *name, const char *value)
{
	*f = (struct tier_facts){0};
	facts_take(f, name, value, strlen(value));
}

static void test_facts(void)
{
	struct tier_facts f = {.known = 127,
			       .size = 5,
			       .lake = 0xabc,
			       .node = 7,
			       .version = 9,
			       .mode = 04751,
			       .zstd = true,
			       .uid = 1000,
			       .gid = 100,
			       .mtime = -1,
			       .sha256 = {1, 2, 3}};
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct tier_facts back = {0};

	facts_each(&f, add_fact, &text);
	is_str(buf_str(&text),
	       "tarn-sha256=0102030000000000000000000000000000000000000000000000000000000000 tarn-size=5 "
	       "tarn-version=0000000000000abc-7-9 tarn-compress=zstd mode=35305 uid=1000 gid=100 "
	       "mtime=-0.000000001 ",
	       "as metadata");
	facts_each(&f, keep_fact, &back);
	ok(memcmp(&f, &back, sizeof(f)) == 0, "and back");
	take(&f, "mtime", "1763629200.5");
	ok(f.known == TIER_KNOWS_MTIME && f.mtime == INT64_C(1763629200500000000), "rclone's mtime");
	take(&f, "MTIME", "1763629200");
	ok(f.known == TIER_KNOWS_MTIME && f.mtime == INT64_C(1763629200000000000), "s3fs's mtime, in capitals");
	take(&f, "mtime", "99999999999999999999");
	is_int(f.known, 0, "a time beyond time");
	take(&f, "mtime", "12x");
	is_int(f.known, 0, "no time");
	take(&f, "tarn-size", "-1");
	is_int(f.known, 0, "no size");
	take(&f, "uid", "4294967295");
	is_int(f.known, 0, "the id that is none");
	take(&f, "tarn-sha256", "0102");
	is_int(f.known, 0, "half a hash");
	take(&f, "tarn-version", "1-2");
	is_int(f.known, 0, "two thirds of a version");
	take(&f, "other", "1");
	is_int(f.known, 0, "what is not ours");
}

/* RFC 1321, A.5. */
static void test_etags(void)
{
	ok(tier_etag_is_of("900150983cd24fb0d6963f7d28e17f72", "abc", 3), "an ETag that is the MD5 proves the bytes");
	ok(tier_etag_is_of("D41D8CD98F00B204E9800998ECF8427E", "", 0), "in capitals, and of nothing");
	ok(!tier_etag_is_of("900150983cd24fb0d6963f7d28e17f72", "abd", 3), "not of others");
	ok(!tier_etag_is_of("900150983cd24fb0d6963f7d28e17f72-1", "abc", 3), "one of parts proves nothing");
	ok(!tier_etag_is_of("", "", 0), "no ETag proves nothing");
}

int main(void)
{
	test_etags();
	test_keys();
	test_paths();
	test_facts();
	return done();
}
