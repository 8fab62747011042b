/*
 * The intent of a publication: a fact of the lake in the store. Its first byte says what is to be done with it after a
 * crash: 'U' undo, for the record of the publication is not there; 'C' clean up, for it is. Then for each step:
 *
 *	KIND VOLUME \0 FROM \0 TO \0 ASIDE \0 MOVED \0 OVER \0
 *
 * ASIDE: the name in versions/ that the old content gets; MOVED, OVER: handles in hex of what moves and of what was
 * there; each may be empty. The handles tell how far it came: a step is only undone, and something only removed, where
 * the very file is found.
 */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "ns/publish/publish_int.h"

#define INTENT_KEY "publish"

/* ---- writing ---- */

static void add_handle(struct buf *b, const struct fhandle *h)
{
	uint8_t blob[FHANDLE_BLOB_MAX];

	if (h->len)
		buf_add_hex(b, blob, (size_t)fhandle_to_blob(h, blob));
	buf_addc(b, '\0');
}

static void add_step(struct buf *b, const struct publish_step *s)
{
	const struct inode *on = s->m.over ? s->m.over : s->m.inode;

	buf_addf(b, "%c%d", s->kind, on->volume->index);
	buf_addc(b, '\0');
	buf_adds(b, s->from ? s->from : "");
	buf_addc(b, '\0');
	buf_adds(b, s->to);
	buf_addc(b, '\0');
	buf_adds(b, s->m.aside.wanted ? s->m.aside.name : "");
	buf_addc(b, '\0');
	add_handle(b, &s->moved);
	add_handle(b, &s->over);
}

int intent_begin(struct publishing *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t commit;
	int rc;

	buf_addc(&b, 'U');
	for (size_t i = 0; i < p->n; i++)
		add_step(&b, &p->steps[i]);
	if (buf_error(&b)) {
		record_free(r);
		return buf_error(&b);
	}
	record_lake(r, INTENT_KEY, b.data, b.len);
	rc = store_submit(p->lake->store, r, &commit);
	return rc ? rc : store_sync(p->lake->store, commit);
}

static bool leaves_something(const struct publish_step *s)
{
	return s->kind == PUBLISH_REMOVE_FOLDER ||
	       ((s->kind == PUBLISH_OVER || s->kind == PUBLISH_REMOVE) && !s->m.aside.wanted);
}

bool intent_commit(struct publishing *p, struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addc(&b, 'C');
	for (size_t i = 0; i < p->n; i++) {
		if (leaves_something(&p->steps[i]))
			add_step(&b, &p->steps[i]);
	}
	if (b.len <= 1 || buf_error(&b)) {
		record_lake(r, INTENT_KEY, NULL, 0);
		return false;
	}
	record_lake(r, INTENT_KEY, b.data, b.len);
	return true;
}

/* ---- reading ---- */

struct intent_step {
	char kind;
	struct volume *volume;
	const char *from, *to, *aside;
	struct fhandle moved, over;
};

struct intent {
	struct lake *lake;
	struct intent_step *steps;
	size_t n, room;
};

static const char *next_string(const char **at, const char *end)
{
	const char *s = *at, *nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_handle(const char *hex, struct fhandle *h)
{
	uint8_t blob[FHANDLE_BLOB_MAX];
	size_t n = hex ? strlen(hex) / 2 : sizeof(blob) + 1;

	*h = (struct fhandle){0};
	if (n > sizeof(blob))
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		blob[i] = (uint8_t)(high << 4 | low);
	}
	return !n || !fhandle_from_blob(h, blob, (int)n);
}

