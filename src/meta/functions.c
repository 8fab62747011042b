#include "meta/functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "base/xattr_blob.h"
#include "meta/store.h"

#define PACK_FROM 200 /* bytes: shorter text gains nothing */
#define PACK_LEVEL 3

enum { TEXT_PLAIN, TEXT_ZSTD };

/* ---- packed texts ---- */

static void add_plain(struct buf *to, const char *text, size_t len)
{
	buf_addc(to, TEXT_PLAIN);
	buf_add(to, text, len);
}

void text_pack(struct buf *to, const char *text, size_t len)
{
	size_t room = ZSTD_compressBound(len), size;
	_cleanup_free_ char *frame = len < PACK_FROM ? NULL : malloc(room);

	size = frame ? ZSTD_compress(frame, room, text, len, PACK_LEVEL) : len;
	if (!frame || ZSTD_isError(size) || size >= len) {
		add_plain(to, text, len);
		return;
	}
	buf_addc(to, TEXT_ZSTD);
	buf_add(to, frame, size);
}

static int unpack_frame(struct buf *to, const char *frame, size_t len)
{
	unsigned long long size = ZSTD_getFrameContentSize(frame, len);
	_cleanup_free_ char *text = NULL;
	size_t got;

	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > TEXT_PACK_MAX)
		return -EBADMSG;
	text = malloc((size_t)size + 1);
	if (!text)
		return -ENOMEM;
	got = ZSTD_decompress(text, (size_t)size, frame, len);
	if (ZSTD_isError(got))
		return -EBADMSG;
	buf_add(to, text, got);
	return buf_error(to);
}

int text_unpack(struct buf *to, const void *packed, size_t len)
{
	const char *bytes = packed;

	if (!len || (bytes[0] != TEXT_PLAIN && bytes[0] != TEXT_ZSTD))
		return -EBADMSG;
	if (bytes[0] == TEXT_ZSTD)
		return unpack_frame(to, bytes + 1, len - 1);
	buf_add(to, bytes + 1, len - 1);
	return buf_error(to);
}

static void sql_text_of(sqlite3_context *c, int argc, sqlite3_value **argv)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const void *packed = sqlite3_value_blob(argv[0]);
	int rc;

	(void)argc;
	if (!packed)
		return;
	rc = text_unpack(&text, packed, (size_t)sqlite3_value_bytes(argv[0]));
	if (rc == -ENOMEM)
		sqlite3_result_error_nomem(c);
	else if (!rc)
		sqlite3_result_text64(c, buf_str(&text), text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* ---- tags ---- */

static bool find_xattr(sqlite3_value *encoded, const char *name, struct xattr *x)
{
	const char *at = sqlite3_value_blob(encoded), *end = at + sqlite3_value_bytes(encoded);

	while (at && xattrs_next(&at, end, x))
		if (!strcmp(x->name, name))
			return true;
	return false;
}

/* LEAST: the lowest byte that it may have. */
static bool is_text(const char *s, size_t len, char least)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_length(s + at, len - at);
		if (!n || (unsigned char)s[at] < (unsigned char)least)
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/* One between two commas; blanks around it are not its own. */
static void add_tag(struct buf *list, const char *tag, size_t len, int *n)
{
	while (len && is_blank(tag[0])) {
		tag++;
		len--;
	}
	while (len && is_blank(tag[len - 1]))
		len--;
	if (!len || len > TAG_BYTES || *n == TAGS_MOST || !is_text(tag, len, ' '))
		return;
	if ((*n)++)
		buf_addc(list, ',');
	buf_add_json(list, tag, len);
}

static void sql_tags(sqlite3_context *c, int argc, sqlite3_value **argv)
{
	_cleanup_buf_ struct buf list = BUF_INIT;
	struct xattr x;
	int n = 0;

	(void)argc;
	buf_addc(&list, '[');
	if (find_xattr(argv[0], XATTR_TAGS, &x)) {
		const char *at = x.value, *end = at + x.size, *comma;

		for (; at < end; at = comma + 1) {
			comma = memchr(at, ',', (size_t)(end - at));
			comma = comma ? comma : end;
			add_tag(&list, at, (size_t)(comma - at), &n);
		}
	}
	buf_addc(&list, ']');
	if (buf_error(&list))
		sqlite3_result_error_nomem(c);
	else
		sqlite3_result_text64(c, list.data, list.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void sql_comment(sqlite3_context *c, int argc, sqlite3_value **argv)
{
	struct xattr x;

	(void)argc;
	if (find_xattr(argv[0], XATTR_COMMENT, &x) && is_text(x.value, strnlen(x.value, x.size), 1))
		sqlite3_result_text64(c, x.value, strnlen(x.value, x.size), SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* ---- ranks ---- */

#define PHRASES 32
#define HITS 500 /* of a row that are looked at */
#define HALF 10.0

static void rank_row(const Fts5ExtensionApi *api, Fts5Context *row, sqlite3_context *c, int argc, sqlite3_value **argv)
{
	/* name, columns, tags, comment, text, type */
	static const double weights[] = {10, 5, 8, 4, 1, 0};
	double sums[PHRASES] = {0}, rank = 0;
	int n = 0, rc = api->xInstCount(row, &n);

	(void)argc;
	(void)argv;
	for (int i = 0; rc == SQLITE_OK && i < n && i < HITS; i++) {
		int phrase, column, at;

		rc = api->xInst(row, i, &phrase, &column, &at);
		if (rc == SQLITE_OK && phrase < PHRASES && column < (int)(sizeof(weights) / sizeof(weights[0])))
			sums[phrase] += weights[column];
	}
	for (int i = 0; i < PHRASES; i++)
		rank -= sums[i] / (sums[i] + HALF);
	if (rc == SQLITE_OK)
		sqlite3_result_double(c, rank);
	else
		sqlite3_result_error_code(c, rc);
}

/* How FTS5 is asked for its interface: see "Extending FTS5" in SQLite's manual. */
static int add_rank(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	fts5_api *api = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT fts5(?)", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
		sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_OK || !api)
		return rc != SQLITE_OK ? rc : SQLITE_ERROR;
	return api->xCreateFunction(api, "tarn_rank", NULL, rank_row, NULL);
}

int functions_add(sqlite3 *db)
{
	static const struct {
		const char *name;
		void (*fn)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {{"tarn_text", sql_text_of}, {"tarn_tags", sql_tags}, {"tarn_comment", sql_comment}};
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < sizeof(functions) / sizeof(functions[0]); i++)
		rc = sqlite3_create_function_v2(db, functions[i].name, 1,
						SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
						functions[i].fn, NULL, NULL, NULL);
	return rc == SQLITE_OK ? add_rank(db) : rc;
}
