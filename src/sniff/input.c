#include "sniff/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "base/utf8.h"

#define PIECE (256 * 1024)
#define NAME_ROOM 256
#define WINDOW_LOG 27 /* zstd's: 128 MiB, what the zstd program takes without being asked */
#define GZIP_WINDOW (15 + 16)

enum packing { PLAIN, GZIP, ZSTD };
enum charset { BYTES, UTF8, LATIN1, UTF16LE, UTF16BE };

struct input {
	int fd;
	uint64_t size;
	enum packing packing;
	enum charset charset;
	char name[NAME_ROOM]; /* of what is in it */
	char *raw_head, *head;
	size_t raw_head_len, head_len;
	bool head_is_all;

	char *piece; /* of the file */
	size_t piece_len, piece_at;
	uint64_t at; /* of the file: behind the piece */
	z_stream z;
	bool z_open, ended;
	ZSTD_DCtx *zstd;
	uint64_t unpacked;
	const char *error;

	char pending[4096]; /* unpacked, not converted yet: a character may be cut in two */
	size_t npending;
	bool began; /* a byte order mark was looked for */

	struct checks *checks;
};

/* ---- the file, and what is unpacked of it ---- */

static int fill(struct input *in)
{
	ssize_t n;

	if (in->piece_at < in->piece_len)
		return 0;
	n = read_full_at(in->fd, in->piece, PIECE, in->at);
	if (n < 0)
		return (int)n;
	in->at += (uint64_t)n;
	in->piece_len = (size_t)n;
	in->piece_at = 0;
	return 0;
}

static ssize_t read_plain(struct input *in, char *to, size_t len)
{
	size_t n = in->piece_len - in->piece_at;

	if (n > len)
		n = len;
	memcpy(to, in->piece + in->piece_at, n);
	in->piece_at += n;
	return (ssize_t)n;
}

/* A gzip file may be several, one behind the other. */
static ssize_t read_gzip(struct input *in, char *to, size_t len)
{
	int rc;

	in->z.next_in = (Bytef *)in->piece + in->piece_at;
	in->z.avail_in = (uInt)(in->piece_len - in->piece_at);
	in->z.next_out = (Bytef *)to;
	in->z.avail_out = (uInt)len;
	rc = inflate(&in->z, Z_NO_FLUSH);
	in->piece_at = in->piece_len - in->z.avail_in;
	if (rc == Z_STREAM_END)
		inflateReset(&in->z);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	return (ssize_t)(len - in->z.avail_out);
}

static ssize_t read_zstd(struct input *in, char *to, size_t len)
{
	ZSTD_inBuffer from = {in->piece, in->piece_len, in->piece_at};
	ZSTD_outBuffer out = {to, len, 0};
	size_t rc = ZSTD_decompressStream(in->zstd, &out, &from);

	in->piece_at = from.pos;
	return ZSTD_isError(rc) ? -EBADMSG : (ssize_t)out.pos;
}

static ssize_t fail(struct input *in, const char *why)
{
	in->error = why;
	in->ended = true;
	return 0;
}

static ssize_t unpack(struct input *in, char *to, size_t len)
{
	ssize_t n = 0;

	while (!n && !in->ended) {
		int rc = fill(in);
		bool last = in->piece_at == in->piece_len;

		if (rc)
			return rc;
		if (in->unpacked >= INPUT_MAX)
			return fail(in, "it unpacks to more than 4 GiB");
		n = in->packing == GZIP	  ? read_gzip(in, to, len)
		    : in->packing == ZSTD ? read_zstd(in, to, len)
					  : read_plain(in, to, len);
		if (n == -EBADMSG)
			return fail(in, "its compressed data are damaged");
		if (!n && last) {
			in->ended = true;
			if (in->packing == GZIP && in->z.total_in)
				return fail(in, "its compressed data end in the middle");
		}
	}
	if (n > 0)
		in->unpacked += (uint64_t)n;
	return n;
}

/* ---- characters ---- */

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t unit_at(const struct input *in, const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return in->charset == UTF16LE ? (uint32_t)(u[0] | u[1] << 8) : (uint32_t)(u[1] | u[0] << 8);
}

