#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/full_io.h"
#include "content/past/chain_int.h"
#include "content/past/kept.h"
#include "content/past/whole.h"

/* ---- life ---- */

struct chain *chain_new(uint64_t node, struct volume *volume)
{
	struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	atomic_init(&c->refs, 1);
	c->node = node;
	c->volume = volume;
	pthread_mutex_init(&c->save, NULL);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

struct chain *chain_ref(struct chain *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void chain_link_release(struct chain_link *l)
{
	undo_file_free(l->undo);
	if (l->whole >= 0)
		close(l->whole);
	pack_object_close(l->packed);
}

void chain_unref(struct chain *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	for (size_t i = 0; i < c->n; i++)
		chain_link_release(&c->links[i]);
	pthread_mutex_destroy(&c->save);
	pthread_mutex_destroy(&c->lock);
	free(c->links);
	free(c);
}

int chain_make_room_locked(struct chain *c)
{
	size_t room = c->room ? c->room * 2 : 4;
	struct chain_link *links;

	if (c->n < c->room)
		return 0;
	links = reallocarray(c->links, room, sizeof(*links));
	if (!links)
		return -ENOMEM;
	c->links = links;
	c->room = room;
	return 0;
}

/* ---- the last link ---- */

/* The raw file has all of it. */
static bool is_unsaved(const struct chain_link *l)
{
	return !l->undo || undo_file_is_empty(l->undo);
}

/* A link, as it is now: what it points to lives as long as the chain. */
static bool last_link(struct chain *c, struct chain_link *out)
{
	SCOPED_LOCK(&c->lock);

	if (!c->n || c->links[c->n - 1].version <= c->lost)
		return false;
	*out = c->links[c->n - 1];
	return true;
}

bool chain_is_due(struct chain *c)
{
	struct chain_link last;

	return last_link(c, &last) && last.size && !chain_link_is_whole(&last);
}

/* Puts what was made for VERSION into its link. False: that is not the last one any more. */
static bool set_last(struct chain *c, uint64_t version, struct undo_file *undo, int whole, enum version_how how)
{
	SCOPED_LOCK(&c->lock);
	struct chain_link *last = c->n ? &c->links[c->n - 1] : NULL;

	if (!last || last->version != version)
		return false;
	if (undo)
		last->undo = undo;
	if (whole >= 0) {
		last->whole = whole;
		last->how = how;
	}
	return true;
}

void chain_set_packed(struct chain *c, uint64_t version, struct pack_object *object)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = c->n; i && object; i--) {
		struct chain_link *l = &c->links[i - 1];

		if (l->version != version || l->size != object->map.size || l->packed)
			continue;
		l->packed = steal_ptr(&object);
		l->how = HOW_PACKED;
	}
	pthread_mutex_unlock(&c->lock);
	pack_object_close(object);
}

int chain_cut(struct chain *c, uint64_t version, uint64_t size)
{
	const struct chain_link link = {.version = version, .size = size, .whole = -1};
	SCOPED_LOCK(&c->lock);
	struct chain_link *last = c->n ? &c->links[c->n - 1] : NULL;
	int rc;

	/* of one that was only appended to nothing is saved, and nothing has to be looked up */
	if (last && !last->undo && !chain_link_is_whole(last)) {
		*last = link;
		return 0;
	}
	rc = chain_make_room_locked(c);
	if (rc < 0)
		return rc;
	if (!c->n) /* what is older is loaded when somebody asks */
		c->from = version;
	c->links[c->n++] = link;
	return 0;
}

void chain_grow(struct chain *c, uint64_t version, uint64_t size)
{
	SCOPED_LOCK(&c->lock);

	if (c->n && c->links[c->n - 1].version == version)
		c->links[c->n - 1].size = size;
}

bool chain_is_whole(struct chain *c)
{
	struct chain_link last;

	return last_link(c, &last) && chain_link_is_whole(&last);
}

enum version_how chain_how(struct chain *c, uint64_t version, uint64_t size, uint64_t *stored)
{
	struct chain_link last;

	*stored = 0;
	if (!last_link(c, &last) || last.version != version)
		return HOW_NONE;
	if (last.undo)
		*stored = undo_file_bytes(last.undo);
	if (chain_link_is_whole(&last)) {
		*stored += last.how == HOW_COPY ? last.size : 0;
		return last.how;
	}
	if (size < last.size && !(last.undo && undo_file_covers(last.undo, size, last.size)))
		return HOW_NONE; /* cut by somebody else */
	return last.undo && !undo_file_is_empty(last.undo) ? HOW_UNDO : HOW_PREFIX;
}

/* ---- saving ---- */

