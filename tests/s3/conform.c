// SPDX-License-Identifier: GPL-3.0-or-later
/* The conformance test of tier/: its frame. conform.h says what it is; the cases are in conform_*.c. */
#include "conform.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

struct conform the;
long conform_skew;
static char folder[256]; /* that takes the place of a lake */
static int cases_run;	 /* also the number that keys of the case begin with */

/* libcurl and libs3 take the time that they sign from here: an executable's own function comes before the library's. */
time_t time(time_t *out)
{
	struct timespec now;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = now.tv_sec + conform_skew;
	if (out)
		*out = t;
	return t;
}

static int64_t (*real_wall)(void);
static int64_t skewed_wall(void)
{
	return real_wall() + conform_skew * NSEC_PER_SEC;
}

bool conform_unlike(const char *file, int line, const char *what, int64_t got, int64_t wanted)
{
	diag("%s:%d: %s", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, what);
	diag("got %lld%s%s, wanted %lld%s%s", (long long)got, got < 0 ? " " : "", got < 0 ? strerror((int)-got) : "",
	     (long long)wanted, wanted < 0 ? " " : "", wanted < 0 ? strerror((int)-wanted) : "");
	return false;
}

/* ---- bytes ---- */

static uint64_t mixed(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void bytes_fill(void *bytes, size_t len, uint64_t offset, uint64_t seed)
{
	uint8_t *p = bytes;

	while (len) {
		uint64_t word = mixed(seed * 0x10001 + offset / 8);
		size_t at = offset % 8, n = 8 - at < len ? 8 - at : len;

		memcpy(p, (uint8_t *)&word + at, n);
		p += n;
		offset += n;
		len -= n;
	}
}

void bytes_sha256(uint64_t size, uint64_t seed, uint8_t out[32])
{
	uint8_t piece[1 << 14];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (uint64_t at = 0; at < size; at += sizeof(piece)) {
		size_t n = size - at < sizeof(piece) ? size - at : sizeof(piece);

		bytes_fill(piece, n, at, seed);
		EVP_DigestUpdate(ctx, piece, n);
	}
	EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
}

static ssize_t read_source(void *arg, void *bytes, size_t len, uint64_t offset)
{
	const struct conform_source *s = arg;
	uint64_t size = s->end_at ? s->end_at : s->size;

	if (s->fail_at && offset + len > s->fail_at)
		return -EIO;
	if (offset >= size)
		return 0;
	if (len > size - offset)
		len = size - offset;
	bytes_fill(bytes, len, offset, s->seed);
	return (ssize_t)len;
}

struct tier_source conform_source(struct conform_source *s)
{
	return (struct tier_source){s->size, read_source, s};
}

int conform_sink(void *arg, const void *bytes, size_t len)
{
	struct conform_sink *s = arg;
	const uint8_t *p = bytes;
	uint8_t wanted[4096];

	for (size_t done = 0; done < len;) {
		size_t n = len - done < sizeof(wanted) ? len - done : sizeof(wanted);

		bytes_fill(wanted, n, s->offset + s->got, s->seed);
		s->other |= memcmp(wanted, p + done, n) != 0;
		s->got += n;
		done += n;
	}
	return s->end_after && s->got >= s->end_after ? -EPIPE : 0;
}

/* ---- objects ---- */

const char *key_of(const char *name)
{
	static char keys[4][2 * TIER_KEY_MAX];
	static int next;
	char *key = keys[next++ % 4];

	snprintf(key, sizeof(keys[0]), "%s%s%03d/%s", tier_prefix(the.t), tier_prefix(the.t)[0] ? "/" : "", cases_run,
		 name);
	return key;
}

int put_to(struct tier *t, const char *key, uint64_t size, uint64_t seed)
{
	struct conform_source s = {.size = size, .seed = seed};
	struct tier_put p = {.key = key, .source = conform_source(&s)};

	p.facts.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE | TIER_KNOWS_VERSION;
	p.facts.size = size;
	p.facts.lake = 1;
	p.facts.node = 2;
	p.facts.version = seed;
	bytes_sha256(size, seed, p.facts.sha256);
	p.sha256 = p.facts.sha256;
	return tier_put(t, &p, NULL, NULL);
}

int get_from(struct tier *t, const char *key, uint64_t size, uint64_t seed, const struct tier_call *call)
{
	struct conform_sink sink = {.seed = seed};
	struct tier_get g = {.key = key, .length = TIER_TO_END, .sink = conform_sink, .arg = &sink};
	int r = tier_get(t, &g, call, NULL);

	if (r < 0)
		return r;
	return sink.got == size && !sink.other ? 0 : -EBADMSG;
}

int head_of(struct tier *t, const char *key, struct tier_head *head)
{
	struct tier_head own;

	return tier_head(t, key, NULL, head ? head : &own);
}

int remove_at(struct tier *t, const char *key)
{
	return tier_remove(t, &key, 1, NULL, NULL);
}

struct collecting {
	struct buf *out;
	int n;
};

static int collect(void *arg, const struct tier_entry *entries, int n)
{
	struct collecting *c = arg;

	for (int i = 0; i < n; i++)
		buf_addf(c->out, " %s", entries[i].key);
	c->n += n;
	return 0;
}

int keys_below(struct tier *t, const char *prefix, struct buf *out)
{
	struct collecting c = {.out = out};
	struct tier_list l = {.prefix = prefix, .page = collect, .arg = &c};
	int r = tier_list(t, &l, NULL);

	return r < 0 ? r : c.n;
}

/* ---- remotes ---- */

int open_remote(const char *text, struct tier **out, struct buf *why)
{
	char path[300];
	struct settings *settings = NULL;
	struct findings findings = {0};
	FILE *file;
	int r;

	snprintf(path, sizeof(path), "%s/config/settings.yaml", folder);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fprintf(file, "%s\n", text);
	fclose(file);
	r = settings_load(folder, NULL, &settings, &findings);
	for (int i = 0; i < findings.n; i++)
		diag("%s", findings.list[i].text);
	findings_release(&findings);
	if (r == 0)
		r = tier_open(settings, NULL, folder, out, why);
	settings_unref(settings);
	return r;
}

int open_changed(const char *settings, const char *what, const char *text, struct tier **out)
{
	_cleanup_buf_ struct buf changed = BUF_INIT, why = BUF_INIT;
	const char *at = strstr(settings, what);

	if (!at)
		return -EINVAL;
	buf_addf(&changed, "%.*s%s%s", (int)(at - settings), settings, text, at + strlen(what));
	return open_remote(buf_str(&changed), out, &why);
}

/* ---- the proxy ---- */

/* Asks it with one request, whose answer is read into TEXT. */
static void ask_proxy(const char *method, const char *body, char *text, size_t room)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t got = 0;
	ssize_t n;

	at.sin_port = htons((uint16_t)atoi(getenv("S3_PROXY")));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("the proxy");
		exit(1);
	}
	dprintf(fd, "%s /-/rules HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", method, strlen(body), body);
	shutdown(fd, SHUT_WR);
	while (got + 1 < room && (n = read(fd, text + got, room - got - 1)) > 0)
		got += (size_t)n;
	text[got] = '\0';
}