static int parse_step(struct intent *in, const char **at, const char *end)
{
	const char *kind = next_string(at, end), *moved, *over;
	struct intent_step s = {.from = next_string(at, end), .to = next_string(at, end)};

	s.aside = next_string(at, end);
	moved = next_string(at, end);
	over = next_string(at, end);
	if (!kind || !over || !parse_handle(moved, &s.moved) || !parse_handle(over, &s.over))
		return -EUCLEAN;
	s.kind = kind[0];
	s.volume = lake_volume(in->lake, atoi(kind + 1));
	if (in->n == in->room) {
		size_t room = in->room ? in->room * 2 : 64;
		struct intent_step *grown = reallocarray(in->steps, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		in->steps = grown;
		in->room = room;
	}
	in->steps[in->n++] = s;
	return 0;
}

/* ---- what lies where ---- */

/* The folder of a path below buckets/, and the name in it. A descriptor or -errno. */
static int open_parent(struct lake *lake, const char *path, const char **name)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	const char *slash = strrchr(path, '/'), *rest = path;
	int start = lake->buckets_fd;
	struct bucket *b;

	if (!slash)
		return -EINVAL;
	*name = slash + 1;
	buf_add(&folder, path, strcspn(path, "/"));
	if (!lake_bucket(lake, buf_str(&folder), &b) && b->fd >= 0) {
		start = b->fd;
		rest = path + strcspn(path, "/") + 1;
	}
	buf_clear(&folder);
	buf_adds(&folder, "./");
	if (slash > rest)
		buf_add(&folder, rest, (size_t)(slash - rest));
	if (buf_error(&folder))
		return buf_error(&folder);
	start = openat(start, buf_str(&folder), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return start < 0 ? -errno : start;
}

static bool lies_there(int dirfd, const char *name, const struct fhandle *h)
{
	struct fhandle now;

	return h->len && !fhandle_get(dirfd, name, &now) && fhandle_equal(&now, h);
}

/* Old content comes back out of versions/. */
static int bring_back(const struct intent_step *s, int dirfd, const char *name)
{
	if (!s->aside[0] || !s->volume || !lies_there(s->volume->versionsfd, s->aside, &s->over))
		return 0;
	return renameat2(s->volume->versionsfd, s->aside, dirfd, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

static int undo_step(struct lake *lake, const struct intent_step *s)
{
	_cleanup_close_ int from = -1, to = -1;
	const char *name = NULL, *to_name;
	int rc = 0;

	to = open_parent(lake, s->to, &to_name);
	if (to < 0)
		return to;
	if (s->kind == PUBLISH_REMOVE)
		return bring_back(s, to, to_name);
	if (s->kind == PUBLISH_REMOVE_FOLDER)
		return 0;
	from = open_parent(lake, s->from, &name);
	if (from < 0)
		return from;
	if (s->kind == PUBLISH_OVER)
		rc = bring_back(s, from, name);
	if (rc || !lies_there(to, to_name, &s->moved))
		return rc;
	if (s->kind == PUBLISH_OVER && !lies_there(from, name, &s->over))
		return -EUCLEAN;
	rc = renameat2(to, to_name, from, name, s->kind == PUBLISH_OVER ? RENAME_EXCHANGE : RENAME_NOREPLACE);
	return rc < 0 ? -errno : 0;
}

static int clean_step(struct lake *lake, const struct intent_step *s)
{
	const char *name, *path = s->kind == PUBLISH_OVER ? s->from : s->to;
	_cleanup_close_ int dir = open_parent(lake, path, &name);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (!lies_there(dir, name, &s->over))
		return 0;
	return unlinkat(dir, name, s->kind == PUBLISH_REMOVE_FOLDER ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

static int end_steps(struct intent *in, char what)
{
	int rc = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct intent_step *s = &in->steps[what == 'U' ? in->n - 1 - i : i];
		int one = what == 'U' ? undo_step(in->lake, s) : clean_step(in->lake, s);

		if (one < 0)
			log_error("publishing %s: %s: %s", s->to,
				  what == 'U' ? "could not be undone" : "what it left could not be removed",
				  strerror(-one));
		rc = rc ? rc : one;
	}
	return rc;
}

int intent_end(struct lake *lake)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct intent in = {.lake = lake};
	struct record *r;
	const char *at;
	int rc = store_lake(lake->store, INTENT_KEY, &b), ended = 0;

	if (rc == -ENOENT || (!rc && b.len < 2))
		return 0;
	at = rc ? NULL : b.data + 1;
	while (!rc && at < b.data + b.len)
		rc = parse_step(&in, &at, b.data + b.len);
	if (!rc)
		ended = end_steps(&in, b.data[0]);
	free(in.steps);
	if (rc)
		return rc;
	/* names are durable before the intent is gone */
	for (int i = 0; i < LAKE_VOLUMES; i++) {
		if (lake->volumes[i] && syncfs(lake->volumes[i]->mountfd) < 0)
			return -errno;
	}
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_lake(r, INTENT_KEY, NULL, 0);
	rc = store_submit(lake->store, r, NULL);
	return rc ? rc : ended;
}

int ns_publish_recover(struct lake *lake)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (store_lake(lake->store, INTENT_KEY, &b))
		return 0;
	log_info("a publication was under way: %s", b.len && b.data[0] == 'C' ? "done, cleaning up" : "undoing it");
	return intent_end(lake);
}