/*
 * The row of the version whose bytes these are is durable before the first of them are saved: after a crash each undo
 * file and copy in versions/ belongs to a version that the store knows, and says that its file was being written.
 */
static int sync_rows(struct lake *lake, struct inode *inode)
{
	uint64_t commit;

	pthread_mutex_lock(&inode->lock);
	commit = inode->base_commit ? inode->base_commit : atomic_load(&inode->commit);
	pthread_mutex_unlock(&inode->lock);
	return commit ? store_sync(lake->store, commit) : 0;
}

/* Was the row of VERSION, the last link, ended before the raw file changed? Its file went away, or its series moved. */
static bool has_ended(struct inode *inode, uint64_t version)
{
	SCOPED_LOCK(&inode->lock);

	return inode->version != version || (!inode->name && inode->kept_version && inode->kept_fresh);
}

/* Such a row says that the raw file has it all. */
static int tell_undo(struct lake *lake, struct inode *inode, uint64_t version)
{
	struct record *r;
	uint64_t commit;
	int rc;

	if (!has_ended(inode, version))
		return 0;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	record_version_how(r, version, HOW_UNDO, 0);
	rc = store_submit(lake->store, r, &commit);
	if (rc < 0)
		return rc;
	inode_submitted(inode, commit);
	return store_sync(lake->store, commit);
}

static int begin_undo(struct lake *lake, struct inode *inode, struct chain *c, struct chain_link *last)
{
	char name[VERSION_NAME_MAX];
	int rc = sync_rows(lake, inode);

	if (rc < 0)
		return rc;
	undo_name(c->node, last->version, name);
	rc = undo_file_create(c->volume->versionsfd, name, c->node, last->version, &last->undo);
	if (rc < 0)
		return rc;
	rc = tell_undo(lake, inode, last->version);
	if (!rc && !set_last(c, last->version, last->undo, -1, HOW_NONE))
		rc = -EBUSY;
	if (!rc)
		return 0;
	undo_file_free(last->undo);
	unlinkat(c->volume->versionsfd, name, 0);
	return rc;
}

static int save_locked(struct lake *lake, struct inode *inode, struct chain *c, struct chain_link *last, uint64_t from,
		       uint64_t to)
{
	_cleanup_close_ int rawfd = -1;
	int rc = 0;

	if (!last->undo)
		rc = begin_undo(lake, inode, c, last);
	if (rc < 0)
		return rc;
	rawfd = inode_open(lake, inode, O_RDONLY);
	if (rawfd < 0)
		return rawfd;
	return undo_file_save(last->undo, rawfd, from, to, last->size, kept_undo_limit(lake));
}

bool chain_has(struct chain *c, uint64_t from, uint64_t to)
{
	struct chain_link last;

	if (!last_link(c, &last) || chain_link_is_whole(&last))
		return true;
	if (to > last.size)
		to = last.size;
	return from >= to || (last.undo && undo_file_covers(last.undo, from, to));
}

int chain_save(struct lake *lake, struct inode *inode, struct chain *c, uint64_t from, uint64_t to)
{
	struct chain_link last;
	SCOPED_LOCK(&c->save);

	if (chain_has(c, from, to) || !last_link(c, &last)) /* somebody else was faster */
		return 0;
	return save_locked(lake, inode, c, &last, from, to < last.size ? to : last.size);
}

/* The store knows a live version whose base is kept already by its `how`. */
static void record_whole(struct lake *lake, struct inode *inode, uint64_t version, enum version_how how,
			 uint64_t stored)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	uint64_t commit;

	record_version_how(r, version, how, stored);
	if (!store_submit(lake->store, r, &commit))
		inode_submitted(inode, commit);
}

struct copying {
	struct chain *chain;
	uint64_t version;
	int rawfd;
};

/* What is saved of it already is not in the raw file any more. */
static int read_for_copy(void *arg, void *to, size_t len, uint64_t at)
{
	struct copying *copying = arg;

	return chain_read(copying->chain, copying->version, copying->rawfd, to, len, at);
}

/* A descriptor of the whole copy of LAST, and HOW it was made; or -errno. */
static int make_whole(struct chain *c, const struct chain_link *last, int rawfd, bool may_copy, enum version_how *how)
{
	struct copying copying = {c, last->version, rawfd};
	char name[VERSION_NAME_MAX];
	int fd = -EOPNOTSUPP;

	copy_name(c->node, last->version, name);
	*how = HOW_REFLINK;
	if (!c->volume->no_reflink && is_unsaved(last))
		fd = whole_reflink(c->volume, rawfd, name, last->size);
	if (fd >= 0 || !may_copy)
		return fd;
	*how = HOW_COPY;
	return whole_copy(c->volume, name, last->size, read_for_copy, &copying);
}