/* The bytes of the character at P, of which LEFT are there, in *C; 0: they are not all there. */
static size_t character_at(const struct input *in, const char *p, size_t left, bool last, uint32_t *c)
{
	if (in->charset == LATIN1) {
		*c = (unsigned char)*p;
		return 1;
	}
	*c = 0xfffd;
	if (left < 2)
		return last ? left : 0;
	*c = unit_at(in, p);
	if (*c < 0xd800 || *c > 0xdfff)
		return 2;
	if (left < 4 && !last)
		return 0;
	if (left < 4 || *c > 0xdbff || (unit_at(in, p + 2) & 0xfc00) != 0xdc00) {
		*c = 0xfffd;
		return 2;
	}
	*c = 0x10000 + ((*c & 0x3ff) << 10) + (unit_at(in, p + 2) & 0x3ff);
	return 4;
}

static size_t mark_length(const struct input *in, const char *p, size_t len)
{
	if (in->charset == UTF8)
		return len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;
	return in->charset >= UTF16LE && len >= 2 && unit_at(in, p) == 0xfeff ? 2 : 0;
}

/* A character takes at most twice its bytes in UTF-8: so many are taken as surely fit. */
static ssize_t convert(struct input *in, char *to, size_t len)
{
	size_t done = 0, at = 0;
	size_t room = sizeof(in->pending) - in->npending < len / 4 ? sizeof(in->pending) - in->npending : len / 4;
	ssize_t n = unpack(in, in->pending + in->npending, room);

	if (n < 0)
		return n;
	in->npending += (size_t)n;
	while (at < in->npending && done + 4 <= len) {
		uint32_t c;
		size_t bytes = character_at(in, in->pending + at, in->npending - at, !n, &c);

		if (!bytes)
			break;
		at += bytes;
		if (c != 0xfeff || in->began)
			done += put_utf8(to + done, c);
		in->began = true;
	}
	in->npending -= at;
	memmove(in->pending, in->pending + at, in->npending);
	return (ssize_t)done;
}

ssize_t input_read(struct input *in, void *to, size_t len)
{
	ssize_t n;

	if (in->charset > UTF8) {
		do {
			n = convert(in, to, len);
		} while (!n && (!in->ended || in->npending));
		return n;
	}
	n = unpack(in, to, len);
	if (n > 0 && !in->began) {
		size_t mark = mark_length(in, to, (size_t)n);

		in->began = true;
		if (mark) {
			n -= (ssize_t)mark;
			memmove(to, (char *)to + mark, (size_t)n);
			return n ? n : input_read(in, to, len);
		}
	}
	return n;
}

int input_rewind(struct input *in)
{
	in->at = in->unpacked = 0;
	in->piece_len = in->piece_at = in->npending = 0;
	in->ended = in->began = false;
	in->error = NULL;
	if (in->zstd)
		ZSTD_DCtx_reset(in->zstd, ZSTD_reset_session_only);
	return in->z_open && inflateReset(&in->z) != Z_OK ? -EIO : 0;
}

/* ---- what it is ---- */

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcasecmp(name + len - n, end);
}

static void cut_end(struct input *in, const char *end)
{
	if (ends_with(in->name, end))
		in->name[strlen(in->name) - strlen(end)] = '\0';
}

static int find_packing(struct input *in)
{
	const char *p = in->raw_head;

	if (in->raw_head_len >= 3 && !memcmp(p, "\x1f\x8b\x08", 3)) {
		if (inflateInit2(&in->z, GZIP_WINDOW) != Z_OK)
			return -ENOMEM;
		in->z_open = true;
		in->packing = GZIP;
		cut_end(in, ".gz");
	} else if (in->raw_head_len >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4)) {
		in->zstd = ZSTD_createDCtx();
		if (!in->zstd)
			return -ENOMEM;
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
		in->packing = ZSTD;
		cut_end(in, ".zst");
	}
	return 0;
}

static bool is_utf8(const char *p, size_t len, bool whole)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_length(p + i, len - i);
		if (!n)
			return !whole && len - i < 4;
	}
	return true;
}

