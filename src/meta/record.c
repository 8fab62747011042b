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

void record_put(struct record *r, uint64_t value)
{
	if (!reserve(r, 10))
		return;
	for (; value >= 0x80; value >>= 7)
		r->bytes[r->len++] = (uint8_t)(value | 0x80);
	r->bytes[r->len++] = (uint8_t)value;
}

void record_put_signed(struct record *r, int64_t value)
{
	record_put(r, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void record_put_blob(struct record *r, const void *bytes, size_t len)
{
	record_put(r, bytes ? len + 1 : 0);
	if (!bytes || !reserve(r, len + 1))
		return;
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

/* The NUL goes with it, so that a reader can borrow the string. */
void record_put_string(struct record *r, const char *s)
{
	record_put_blob(r, s, s ? strlen(s) + 1 : 0);
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
	case ROW_DESCRIBED_TEXT:
	case ROW_DESCRIPTION:
	case ROW_TAGS:
	case ROW_EDGE:
	case ROW_RUN_WROTE:
	case ROW_QUALITY:
		return true;
	default:
		return false;
	}
}

size_t record_begin(struct record *r, enum row row)
{
	if (!reserve(r, 5))
		return 0;
	r->logged |= !is_bookkeeping(row);
	r->bytes[r->len] = (uint8_t)row;
	r->len += 5;
	return r->len;
}

void record_end(struct record *r, size_t start)
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
		record_put_string(r, name);
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

	record_put_blob(r, h->len ? blob : NULL, h->len ? (size_t)fhandle_to_blob(h, blob) : 0);
}

static void node_row(struct record *r, enum row row, const struct node_row *n)
{
	size_t start = record_begin(r, row);

	record_put(r, n->id);
	record_put(r, n->kind);
	record_put_signed(r, n->volume);
	put_handle(r, &n->handle);
	record_put(r, n->mode);
	record_put(r, n->uid);
	record_put(r, n->gid);
	record_put(r, n->size);
	record_put_signed(r, n->mtime);
	record_put_signed(r, n->ctime);
	record_put(r, n->acl);
	record_put(r, n->writing);
	record_put(r, n->stub);
	record_put(r, n->pin);
	record_end(r, start);
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
	size_t start = record_begin(r, row);

	for (int i = 0; i < count; i++)
		record_put(r, values[i]);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_NODE_STUB);

	record_put(r, node);
	record_put(r, stub);
	put_handle(r, handle);
	record_end(r, start);
}

void record_node_pin(struct record *r, uint64_t node, bool pin)
{
	NUMBERS(r, ROW_NODE_PIN, node, pin);
}

void record_node_target(struct record *r, uint64_t node, const char *target)
{
	size_t start = record_begin(r, ROW_NODE_TARGET);

	record_put(r, node);
	record_put_string(r, target);
	record_end(r, start);
}

void record_node_xattrs(struct record *r, uint64_t node, const void *blob, size_t len)
{
	size_t start = record_begin(r, ROW_NODE_XATTRS);

	record_put(r, node);
	record_put_blob(r, len ? blob : NULL, len);
	record_end(r, start);
}

static void entry_row(struct record *r, enum row row, uint64_t parent, const char *name, uint64_t last)
{
	size_t start = record_begin(r, row);

	record_put(r, parent);
	record_put_string(r, name);
	record_put(r, last);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_VERSION_ADD);

	record_put(r, v->id);
	record_put(r, v->node);
	record_put(r, v->size);
	record_put_signed(r, v->mtime);
	record_put(r, v->mode);
	record_put(r, v->uid);
	record_put(r, v->gid);
	record_put(r, v->state);
	record_put(r, v->how);
	record_put(r, v->settled && v->not_alone ? SETTLED_NOT_ALONE : v->settled);
	record_put(r, v->run);
	record_put(r, v->run_uid);
	record_put_signed(r, v->volume);
	record_put(r, v->stored);
	record_put_string(r, v->reason[0] ? v->reason : NULL);
	record_end(r, start);
}

void record_version_state(struct record *r, uint64_t version, enum version_state state, enum version_how how,
			  const char *reason)
{
	size_t start = record_begin(r, ROW_VERSION_STATE);

	record_put(r, version);
	record_put(r, state);
	record_put(r, how);
	record_put_string(r, reason);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_VERSION_GROW);

	record_put(r, version);
	record_put(r, size);
	record_put_signed(r, mtime);
	record_end(r, start);
}