int chain_save_whole(struct lake *lake, struct inode *inode, struct chain *c, bool may_copy)
{
	_cleanup_close_ int rawfd = -1;
	struct chain_link last;
	enum version_how how;
	int rc, fd;
	SCOPED_LOCK(&c->save);

	if (!last_link(c, &last) || !last.size || chain_link_is_whole(&last))
		return 0;
	if (!may_copy && (c->volume->no_reflink || !is_unsaved(&last)))
		return -EOPNOTSUPP;
	rawfd = inode_open(lake, inode, O_RDONLY);
	if (rawfd < 0)
		return rawfd;
	rc = sync_rows(lake, inode);
	if (rc < 0)
		return rc;
	fd = make_whole(c, &last, rawfd, may_copy, &how);
	if (fd < 0)
		return fd;
	if (!set_last(c, last.version, NULL, fd, how)) {
		close(fd);
		return -EBUSY;
	}
	record_whole(lake, inode, last.version, how, how == HOW_COPY ? last.size : 0);
	return 0;
}

/* ---- losing ---- */

struct losing {
	const struct chain *c;
	uint64_t *versions;
	size_t n, room;
	uint64_t empty; /* the live one, if it has no bytes */
	int error;
};

/* A version with a file of its own, or packed, needs the raw file no more than those before it do. */
static int note_lost(void *arg, const struct version_row *v)
{
	struct losing *l = arg;
	bool through = v->state == VERSION_LIVE || v->how == HOW_PREFIX || v->how == HOW_UNDO;

	if (v->id <= l->c->after)
		return 0;
	if (v->how != HOW_NONE && v->how != HOW_PREFIX && v->how != HOW_UNDO) {
		l->n = 0;
		return 0;
	}
	if (!v->size) { /* has no bytes that could be lost, and all of those before it was saved when they went */
		l->n = 0;
		l->empty = v->state == VERSION_LIVE ? v->id : 0;
		return 0;
	}
	if (!through || (v->state != VERSION_LIVE && v->state != VERSION_KEPT && v->state != VERSION_PARTIAL))
		return 0;
	if (l->n == l->room) {
		uint64_t *more = reallocarray(l->versions, l->room + 64, sizeof(*more));

		if (!more)
			return l->error = -ENOMEM;
		l->versions = more;
		l->room += 64;
	}
	l->versions[l->n++] = v->id;
	return 0;
}

static void record_lost(struct lake *lake, struct inode *inode, const struct losing *l, const char *reason)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, l->c->node, 0, NULL);
	uint64_t commit;

	for (size_t i = 0; i < l->n; i++)
		record_version_state(r, l->versions[i], VERSION_NOT_KEPT, HOW_NONE, reason);
	if (l->empty)
		record_version_state(r, l->empty, VERSION_KEPT, HOW_NONE, NULL);
	if (store_submit(lake->store, r, &commit) < 0)
		return;
	inode_submitted(inode, commit);
	if (store_sync(lake->store, commit) < 0)
		log_error("node %" PRIu64 ": that %zu versions are lost cannot be recorded", l->c->node, l->n);
}

static void remove_saved(const struct losing *l)
{
	char name[VERSION_NAME_MAX];

	for (size_t i = 0; i < l->n; i++) {
		undo_name(l->c->node, l->versions[i], name);
		unlinkat(l->c->volume->versionsfd, name, 0);
	}
}

void chain_lose(struct lake *lake, struct inode *inode, struct chain *c, const char *reason)
{
	struct losing l = {.c = c};
	struct chain_link last = {0};

	pthread_mutex_lock(&c->save);
	if (last_link(c, &last) && !chain_link_is_whole(&last)) {
		if (store_barrier(lake->store, 0) < 0 ||
		    store_versions_of_node(lake->store, c->node, 0, note_lost, &l) < 0)
			log_error("node %" PRIu64 ": the versions that are lost cannot be found", c->node);
		log_warning("node %" PRIu64 ": %zu versions are not kept any more: %s", c->node, l.n, reason);
		record_lost(lake, inode, &l, reason);
		pthread_mutex_lock(&c->lock);
		c->lost_from = (l.n ? l.versions[0] : last.version) - 1; /* those before it are whole elsewhere */
		c->lost = last.version;
		pthread_mutex_unlock(&c->lock);
		remove_saved(&l);
	}
	pthread_mutex_unlock(&c->save);
	free(l.versions);
	pthread_mutex_lock(&inode->lock);
	if (last.version && !chain_link_is_whole(&last) && inode->version == last.version)
		inode->version = 0;
	pthread_mutex_unlock(&inode->lock);
}

