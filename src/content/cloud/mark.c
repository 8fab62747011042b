#include "content/cloud/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "tier/key.h"

#define FIRST_LINE "tarn mark 1\n"
#define KNOWN "catalog/remotes"
#define MARK_BYTES 4096 /* no mark is longer */
#define REMOTE_HEX 33

/* ---- what this lake has written ---- */

struct known {
	char use[MARK_USE], next[MARK_USE]; /* "": none */
	struct buf others;		    /* the lines of other remotes… */
	struct buf all;			    /* …and all lines */
};

static void forget_known(struct known *k)
{
	buf_release(&k->others);
	buf_release(&k->all);
}

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

static void name_remote(const struct mark_of *m, char name[REMOTE_HEX])
{
	_cleanup_buf_ struct buf hex = BUF_INIT;
	uint8_t hash[32];

	EVP_Digest(tier_url(m->tier), strlen(tier_url(m->tier)), hash, NULL, EVP_sha256(), NULL);
	buf_add_hex(&hex, hash, (REMOTE_HEX - 1) / 2);
	snprintf(name, REMOTE_HEX, "%s", buf_str(&hex));
}

/* A line that is none of ours is left out. */
static void take_line(const char *line, const char *remote, struct known *k)
{
	const size_t hex = MARK_USE - 1;

	if (!is_hex(line, hex) || line[hex] != ' ' || !is_hex(line + hex + 1, hex))
		return;
	if (strncmp(line, remote, hex) != 0) {
		buf_addf(&k->others, "%.*s\n", (int)strcspn(line, "\n"), line);
		return;
	}
	snprintf(k->use, sizeof(k->use), "%s", line + hex + 1);
	line += 2 * hex + 1;
	if (line[0] == ' ' && is_hex(line + 1, hex))
		snprintf(k->next, sizeof(k->next), "%s", line + 1);
}

static int read_known(const struct mark_of *m, struct known *k)
{
	char remote[REMOTE_HEX];
	int rc;

	*k = (struct known){.others = BUF_INIT, .all = BUF_INIT};
	rc = read_file_at(m->lakefd, KNOWN, &k->all);
	name_remote(m, remote);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	for (const char *line = buf_str(&k->all); *line; line += strcspn(line, "\n"), line += *line == '\n')
		take_line(line, remote, k);
	return buf_error(&k->all) ? buf_error(&k->all) : buf_error(&k->others);
}