void record_version_settled(struct record *r, uint64_t version, uint64_t size, int64_t mtime)
{
	size_t start = record_begin(r, ROW_VERSION_SETTLED);

	record_put(r, version);
	record_put(r, size);
	record_put_signed(r, mtime);
	record_end(r, start);
}

void record_version_facts(struct record *r, uint64_t version, const uint8_t *sha256, const char *mime)
{
	record_version_facts_of(r, version, ANY_SIZE, sha256, mime);
}

void record_version_facts_of(struct record *r, uint64_t version, uint64_t size, const uint8_t *sha256, const char *mime)
{
	size_t start = record_begin(r, ROW_VERSION_FACTS);

	record_put(r, version);
	record_put(r, size);
	record_put_blob(r, sha256, SHA256_BYTES);
	record_put_string(r, mime);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_LABEL_SET);

	record_put(r, folder);
	record_put_string(r, name);
	record_put(r, commit);
	record_put(r, uid);
	record_end(r, start);
}

void record_label_remove(struct record *r, uint64_t folder, const char *name)
{
	size_t start = record_begin(r, ROW_LABEL_REMOVE);

	record_put(r, folder);
	record_put_string(r, name);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_OBJECT_SET);

	record_put_blob(r, o->sha256, SHA256_BYTES);
	record_put(r, o->size);
	record_put(r, o->pack);
	record_put(r, o->offset);
	record_put(r, o->length);
	record_put_blob(r, o->has_base ? o->base : NULL, o->has_base ? SHA256_BYTES : 0);
	record_end(r, start);
}

void record_object_remove(struct record *r, const uint8_t *sha256)
{
	size_t start = record_begin(r, ROW_OBJECT_REMOVE);

	record_put_blob(r, sha256, SHA256_BYTES);
	record_end(r, start);
}

static void cloud_row(struct record *r, enum row row, const struct cloud_row *c, enum cloud_state state)
{
	size_t start = record_begin(r, row);

	record_put_string(r, c->remote);
	record_put_string(r, c->key);
	record_put(r, c->version);
	record_put(r, c->pack);
	record_put_blob(r, c->hashed ? c->sha256 : NULL, c->hashed ? SHA256_BYTES : 0);
	record_put(r, c->size);
	record_put(r, c->stored);
	record_put(r, (uint64_t)c->compress);
	record_put_string(r, c->etag[0] ? c->etag : NULL);
	record_put_string(r, c->class[0] ? c->class : NULL);
	record_put(r, state);
	record_end(r, start);
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
	size_t start = record_begin(r, ROW_JOB_ADD);

	record_put(r, type);
	record_put(r, subject);
	record_put_signed(r, due);
	record_end(r, start);
}

void record_job_done(struct record *r, uint64_t job)
{
	NUMBERS(r, ROW_JOB_DONE, job);
}

void record_job_retry(struct record *r, uint64_t job, int64_t due, const char *error)
{
	size_t start = record_begin(r, ROW_JOB_RETRY);

	record_put(r, job);
	record_put_signed(r, due);
	record_put_string(r, error);
	record_end(r, start);
}

void record_run(struct record *r, const struct run_row *run)
{
	size_t start = record_begin(r, ROW_RUN);

	record_put(r, run->id);
	record_put_string(r, run->boot);
	record_put_signed(r, run->tgid);
	record_put(r, run->start);
	record_put(r, run->uid);
	record_put_string(r, run->exe);
	record_put_string(r, run->argv);
	record_put_string(r, run->cwd);
	record_put_string(r, run->cgroup);
	record_put(r, run->parent);
	record_put_signed(r, run->began);
	record_put_string(r, run->name);
	record_end(r, start);
}

void record_opens(struct record *r, uint64_t node, uint64_t count)
{
	NUMBERS(r, ROW_OPENS, node, count);
}

void record_lake(struct record *r, const char *key, const void *value, size_t len)
{
	size_t start = record_begin(r, ROW_LAKE);

	record_put_string(r, key);
	record_put_blob(r, value, len);
	record_end(r, start);
}

void record_synced(struct record *r, uint64_t node, uint64_t size, int64_t mtime)
{
	size_t start = record_begin(r, ROW_SYNCED);

	record_put(r, node);
	record_put(r, size);
	record_put_signed(r, mtime);
	record_end(r, start);
}

void record_durable(struct record *r, uint64_t commit)
{
	NUMBERS(r, ROW_DURABLE, commit);
}

void record_forget_handles(struct record *r, int volume)
{
	size_t start = record_begin(r, ROW_FORGET_HANDLES);

	record_put_signed(r, volume);
	record_end(r, start);
}