void chain_void(struct chain *c)
{
	SCOPED_LOCK(&c->lock);

	c->lost = UINT64_MAX;
	c->lost_from = 0;
}

/* ---- reading ---- */

static bool is_lost_locked(const struct chain *c, uint64_t version)
{
	return version <= c->lost && version > c->lost_from;
}

/* Where the byte AT of a version is, and how many from there on, at most *RUN, are in the same place. */
struct place {
	enum { IN_RAW, IN_UNDO, IN_WHOLE, IN_PACK } in;
	uint64_t saved; /* of which version that is */
	struct undo_file *undo;
	struct undo_extent extent;
	int whole;
	struct pack_object *packed;
};

static int find_place(struct chain *c, uint64_t version, uint64_t at, uint64_t *run, struct place *p)
{
	SCOPED_LOCK(&c->lock);
	size_t i = c->n;

	if (is_lost_locked(c, version))
		return -EIO;
	while (i && c->links[i - 1].version >= version)
		i--;
	for (; i < c->n; i++) {
		const struct chain_link *l = &c->links[i];

		p->saved = l->version;
		p->undo = l->undo;
		p->in = IN_UNDO;
		if (l->undo && undo_file_find(l->undo, at, &p->extent, run)) {
			uint64_t left = p->extent.offset + p->extent.length - at;

			*run = left < *run ? left : *run;
			return 0;
		}
		p->whole = l->whole;
		p->packed = l->packed;
		p->in = l->packed ? IN_PACK : IN_WHOLE;
		if (chain_link_is_whole(l))
			return 0;
	}
	p->in = IN_RAW;
	return 0;
}

/* FN of what of [AT, AT + LEN) lies in packs; other than 0 ends it. */
static int each_packed(struct chain *c, uint64_t version, uint64_t at, uint64_t len,
		       int (*fn)(struct pack_object *o, uint64_t at, uint64_t len, const struct tier_call *call),
		       const struct tier_call *call)
{
	struct place p;
	uint64_t run;
	int rc = 0;

	for (uint64_t done = 0; done < len && !rc; done += run) {
		run = len - done;
		rc = find_place(c, version, at + done, &run, &p);
		if (!rc && p.in == IN_PACK)
			rc = fn(p.packed, at + done, run, call);
	}
	return rc;
}

static int is_away(struct pack_object *o, uint64_t at, uint64_t len, const struct tier_call *call)
{
	(void)call;
	return !pack_object_has(o, at, len);
}

static int want(struct pack_object *o, uint64_t at, uint64_t len, const struct tier_call *call)
{
	return pack_object_want(o, at, len, call);
}

bool chain_is_here(struct chain *c, uint64_t version, uint64_t at, uint64_t len)
{
	return each_packed(c, version, at, len, is_away, NULL) <= 0;
}

int chain_want(struct chain *c, uint64_t version, uint64_t at, uint64_t len, const struct tier_call *call)
{
	return each_packed(c, version, at, len, want, call);
}

static int read_undo(const struct chain *c, const struct place *p, void *to, size_t len, uint64_t at)
{
	int rc = undo_file_read(p->undo, &p->extent, at, len, to);
	char name[VERSION_NAME_MAX];

	if (rc == -EIO) {
		undo_name(c->node, p->saved, name);
		log_error("versions/%s: cannot be read: damaged where it has byte %" PRIu64, name, at);
	}
	return rc;
}

int chain_lay_over(struct chain *c, uint64_t version, void *to, size_t raw, size_t len, uint64_t at)
{
	struct place p;
	uint64_t run;
	int rc = 0;

	for (uint64_t done = 0; done < len && !rc; done += run) {
		char *here = (char *)to + done;

		run = len - done;
		rc = find_place(c, version, at + done, &run, &p);
		if (rc < 0)
			return rc;
		if (p.in == IN_UNDO)
			rc = read_undo(c, &p, here, run, at + done);
		else if (p.in == IN_WHOLE)
			rc = read_full_at(p.whole, here, run, at + done) == (ssize_t)run ? 0 : -EIO;
		else if (p.in == IN_PACK)
			rc = pack_object_read(p.packed, here, run, at + done) == (ssize_t)run ? 0 : -EIO;
		else if (done + run > raw)
			rc = -EIO; /* it was cut by somebody else */
	}
	return rc;
}

int chain_read(struct chain *c, uint64_t version, int rawfd, void *to, size_t len, uint64_t at)
{
	/* First, so that whatever is changed in the raw file before this is in a map by the time those are asked. */
	ssize_t raw = rawfd >= 0 ? read_full_at(rawfd, to, len, at) : 0;

	return raw < 0 ? (int)raw : chain_lay_over(c, version, to, (size_t)raw, len, at);
}
