#include "meta/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* False for a record that is NULL, too: its maker ran out of memory, and store_submit() will say so. */
static bool reserve(struct record *r, size_t more)
{
	size_t room;
	uint8_t *bytes;

	if (!r || r->error)
		return false;
	room = r->room;
	if (more <= room - r->len)
		return true;
	while (more > room - r->len)
		room *= 2;
	bytes = r->bytes == r->own ? malloc(room) : realloc(r->bytes, room);
	if (!bytes) {
		r->error = -ENOMEM;
		return false;
	}
	if (r->bytes == r->own)
		memcpy(bytes, r->own, r->len);
	r->bytes = bytes;
	r->room = room;
	return true;
}

static void put(struct record *r, uint64_t value)
{
	if (!reserve(r, 10))
		return;
	for (; value >= 0x80; value >>= 7)
		r->bytes[r->len++] = (uint8_t)(value | 0x80);
	r->bytes[r->len++] = (uint8_t)value;
}

static void put_signed(struct record *r, int64_t value)
{
	put(r, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void put_blob(struct record *r, const void *bytes, size_t len)
{
	put(r, bytes ? len + 1 : 0);
	if (!bytes || !reserve(r, len + 1))
		return;
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

/* The NUL goes with it, so that a reader can borrow the string. */
static void put_string(struct record *r, const char *s)
{
	put_blob(r, s, s ? strlen(s) + 1 : 0);
}

/* What tarn does for itself is no change, unless a name, a file's attributes or what can be read of it is another. */
static bool is_bookkeeping(enum row row)
{
	switch (row) {
	case ROW_NODE_WRITING:
	case ROW_VERSION_FACTS:
	case ROW_VERSION_FORGET:
	case ROW_NODE_FORGET:
	case ROW_VERSION_HOW:
	case ROW_PACK_SET:
	case ROW_PACK_REMOVE:
	case ROW_OBJECT_SET:
	case ROW_OBJECT_REMOVE:
	case ROW_NODE_STUB:
	case ROW_NODE_PIN:
	case ROW_CLOUD_SET:
	case ROW_CLOUD_VERIFIED:
	case ROW_CLOUD_STATE:
	case ROW_CLOUD_REMOVE:
	case ROW_CLOUD_HAND_OVER:
	case ROW_JOB_ADD:
	case ROW_JOB_DONE:
	case ROW_JOB_RETRY:
	case ROW_RUN:
	case ROW_OPENS:
	case ROW_LAKE:
	case ROW_SYNCED:
	case ROW_DURABLE:
	case ROW_FORGET_HANDLES:
		return true;
	default:
		return false;
	}
}

static size_t begin(struct record *r, enum row row)
{
	if (!reserve(r, 5))
		return 0;
	r->logged |= !is_bookkeeping(row);
	r->bytes[r->len] = (uint8_t)row;
	r->len += 5;
	return r->len;
}

static void end(struct record *r, size_t start)
{
	uint32_t len;

	if (!r || r->error)
		return;
	len = (uint32_t)(r->len - start);
	memcpy(r->bytes + start - sizeof(len), &len, sizeof(len));
}

struct record *record_new(enum change_op op, uint64_t run, uid_t uid, uint64_t node, uint64_t parent, const char *name)
{
	struct record *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct record){.op = op, .run = run, .uid = uid, .node = node, .parent = parent, .named = name};
	r->logged = op != OP_SYSTEM;
	r->bytes = r->own;
	r->room = sizeof(r->own);
	if (name)
		put_string(r, name);
	return r;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	if (r->bytes != r->own)
		free(r->bytes);
	free(r);
}

size_t record_size(const struct record *r)
{
	return sizeof(*r) + (r->bytes == r->own ? 0 : r->room);
}

/* ---- rows ---- */

static void put_handle(struct record *r, const struct fhandle *h)
{
	uint8_t blob[FHANDLE_BLOB_MAX];

	put_blob(r, h->len ? blob : NULL, h->len ? (size_t)fhandle_to_blob(h, blob) : 0);
}

static void node_row(struct record *r, enum row row, const struct node_row *n)
{
	size_t start = begin(r, row);

	put(r, n->id);
	put(r, n->kind);
	put_signed(r, n->volume);
	put_handle(r, &n->handle);
	put(r, n->mode);
	put(r, n->uid);
	put(r, n->gid);
	put(r, n->size);
	put_signed(r, n->mtime);
	put_signed(r, n->ctime);
	put(r, n->acl);
	put(r, n->writing);
	put(r, n->stub);
	put(r, n->pin);
	end(r, start);
}

void record_node_add(struct record *r, const struct node_row *n)
{
	node_row(r, ROW_NODE_ADD, n);
}

void record_node_set(struct record *r, const struct node_row *n)
{
	node_row(r, ROW_NODE_SET, n);
}

/* A row that is COUNT plain numbers. */
static void numbers(struct record *r, enum row row, const uint64_t *values, int count)
{
	size_t start = begin(r, row);

	for (int i = 0; i < count; i++)
		put(r, values[i]);
	end(r, start);
}
#define NUMBERS(r, row, ...) \
	numbers(r, row, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

void record_node_writing(struct record *r, uint64_t node, bool writing)
{
	NUMBERS(r, ROW_NODE_WRITING, node, writing);
}

void record_node_end(struct record *r, uint64_t node)
{
	NUMBERS(r, ROW_NODE_END, node);
}

void record_node_stub(struct record *r, uint64_t node, bool stub, const struct fhandle *handle)
{
	size_t start = begin(r, ROW_NODE_STUB);

	put(r, node);
	put(r, stub);
	put_handle(r, handle);
	end(r, start);
}

void record_node_pin(struct record *r, uint64_t node, bool pin)
{
	NUMBERS(r, ROW_NODE_PIN, node, pin);
}

void record_node_target(struct record *r, uint64_t node, const char *target)
{
	size_t start = begin(r, ROW_NODE_TARGET);

	put(r, node);
	put_string(r, target);
	end(r, start);
}

void record_node_xattrs(struct record *r, uint64_t node, const void *blob, size_t len)
{
	size_t start = begin(r, ROW_NODE_XATTRS);

	put(r, node);
	put_blob(r, len ? blob : NULL, len);
	end(r, start);
}

static void entry_row(struct record *r, enum row row, uint64_t parent, const char *name, uint64_t last)
{
	size_t start = begin(r, row);

	put(r, parent);
	put_string(r, name);
	put(r, last);
	end(r, start);
}

void record_entry_add(struct record *r, uint64_t parent, const char *name, uint64_t node)
{
	entry_row(r, ROW_ENTRY_ADD, parent, name, node);
}

void record_entry_end(struct record *r, uint64_t parent, const char *name, enum entry_end how)
{
	entry_row(r, ROW_ENTRY_END, parent, name, how);
}

void record_series_take(struct record *r, uint64_t node, uint64_t over)
{
	NUMBERS(r, ROW_SERIES_TAKE, node, over);
}

void record_series_leave(struct record *r, uint64_t node)
{
	NUMBERS(r, ROW_SERIES_LEAVE, node);
}

void record_version_add(struct record *r, const struct version_row *v)
{
	size_t start = begin(r, ROW_VERSION_ADD);

	put(r, v->id);
	put(r, v->node);
	put(r, v->size);
	put_signed(r, v->mtime);
	put(r, v->mode);
	put(r, v->uid);
	put(r, v->gid);
	put(r, v->state);
	put(r, v->how);
	put(r, v->settled && v->not_alone ? SETTLED_NOT_ALONE : v->settled);
	put(r, v->run);
	put(r, v->run_uid);
	put_signed(r, v->volume);
	put(r, v->stored);
	put_string(r, v->reason[0] ? v->reason : NULL);
	end(r, start);
}

void record_version_state(struct record *r, uint64_t version, enum version_state state, enum version_how how,
			  const char *reason)
{
	size_t start = begin(r, ROW_VERSION_STATE);

	put(r, version);
	put(r, state);
	put(r, how);
	put_string(r, reason);
	end(r, start);
}

void record_version_how(struct record *r, uint64_t version, enum version_how how, uint64_t stored)
{
	NUMBERS(r, ROW_VERSION_HOW, version, how, stored, ANY_SIZE);
}

void record_version_packed(struct record *r, uint64_t version, uint64_t size, uint64_t stored)
{
	NUMBERS(r, ROW_VERSION_HOW, version, HOW_PACKED, stored, size);
}

void record_version_same(struct record *r, uint64_t newer, uint64_t older)
{
	NUMBERS(r, ROW_VERSION_SAME, newer, older);
}

void record_version_drop(struct record *r, uint64_t version)
{
	NUMBERS(r, ROW_VERSION_DROP, version);
}

void record_version_grow(struct record *r, uint64_t version, uint64_t size, int64_t mtime)
{
	size_t start = begin(r, ROW_VERSION_GROW);

	put(r, version);
	put(r, size);
	put_signed(r, mtime);
	end(r, start);
}

void record_version_settled(struct record *r, uint64_t version, uint64_t size, int64_t mtime)
{
	size_t start = begin(r, ROW_VERSION_SETTLED);

	put(r, version);
	put(r, size);
	put_signed(r, mtime);
	end(r, start);
}

void record_version_facts(struct record *r, uint64_t version, const uint8_t *sha256, const char *mime)
{
	record_version_facts_of(r, version, ANY_SIZE, sha256, mime);
}

void record_version_facts_of(struct record *r, uint64_t version, uint64_t size, const uint8_t *sha256, const char *mime)
{
	size_t start = begin(r, ROW_VERSION_FACTS);

	put(r, version);
	put(r, size);
	put_blob(r, sha256, SHA256_BYTES);
	put_string(r, mime);
	end(r, start);
}

void record_version_forget(struct record *r, uint64_t version)
{
	NUMBERS(r, ROW_VERSION_FORGET, version);
}

void record_node_forget(struct record *r, uint64_t node)
{
	NUMBERS(r, ROW_NODE_FORGET, node);
}

void record_label_set(struct record *r, uint64_t folder, const char *name, uint64_t commit, uid_t uid)
{
	size_t start = begin(r, ROW_LABEL_SET);

	put(r, folder);
	put_string(r, name);
	put(r, commit);
	put(r, uid);
	end(r, start);
}

void record_label_remove(struct record *r, uint64_t folder, const char *name)
{
	size_t start = begin(r, ROW_LABEL_REMOVE);

	put(r, folder);
	put_string(r, name);
	end(r, start);
}

void record_pack_set(struct record *r, const struct pack_row *p)
{
	NUMBERS(r, ROW_PACK_SET, p->id, (uint64_t)p->volume, p->bytes, (uint64_t)p->state);
}

void record_pack_remove(struct record *r, uint64_t pack)
{
	NUMBERS(r, ROW_PACK_REMOVE, pack);
}

void record_object_set(struct record *r, const struct object_row *o)
{
	size_t start = begin(r, ROW_OBJECT_SET);

	put_blob(r, o->sha256, SHA256_BYTES);
	put(r, o->size);
	put(r, o->pack);
	put(r, o->offset);
	put(r, o->length);
	put_blob(r, o->has_base ? o->base : NULL, o->has_base ? SHA256_BYTES : 0);
	end(r, start);
}

void record_object_remove(struct record *r, const uint8_t *sha256)
{
	size_t start = begin(r, ROW_OBJECT_REMOVE);

	put_blob(r, sha256, SHA256_BYTES);
	end(r, start);
}

static void cloud_row(struct record *r, enum row row, const struct cloud_row *c, enum cloud_state state)
{
	size_t start = begin(r, row);

	put_string(r, c->remote);
	put_string(r, c->key);
	put(r, c->version);
	put(r, c->pack);
	put_blob(r, c->hashed ? c->sha256 : NULL, c->hashed ? SHA256_BYTES : 0);
	put(r, c->size);
	put(r, c->stored);
	put(r, (uint64_t)c->compress);
	put_string(r, c->etag[0] ? c->etag : NULL);
	put_string(r, c->class[0] ? c->class : NULL);
	put(r, state);
	end(r, start);
}

void record_cloud_set(struct record *r, const struct cloud_row *c)
{
	cloud_row(r, ROW_CLOUD_SET, c, c->state);
}

void record_cloud_verified(struct record *r, const struct cloud_row *c)
{
	cloud_row(r, ROW_CLOUD_VERIFIED, c, CLOUD_VERIFIED);
}

void record_cloud_state(struct record *r, const struct cloud_row *c, enum cloud_state state)
{
	cloud_row(r, ROW_CLOUD_STATE, c, state);
}

void record_cloud_remove(struct record *r, const struct cloud_row *c)
{
	cloud_row(r, ROW_CLOUD_REMOVE, c, c->state);
}

void record_cloud_hand_over(struct record *r, uint64_t older, uint64_t newer)
{
	NUMBERS(r, ROW_CLOUD_HAND_OVER, older, newer);
}

void record_job_add(struct record *r, enum job_type type, uint64_t subject, int64_t due)
{
	size_t start = begin(r, ROW_JOB_ADD);

	put(r, type);
	put(r, subject);
	put_signed(r, due);
	end(r, start);
}

void record_job_done(struct record *r, uint64_t job)
{
	NUMBERS(r, ROW_JOB_DONE, job);
}

void record_job_retry(struct record *r, uint64_t job, int64_t due, const char *error)
{
	size_t start = begin(r, ROW_JOB_RETRY);

	put(r, job);
	put_signed(r, due);
	put_string(r, error);
	end(r, start);
}

void record_run(struct record *r, const struct run_row *run)
{
	size_t start = begin(r, ROW_RUN);

	put(r, run->id);
	put_string(r, run->boot);
	put_signed(r, run->tgid);
	put(r, run->start);
	put(r, run->uid);
	put_string(r, run->exe);
	put_string(r, run->argv);
	put_string(r, run->cwd);
	put_string(r, run->cgroup);
	end(r, start);
}

void record_opens(struct record *r, uint64_t node, uint64_t count)
{
	NUMBERS(r, ROW_OPENS, node, count);
}

void record_lake(struct record *r, const char *key, const void *value, size_t len)
{
	size_t start = begin(r, ROW_LAKE);

	put_string(r, key);
	put_blob(r, value, len);
	end(r, start);
}

void record_synced(struct record *r, uint64_t node, uint64_t size, int64_t mtime)
{
	size_t start = begin(r, ROW_SYNCED);

	put(r, node);
	put(r, size);
	put_signed(r, mtime);
	end(r, start);
}

void record_durable(struct record *r, uint64_t commit)
{
	NUMBERS(r, ROW_DURABLE, commit);
}

void record_forget_handles(struct record *r, int volume)
{
	size_t start = begin(r, ROW_FORGET_HANDLES);

	put_signed(r, volume);
	end(r, start);
}

/* ---- taking apart ---- */

uint64_t record_get(struct record_reader *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; in->at < in->end && shift < 64; shift += 7) {
		uint8_t byte = *in->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

int64_t record_get_signed(struct record_reader *in)
{
	uint64_t value = record_get(in);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

const void *record_get_blob(struct record_reader *in, size_t *len)
{
	uint64_t size = record_get(in);
	const void *bytes = in->at;

	if (size && size - 1 > (size_t)(in->end - in->at))
		size = 0;
	*len = size ? size - 1 : 0;
	in->at += *len;
	return size ? bytes : NULL;
}

const char *record_get_string(struct record_reader *in, size_t *len)
{
	const char *s = record_get_blob(in, len);

	*len -= s != NULL;
	return s;
}

bool record_next(struct record_reader *in, enum row *row, struct record_reader *body)
{
	uint32_t len;

	if (in->end - in->at < 5)
		return false;
	*row = (enum row)in->at[0];
	memcpy(&len, in->at + 1, sizeof(len));
	if (len > (size_t)(in->end - in->at - 5))
		return false;
	*body = (struct record_reader){in->at + 5, in->at + 5 + len};
	in->at = body->end;
	return true;
}