/* Bytes of ISO-8859-1: no controls but white space. */
static bool is_latin1(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && (c < '\b' || c > '\r') && c != 0x1b) || c == 0x7f)
			return false;
	}
	return true;
}

static enum charset charset_of(const char *p, size_t len, bool whole)
{
	if (len >= 2 && !memcmp(p, "\xff\xfe", 2))
		return UTF16LE;
	if (len >= 2 && !memcmp(p, "\xfe\xff", 2))
		return UTF16BE;
	if (is_utf8(p, len, whole))
		return memchr(p, '\0', len) ? BYTES : UTF8;
	return is_latin1(p, len) ? LATIN1 : BYTES;
}

static int read_head(struct input *in)
{
	ssize_t n = 1;

	in->head_len = 0;
	while (n > 0 && in->head_len + 16 <= INPUT_HEAD) {
		n = input_read(in, in->head + in->head_len, INPUT_HEAD - in->head_len);
		if (n > 0)
			in->head_len += (size_t)n;
	}
	in->head[in->head_len] = '\0';
	in->head_is_all = !n;
	return n < 0 ? (int)n : input_rewind(in);
}

static int open_all(struct input *in, const char *name)
{
	struct stat st;
	ssize_t n;
	int rc;

	if (fstat(in->fd, &st) < 0)
		return -errno;
	in->size = (uint64_t)st.st_size;
	snprintf(in->name, sizeof(in->name), "%s", name);
	in->piece = malloc(PIECE);
	in->raw_head = malloc(INPUT_HEAD + 1);
	in->head = malloc(INPUT_HEAD + 1);
	if (!in->piece || !in->raw_head || !in->head)
		return -ENOMEM;
	posix_fadvise(in->fd, 0, 0, POSIX_FADV_NORMAL); /* who hashed it has turned reading ahead off */
	n = read_full_at(in->fd, in->raw_head, INPUT_HEAD, 0);
	if (n < 0)
		return (int)n;
	in->raw_head_len = (size_t)n;
	rc = find_packing(in);
	if (!rc)
		rc = read_head(in);
	if (rc)
		return rc;
	in->charset = charset_of(in->head, in->head_len, in->head_is_all);
	return in->charset > BYTES ? read_head(in) : 0;
}

int input_open(int fd, const char *name, struct input **out)
{
	_cleanup_input_ struct input *in = calloc(1, sizeof(*in));
	int rc;

	if (!in)
		return -ENOMEM;
	in->fd = fd;
	rc = open_all(in, name);
	if (!rc)
		*out = steal_ptr(&in);
	return rc;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->z_open)
		inflateEnd(&in->z);
	ZSTD_freeDCtx(in->zstd);
	free(in->piece);
	free(in->raw_head);
	free(in->head);
	free(in);
}

int input_fd(const struct input *in)
{
	return in->fd;
}

uint64_t input_size(const struct input *in)
{
	return in->size;
}

const char *input_raw_head(const struct input *in, size_t *len)
{
	*len = in->raw_head_len;
	return in->raw_head;
}

const char *input_compression(const struct input *in)
{
	static const char *const names[] = {[PLAIN] = NULL, [GZIP] = "gzip", [ZSTD] = "zstd"};

	return names[in->packing];
}

const char *input_name(const struct input *in)
{
	return in->name;
}

const char *input_head(const struct input *in, size_t *len)
{
	*len = in->head_len;
	return in->head;
}

bool input_head_is_all(const struct input *in)
{
	return in->head_is_all;
}

const char *input_encoding(const struct input *in)
{
	static const char *const names[] = {
		[BYTES] = NULL,		[UTF8] = "UTF-8",	[LATIN1] = "ISO-8859-1",
		[UTF16LE] = "UTF-16LE", [UTF16BE] = "UTF-16BE",
	};

	return names[in->charset];
}

uint64_t input_raw_at(const struct input *in)
{
	return in->at - (in->piece_len - in->piece_at);
}

void input_set_checks(struct input *in, struct checks *c)
{
	in->checks = c;
}

struct checks *input_checks(const struct input *in)
{
	return in->checks;
}

const char *input_error(const struct input *in)
{
	return in->error;
}
