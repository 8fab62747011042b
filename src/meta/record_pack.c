/*
 * Records as bytes that leave the process: see record.h and meta/changes.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "meta/record.h"

enum { PACKED_NAMED = 1, PACKED_LOGGED = 2 };

static void add_number(struct buf *to, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (char)(value | 0x80);
	bytes[n++] = (char)value;
	buf_add(to, bytes, n);
}

static void add_signed(struct buf *to, int64_t value)
{
	add_number(to, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void add_string(struct buf *to, const char *s, size_t len)
{
	add_number(to, s ? len + 2 : 0);
	if (s)
		buf_add(to, s, len + 1);
}

/* A run, as record_run() puts it, without its command line. */
static void add_run(struct buf *to, struct record_reader in)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	uint32_t size;
	char row = ROW_RUN;

	add_number(&body, record_get(&in));
	for (int i = 0; i < 8; i++) {
		size_t len;

		if (i == 1) {
			add_signed(&body, record_get_signed(&in)); /* tgid */
		} else if (i == 2 || i == 3) {
			add_number(&body, record_get(&in)); /* start, uid */
		} else {
			const char *s = record_get_string(&in, &len); /* boot; exe, argv, cwd, cgroup */

			add_string(&body, i == 5 ? NULL : s, i == 5 ? 0 : len);
		}
	}
	add_number(&body, record_get(&in));	   /* parent */
	add_signed(&body, record_get_signed(&in)); /* began */
	add_string(&body, NULL, 0);		   /* name: it is from its environment */
	size = (uint32_t)body.len;
	buf_add(to, &row, 1);
	buf_add(to, &size, sizeof(size));
	buf_add(to, buf_str(&body), body.len);
}

static void add_rows(const struct record *r, bool full, struct buf *to, bool *forgets)
{
	struct record_reader in = {r->bytes, r->bytes + r->len}, body;
	const uint8_t *from = in.at;
	enum row row;
	size_t len;

	if (r->named)
		record_get_string(&in, &len);
	while (record_next(&in, &row, &body)) {
		*forgets |= row == ROW_VERSION_FORGET || row == ROW_NODE_FORGET;
		if (full || (row != ROW_RUN && row != ROW_DESCRIBED_TEXT && row != ROW_QUALITY))
			continue;
		buf_add(to, from, (size_t)(body.at - 5 - from));
		if (row == ROW_RUN)
			add_run(to, body);
		from = in.at;
	}
	buf_add(to, from, (size_t)(in.at - from));
}

void record_pack(const struct record *r, bool full, struct buf *to, bool *forgets)
{
	_cleanup_buf_ struct buf rows = BUF_INIT;

	add_rows(r, full, &rows, forgets);
	add_number(to, r->commit);
	add_signed(to, r->time);
	add_number(to, r->op);
	add_number(to, (r->named ? PACKED_NAMED : 0) | (r->logged ? PACKED_LOGGED : 0));
	add_number(to, r->run);
	add_number(to, r->node);
	add_number(to, r->parent);
	add_number(to, r->uid);
	add_number(to, rows.len);
	buf_add(to, buf_str(&rows), rows.len);
	if (buf_error(&rows))
		to->error = buf_error(&rows);
}

/* Does what it is made of fill it? What a damaged file says must not lead out of it. */
static bool is_whole(const struct record *r)
{
	struct record_reader in = {r->bytes, r->bytes + r->len}, body;
	enum row row;
	size_t len;

	if (r->named && !record_get_string(&in, &len))
		return false;
	while (record_next(&in, &row, &body))
		;
	return in.at == in.end;
}

int record_unpack(struct record_reader *in, struct record **out)
{
	uint64_t commit, flags, len;
	struct record *r;

	if (in->at >= in->end)
		return 0;
	commit = record_get(in);
	r = record_new(OP_SYSTEM, 0, 0, 0, 0, NULL);
	if (!r)
		return -ENOMEM;
	r->commit = commit;
	r->time = record_get_signed(in);
	r->op = (enum change_op)record_get(in);
	flags = record_get(in);
	r->named = flags & PACKED_NAMED;
	r->logged = flags & PACKED_LOGGED;
	r->run = record_get(in);
	r->node = record_get(in);
	r->parent = record_get(in);
	r->uid = (uid_t)record_get(in);
	len = record_get(in);
	if (len > (size_t)(in->end - in->at)) {
		record_free(r);
		return -EBADMSG;
	}
	if (len > r->room) {
		r->bytes = malloc(len);
		r->room = len;
	}
	if (!r->bytes) {
		free(r);
		return -ENOMEM;
	}
	memcpy(r->bytes, in->at, len);
	r->len = len;
	in->at += len;
	if (!is_whole(r)) {
		record_free(r);
		return -EBADMSG;
	}
	*out = r;
	return 1;
}
