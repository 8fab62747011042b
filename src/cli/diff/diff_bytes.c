#include "cli/diff/diff.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "cli/cli.h"
#include "cli/human.h"
#include "cli/progress.h"

#define PIECE (1 << 20)
#define HEAD (64 * 1024)

static size_t first_other(const char *x, const char *y, size_t n)
{
	size_t i = 0;

	while (i < n && x[i] == y[i])
		i++;
	return i;
}

off_t diff_first_difference(const struct diff_side *a, const struct diff_side *b)
{
	_cleanup_free_ char *x = malloc(PIECE), *y = malloc(PIECE);
	off_t at = 0;

	if (!x || !y)
		return -ENOMEM - 1;
	for (;;) {
		ssize_t n = read_full_at(a->fd, x, PIECE, at), m = read_full_at(b->fd, y, PIECE, at);
		size_t both = n < m ? (size_t)n : (size_t)m;

		if (n < 0 || m < 0)
			return (n < 0 ? n : m) - 1;
		if (memcmp(x, y, both))
			return at + (off_t)first_other(x, y, both);
		if (n != m)
			return at + (off_t)both;
		if (!n)
			return -1;
		at += n;
	}
}

bool diff_is_text(const struct diff_side *s)
{
	_cleanup_free_ char *head = malloc(HEAD);
	ssize_t n = head ? read_full_at(s->fd, head, HEAD, 0) : -1;

	return n >= 0 && !memchr(head, '\0', (size_t)n);
}

/* ---- the summary ---- */

struct summary {
	off_t first; /* -1 while there is none */
	uint64_t sizes[2], differing;
	EVP_MD_CTX *hashes[2];
	char hex[2][2 * EVP_MAX_MD_SIZE + 1];
};

static int add_pieces(struct summary *s, const char *x, size_t n, const char *y, size_t m)
{
	size_t both = n < m ? n : m;

	if (memcmp(x, y, both)) {
		if (s->first < 0)
			s->first = (off_t)(s->sizes[0] + first_other(x, y, both));
		for (size_t i = 0; i < both; i++)
			s->differing += x[i] != y[i];
	}
	if (n != m && s->first < 0)
		s->first = (off_t)(s->sizes[0] + both);
	s->sizes[0] += n;
	s->sizes[1] += m;
	return EVP_DigestUpdate(s->hashes[0], x, n) && EVP_DigestUpdate(s->hashes[1], y, m) ? 0 : -EIO;
}

static int read_both(const struct diff_side *a, const struct diff_side *b, struct summary *s)
{
	_cleanup_free_ char *x = malloc(PIECE), *y = malloc(PIECE);
	struct progress p;
	int rc = x && y ? 0 : -ENOMEM;

	progress_start(&p, b->path, (uint64_t)a->st.st_size + (uint64_t)b->st.st_size);
	while (!rc) {
		ssize_t n = read_full_at(a->fd, x, PIECE, (off_t)s->sizes[0]);
		ssize_t m = read_full_at(b->fd, y, PIECE, (off_t)s->sizes[1]);

		if (n < 0 || m < 0)
			rc = n < 0 ? (int)n : (int)m;
		else if (!n && !m)
			break;
		else
			rc = add_pieces(s, x, (size_t)n, y, (size_t)m);
		progress_add(&p, rc ? 0 : (uint64_t)(n + m));
	}
	progress_end(&p);
	return rc;
}

static int end_hash(struct summary *s, int i)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (!EVP_DigestFinal_ex(s->hashes[i], digest, &len))
		return -EIO;
	for (unsigned int k = 0; k < len; k++)
		snprintf(s->hex[i] + 2 * k, 3, "%02x", digest[k]);
	return 0;
}

static int summarize(const struct diff_side *a, const struct diff_side *b, struct summary *s)
{
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++) {
		s->hashes[i] = EVP_MD_CTX_new();
		rc = s->hashes[i] && EVP_DigestInit_ex(s->hashes[i], EVP_sha256(), NULL) ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = read_both(a, b, s);
	for (int i = 0; i < 2; i++) {
		if (!rc)
			rc = end_hash(s, i);
		EVP_MD_CTX_free(s->hashes[i]);
	}
	return rc;
}

static void add_facts(const struct summary *s, struct json_object *facts)
{
	static const char *const sides[] = {"before", "after"};

	json_object_object_add(facts, "kind", json_object_new_string("bytes"));
	for (int i = 0; i < 2; i++) {
		struct json_object *side = json_object_new_object();

		json_object_object_add(side, "size", json_object_new_int64((int64_t)s->sizes[i]));
		json_object_object_add(side, "sha256", json_object_new_string(s->hex[i]));
		json_object_object_add(facts, sides[i], side);
	}
	json_object_object_add(facts, "first_difference", json_object_new_int64(s->first));
	json_object_object_add(facts, "differing", json_object_new_int64((int64_t)s->differing));
}

static void print_side(const struct diff_side *side, uint64_t size, const char *hex)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	human_name(&line, side->path);
	buf_adds(&line, ": ");
	human_size(&line, size);
	printf("  %s (%llu), sha256 %s\n", buf_str(&line), (unsigned long long)size, hex);
}

static void print_summary(const struct diff_side *a, const struct diff_side *b, const struct summary *s)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_adds(&line, "files ");
	human_name(&line, a->path);
	buf_adds(&line, " and ");
	human_name(&line, b->path);
	printf("%s differ\n", buf_str(&line));
	print_side(a, s->sizes[0], s->hex[0]);
	print_side(b, s->sizes[1], s->hex[1]);
	printf("  first difference at byte %lld, %llu bytes differ", (long long)s->first,
	       (unsigned long long)s->differing);
	if (s->sizes[0] != s->sizes[1])
		printf(", and %s is %llu bytes longer", s->sizes[0] > s->sizes[1] ? "the first" : "the second",
		       (unsigned long long)(s->sizes[0] > s->sizes[1] ? s->sizes[0] - s->sizes[1]
								      : s->sizes[1] - s->sizes[0]));
	putchar('\n');
}

int diff_bytes(const struct diff_side *a, const struct diff_side *b, struct json_object *facts)
{
	struct summary s = {.first = -1};
	int rc = summarize(a, b, &s);

	if (rc) {
		say("%s, %s: %s", a->path, b->path, strerror(-rc));
		return DIFF_TROUBLE;
	}
	if (facts)
		add_facts(&s, facts);
	else if (s.first >= 0)
		print_summary(a, b, &s);
	return s.first < 0 ? DIFF_SAME : DIFF_DIFFERENT;
}