/* Durably so. */
static int write_known(const struct mark_of *m, const struct known *k)
{
	_cleanup_close_ int dir = openat(m->lakefd, "catalog", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	_cleanup_buf_ struct buf text = BUF_INIT;
	char remote[REMOTE_HEX];
	int rc;

	name_remote(m, remote);
	buf_addf(&text, "%s%s %s %s\n", buf_str(&k->others), remote, k->use[0] ? k->use : k->next,
		 k->next[0] ? k->next : "-");
	rc = buf_error(&text);
	if (rc || dir < 0)
		return rc ? rc : -errno;
	fd = openat(dir, "remotes.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd < 0 ? -errno : write_full_at(fd, text.data, text.len, 0);
	if (!rc && (fsync(fd) < 0 || renameat(dir, "remotes.new", dir, "remotes") < 0 || fsync(dir) < 0))
		rc = -errno;
	return rc;
}

static void new_use(char use[MARK_USE])
{
	_cleanup_buf_ struct buf hex = BUF_INIT;
	uint8_t random[(MARK_USE - 1) / 2];

	clock_source.random(random, sizeof(random));
	buf_add_hex(&hex, random, sizeof(random));
	snprintf(use, MARK_USE, "%s", buf_str(&hex));
}

/* ---- the mark ---- */

struct mark {
	char use[MARK_USE]; /* "": it is no mark */
	char lake[17], host[65], since[33];
};

static int take_bytes(void *arg, const void *bytes, size_t len)
{
	struct buf *b = arg;

	if (b->len + len > MARK_BYTES)
		return -EFBIG;
	buf_add(b, bytes, len);
	return buf_error(b);
}

/* The value of KEY, what could be shown; "" when it is not there. */
static void find_value(const char *text, const char *key, char *to, size_t room)
{
	size_t len = strlen(key);

	to[0] = '\0';
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		snprintf(to, room, "%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
		for (char *p = to; *p; p++)
			if (*p < 0x20 || *p > 0x7e)
				*p = '?';
		return;
	}
}

static void mark_key(const struct mark_of *m, struct buf *key)
{
	tier_key_of_own(key, tier_prefix(m->tier), "lake", "");
	if (!buf_error(key))
		key->data[--key->len] = '\0'; /* the slash */
}

/* -ENOENT: there is none. */
static int get_mark(const struct mark_of *m, struct mark *out)
{
	_cleanup_buf_ struct buf key = BUF_INIT, text = BUF_INIT;
	struct tier_get get = {.length = TIER_TO_END, .sink = take_bytes, .arg = &text};
	int rc;

	*out = (struct mark){.use = ""};
	mark_key(m, &key);
	get.key = buf_str(&key);
	rc = buf_error(&key) ? buf_error(&key) : tier_get(m->tier, &get, m->call, NULL);
	if (rc || strncmp(buf_str(&text), FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return rc == -EFBIG ? 0 : rc;
	find_value(buf_str(&text), "use", out->use, sizeof(out->use));
	find_value(buf_str(&text), "lake", out->lake, sizeof(out->lake));
	find_value(buf_str(&text), "host", out->host, sizeof(out->host));
	find_value(buf_str(&text), "since", out->since, sizeof(out->since));
	return 0;
}

static ssize_t read_text(void *arg, void *to, size_t len, uint64_t at)
{
	const struct buf *b = arg;
	size_t n = at < b->len ? b->len - at : 0;

	n = n < len ? n : len;
	memcpy(to, b->data + at, n);
	return (ssize_t)n;
}

static int put_mark(const struct mark_of *m, const char *use, bool first)
{
	_cleanup_buf_ struct buf key = BUF_INIT, text = BUF_INIT;
	char host[65] = "";
	struct tier_put put;

	gethostname(host, sizeof(host) - 1);
	buf_addf(&text, FIRST_LINE "lake %016" PRIx64 "\nuse %s\nhost %s\nsince ", m->lake, use, host);
	buf_add_time(&text, clock_wall());
	buf_addc(&text, '\n');
	mark_key(m, &key);
	if (buf_error(&text) || buf_error(&key))
		return -ENOMEM;
	put = (struct tier_put){.key = buf_str(&key),
				.source = {.size = text.len, .read = read_text, .arg = &text},
				.facts = {.known = TIER_KNOWS_SIZE, .size = text.len},
				.if_none_match = first};
	return tier_put(m->tier, &put, m->call, NULL);
}

static void tell(const struct mark *mark, struct buf *who)
{
	if (!who)
		return;
	if (!mark->use[0])
		buf_adds(who, "somebody whose mark cannot be read");
	else
		buf_addf(who, "lake %s of %s, since %s", mark->lake, mark->host, mark->since);
}

/* ---- using it ---- */

/* It says NEXT from now on, and this lake knows that. */
static int write_use(const struct mark_of *m, struct known *k, bool first, char use[MARK_USE])
{
	int rc;

	new_use(k->next);
	rc = write_known(m, k);
	if (!rc)
		rc = put_mark(m, k->next, first);
	if (rc)
		return rc;
	memcpy(k->use, k->next, sizeof(k->use));
	k->next[0] = '\0';
	memcpy(use, k->use, sizeof(k->use));
	return write_known(m, k);
}

/* Wherever it was written: a remote may be reached by another URL now, as a folder that was moved. */
static bool is_ours(const struct known *k, const struct mark *mark)
{
	return strlen(mark->use) == MARK_USE - 1 && is_hex(mark->use, MARK_USE - 1) &&
	       strstr(buf_str(&k->all), mark->use);
}

static int begin(const struct mark_of *m, bool any, char use[MARK_USE], struct buf *who)
{
	_cleanup_(forget_known) struct known k;
	struct mark mark;
	int rc = read_known(m, &k), found;

	if (rc)
		return rc;
	found = get_mark(m, &mark);
	if (found && found != -ENOENT)
		return found;
	if (!found && !is_ours(&k, &mark)) {
		tell(&mark, who);
		if (!any)
			return -EBUSY;
		k.use[0] = '\0';
	} else if (!found) {
		memcpy(k.use, mark.use, sizeof(k.use));
	}
	rc = write_use(m, &k, found == -ENOENT, use);
	if (rc != -EEXIST)
		return rc;
	rc = get_mark(m, &mark);
	if (!rc)
		tell(&mark, who);
	return rc ? rc : -EBUSY;
}

int mark_begin(const struct mark_of *m, char use[MARK_USE], struct buf *who)
{
	return begin(m, false, use, who);
}

int mark_take(const struct mark_of *m, char use[MARK_USE], struct buf *who)
{
	return begin(m, true, use, who);
}

int mark_check(const struct mark_of *m, const char *use, struct buf *who)
{
	struct mark mark;
	int rc = get_mark(m, &mark);

	if (rc || !strcmp(mark.use, use))
		return rc;
	tell(&mark, who);
	return -EBUSY;
}

int mark_look(const struct mark_of *m, struct buf *who)
{
	_cleanup_(forget_known) struct known k;
	struct mark mark;
	int rc = read_known(m, &k);

	if (!rc)
		rc = get_mark(m, &mark);
	if (rc || is_ours(&k, &mark))
		return rc;
	tell(&mark, who);
	return -EBUSY;
}