void proxy_rules(const char *json)
{
	char text[4096];

	ask_proxy("PUT", json, text, sizeof(text));
}

int proxy_requests(void)
{
	static char text[1 << 16];
	const char *at;

	ask_proxy("GET", "", text, sizeof(text));
	at = strstr(text, "\"requests\": ");
	return at ? atoi(at + strlen("\"requests\": ")) : -1;
}

/* ---- all of it ---- */

static const char *only; /* the program's argument: cases with this in their names, and what tier/ has to say of them */

static void run_table(const struct conform_case *c)
{
	for (; c->name; c++) {
		int64_t begun = clock_monotonic();
		bool good;

		if (!(c->engines & the.engine) || (only && !strstr(c->name, only)))
			continue;
		cases_run++;
		good = c->run(c);
		ok(good, "%s", c->name);
		begun = clock_monotonic() - begun;
		if (begun > 3 * NSEC_PER_SEC)
			diag("took %.1f s", (double)begun / 1e9);
	}
}

static unsigned engine_of(const char *name)
{
	if (strcmp(name, "dir") == 0)
		return DIR_;
	return strcmp(name, "libs3") == 0 ? LIBS3_ : CURL_;
}

int main(int argc, char **argv)
{
	const char *settings = getenv("CONFORM_SETTINGS"), *faulty = getenv("CONFORM_FAULTY");
	_cleanup_buf_ struct buf why = BUF_INIT;
	char command[300];

	if (!settings)
		return skip_all("no CONFORM_SETTINGS: tests/s3/conform-*.sh set them");
	snprintf(folder, sizeof(folder), "%s/lake-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), "%s/%s", folder, i ? "catalog" : "config");
		mkdir(command, 0700);
	}
	only = argc > 1 ? argv[1] : NULL;
	log_set_level(only ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR);
	real_wall = clock_source.wall;
	clock_source.wall = skewed_wall;
	if (!is_int(open_remote(settings, &the.t, &why), 0, "the remote is opened") ||
	    (faulty && !is_int(open_remote(faulty, &the.faulty, &why), 0, "and through the proxy"))) {
		diag("%s", buf_str(&why));
		return done();
	}
	the.engine = engine_of(tier_engine(the.t));
	run_table(conform_keys);
	run_table(conform_bytes);
	run_table(conform_lists);
	if (the.faulty) {
		run_table(conform_access);
		run_table(conform_faults);
	}
	tier_unref(the.t);
	tier_unref(the.faulty);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? done() : 1;
}
