#include "ns/publish/publish.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cut.h"
#include "content/durable.h"
#include "content/past/former.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "ns/publish/publish_int.h"

#define TRIES 20
#define SETTLE_NS (5 * NSEC_PER_SEC)
#define PAUSE_US 10000

/* ---- before the lock ---- */

/* Content that somebody still writes would be published by halves. A close may still be on its way here. */
static int wait_settled(struct publishing *p)
{
	int64_t until = clock_monotonic() + SETTLE_NS;
	_cleanup_buf_ struct buf path = BUF_INIT;

	for (size_t i = 0; i < p->nfiles; i++) {
		while (inode_settle(p->lake, p->files[i]) || inode_is_dirty(p->files[i])) {
			if (clock_monotonic() < until) {
				usleep(PAUSE_US);
				continue;
			}
			store_path(p->lake->store, p->files[i]->id, &path);
			buf_addf(p->error, "%s: is still open for writing", buf_str(&path));
			return -EBUSY;
		}
	}
	return store_barrier(p->lake->store, 0);
}

/* The live version of a file that nobody changed since; 0: none. */
static uint64_t clean_version(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->dirty ? 0 : inode->version;
}

/* The same content again is no new version. That is read now, while nobody has to wait. */
static void compare(struct publishing *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct publish_step *s = &p->steps[i];
		struct former f = {0};

		if (s->kind != PUBLISH_OVER || s->m.inode->kind != KIND_FILE || s->m.over->kind != KIND_FILE)
			continue;
		s->new_version = clean_version(s->m.inode);
		f.version = s->old_version = clean_version(s->m.over);
		f.size = (uint64_t)s->m.over_raw.st_size;
		s->same = s->new_version && s->old_version &&
			  former_is_same(p->lake, &f, s->m.inode, (uint64_t)s->m.raw.st_size);
	}
}

/* ---- freezing ---- */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct inode *const *)a, y = (uintptr_t) * (struct inode *const *)b;

	return x < y ? -1 : x > y;
}

/* Every file that moves, once. Nobody else freezes two, nor waits for the tree lock with one frozen. */
static int freeze(struct publishing *p)
{
	size_t n = 0;

	p->frozen = calloc(2 * p->n + 1, sizeof(struct inode *));
	if (!p->frozen)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		struct rename *m = &p->steps[i].m;

		if (m->inode && m->inode->kind == KIND_FILE)
			p->frozen[n++] = m->inode;
		if (m->over && m->over->kind == KIND_FILE)
			p->frozen[n++] = m->over;
	}
	qsort(p->frozen, n, sizeof(struct inode *), by_address);
	for (size_t i = 0; i < n; i++) {
		if (i && p->frozen[i] == p->frozen[i - 1])
			return -EMLINK;
		inode_freeze(p->frozen[i]);
		p->nfrozen = i + 1;
	}
	return 0;
}

static void thaw(struct publishing *p)
{
	for (size_t i = 0; i < p->nfrozen; i++)
		inode_thaw(p->frozen[i]);
	p->nfrozen = 0;
}

/* ---- with the lock ---- */

static int is_there(struct publishing *p, int dirfd, const char *name, struct inode *inode, struct stat *st,
		    struct fhandle *h)
{
	struct fhandle wanted = inode_handle(p->lake, inode);

	if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) < 0 || fhandle_get(dirfd, name, h) < 0)
		return -EAGAIN;
	if (!fhandle_equal(h, &wanted))
		return -EAGAIN;
	stub_stat(inode, st);
	return 0;
}

/* Is all as it was planned? Then what becomes of the old content. */
static int prepare_step(struct publishing *p, struct publish_step *s)
{
	struct rename *m = &s->m;
	struct stat st;
	int rc = 0;

	if (m->inode)
		rc = is_there(p, m->from.fd, m->name, m->inode, &m->raw, &s->moved);
	if (!rc && m->over)
		rc = is_there(p, m->to.fd, m->to_name, m->over, &m->over_raw, &s->over);
	if (!rc && !m->over && !fstatat(m->to.fd, m->to_name, &st, AT_SYMLINK_NOFOLLOW))
		rc = -EAGAIN;
	if (!rc && m->over)
		rc = aside_plan(p->lake, m->over, m->to.inode, m->to_name, 0, &m->aside);
	if (!rc && m->over)
		rc = inode_pin(p->lake, m->over);
	return rc;
}

static void use_comparison(struct publish_step *s)
{
	struct rename *m = &s->m;

	if (s->kind != PUBLISH_OVER || m->inode->kind != KIND_FILE || !m->aside.version || !m->aside.settled)
		return;
	m->over_content = (struct former){m->aside.version, (uint64_t)m->aside.st.st_size};
	m->same = s->same && !m->aside.fresh && m->aside.version == s->old_version &&
		  clean_version(m->inode) == s->new_version;
}

static int prepare(struct publishing *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->nfiles && !rc; i++)
		rc = inode_is_dirty(p->files[i]) ? -EAGAIN : 0;
	for (size_t i = 0; i < p->n && !rc; i++) {
		rc = prepare_step(p, &p->steps[i]);
		if (!rc)
			use_comparison(&p->steps[i]);
	}
	return rc;
}

static int move_step(struct publish_step *s)
{
	struct rename *m = &s->m;
	unsigned flags = s->kind == PUBLISH_OVER ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (s->kind == PUBLISH_REMOVE || s->kind == PUBLISH_REMOVE_FOLDER)
		return 0;
	return renameat2(m->from.fd, m->name, m->to.fd, m->to_name, flags) < 0 ? -errno : 0;
}

/* Where the old content lies now. */
static void old_place(const struct publish_step *s, int *dirfd, const char **name)
{
	bool exchanged = s->kind == PUBLISH_OVER;

	*dirfd = exchanged ? s->m.from.fd : s->m.to.fd;
	*name = exchanged ? s->m.name : s->m.to_name;
}

static int keep_step(struct publish_step *s)
{
	const char *name;
	int dirfd;

	if (!s->m.over || !s->m.aside.wanted)
		return 0;
	old_place(s, &dirfd, &name);
	return renameat2(dirfd, name, s->m.over->volume->versionsfd, s->m.aside.name, RENAME_NOREPLACE) < 0 ? -errno
													    : 0;
}

/* All disks that take part; a publication is on one, but old content may have been found on another. */
static int sync_disks(struct publishing *p)
{
	int last = -1;

	for (size_t i = 0; i < p->n; i++) {
		const struct volume *v = p->steps[i].m.to.inode->volume;

		if (v->index != last && syncfs(v->mountfd) < 0)
			return -errno;
		last = v->index;
	}
	return 0;
}

static int change_disk(struct publishing *p)
{
	int rc = intent_begin(p);

	for (size_t i = 0; i < p->n && !rc; i++)
		rc = move_step(&p->steps[i]);
	for (size_t i = 0; i < p->n && !rc; i++)
		rc = keep_step(&p->steps[i]);
	if (!rc)
		rc = sync_disks(p);
	return rc;
}

/*
 * Their content is on the disk, and the record says so: after a power failure nothing of them depends on a hash. Files
 * that had no history where they were prepared get their first version with their name.
 */
static void add_files(struct publishing *p, struct record *r)
{
	for (size_t i = 0; i < p->nfiles; i++) {
		struct inode *inode = p->files[i];
		struct stat st;

		if (inode_stat(p->lake, inode, &st) < 0)
			continue;
		SCOPED_LOCK(&inode->lock);

		durable_add_locked(inode, &st, r);
		if (!inode->version && !inode->dirty && inode->parent && inode->name &&
		    bucket_versions(inode->bucket, inode->parent, inode->name))
			cut_add_live(p->lake, inode, r, &st, p->actor);
	}
}

static void add_rows(struct publishing *p, struct record *r, struct published *out)
{
	for (size_t i = 0; i < p->n; i++) {
		struct publish_step *s = &p->steps[i];

		if (s->kind == PUBLISH_REMOVE || s->kind == PUBLISH_REMOVE_FOLDER) {
			removal_add_rows(p->lake, &s->m.to, s->m.to_name, s->m.over, &s->m.over_raw, &s->m.aside,
					 p->actor, r);
			out->removed++;
			continue;
		}
		rename_add_rows(&s->m, r);
		if (s->m.inode->kind == KIND_FOLDER)
			inode_folder_moved(p->lake, s->m.inode);
		out->added += s->kind == PUBLISH_MOVE;
		out->replaced += s->kind == PUBLISH_OVER;
	}
	add_files(p, r);
}

static void note_submitted(struct publishing *p, uint64_t commit)
{
	for (size_t i = 0; i < p->n; i++) {
		struct inode *all[] = {p->steps[i].m.inode, p->steps[i].m.over, p->steps[i].m.from.inode,
				       p->steps[i].m.to.inode};

		for (int k = 0; k < 4; k++) {
			if (all[k])
				inode_submitted(all[k], commit);
		}
	}
	for (size_t i = 0; i < p->nfiles; i++)
		inode_submitted(p->files[i], commit);
}

static int record_all(struct publishing *p, struct published *out, bool *more)
{
	const struct rename *first = &p->steps[0].m;
	struct record *r = real_record(OP_RENAME, p->actor, first->inode ? first->inode->id : first->over->id,
				       first->to.inode->id, first->to_name);
	int rc;

	if (!r)
		return -ENOMEM;
	*more = intent_commit(p, r);
	add_rows(p, r, out);
	rc = store_submit(p->lake->store, r, &out->commit);
	if (rc < 0)
		return rc;
	note_submitted(p, out->commit);
	return store_sync(p->lake->store, out->commit);
}

/* Frozen, and with the tree lock for writing. */
static int publish_locked(struct publishing *p, struct published *out)
{
	bool more = false;
	int rc = prepare(p), undone;

	if (rc)
		return rc;
	rc = change_disk(p);
	if (!rc)
		rc = record_all(p, out, &more);
	if (rc && !out->commit) {
		undone = intent_end(p->lake);
		if (undone < 0)
			log_error("publishing: undoing it failed: %s", strerror(-undone));
	} else if (more) {
		intent_end(p->lake);
	}
	atomic_fetch_add(&p->lake->published, 1);
	return rc;
}

/* ---- after it ---- */

static void tell_kernel(struct publishing *p)
{
	const struct frontend *f = &p->lake->frontend;

	for (size_t i = 0; i < p->n && f->invalidate_entry; i++) {
		struct rename *m = &p->steps[i].m;

		f->invalidate_entry(f->arg, m->to.inode->id, m->to_name);
		f->invalidate(f->arg, m->to.inode->id, true);
		if (m->over)
			f->invalidate(f->arg, m->over->id, false);
		if (!m->inode)
			continue;
		f->invalidate_entry(f->arg, m->from.inode->id, m->name);
		f->invalidate(f->arg, m->from.inode->id, true);
		f->invalidate(f->arg, m->inode->id, false);
	}
	if (f->flush)
		f->flush(f->arg);
}

static void finish(struct publishing *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct publish_step *s = &p->steps[i];

		if (s->kind == PUBLISH_REMOVE || s->kind == PUBLISH_OVER)
			removal_done(p->lake, &s->m.to, s->m.to_name, s->m.over);
	}
	tell_kernel(p);
}

/* -EAGAIN: names changed between planning and doing. */
static int try_once(struct publishing *p, const char *from, const char *to, struct published *out)
{
	int rc = publish_plan(p, from, to);

	if (!rc)
		rc = publish_check(p, from, to);
	if (!rc)
		rc = wait_settled(p);
	if (rc || !p->n)
		return rc;
	compare(p);
	rc = sync_disks(p); /* most of it, before others have to wait */
	if (rc)
		return rc;
	pthread_rwlock_wrlock(&p->lake->tree_lock);
	rc = freeze(p);
	if (rc == -EMLINK)
		buf_addf(p->error, "a file with two names in %s or %s", from, to);
	if (!rc)
		rc = publish_locked(p, out);
	thaw(p);
	pthread_rwlock_unlock(&p->lake->tree_lock);
	if (!rc)
		finish(p);
	return rc;
}

/* bucket/a/b: no empty names, and none that lead elsewhere. */
static bool is_plain_path(const char *path)
{
	for (const char *name = path;; name++) {
		size_t len = strcspn(name, "/");

		if (!len || len > NAME_BYTES || (len <= 2 && !strncmp(name, "..", len)))
			return false;
		name += len;
		if (!*name)
			return true;
	}
}

int ns_publish(struct lake *lake, const char *from, const char *to, unsigned flags, const struct actor *actor,
	       struct published *out, struct buf *error)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	struct publishing p = {.lake = lake, .actor = actor, .flags = flags, .error = error};
	int rc = -EAGAIN;
	SCOPED_LOCK(&one_at_a_time);

	*out = (struct published){0};
	if (lake->read_only)
		return -EROFS;
	if (!is_plain_path(from) || !is_plain_path(to)) {
		buf_addf(error, "%s, %s: not paths below the root of the mount", from, to);
		return -EINVAL;
	}
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		if (i)
			usleep(PAUSE_US);
		buf_clear(error);
		rc = try_once(&p, from, to, out);
		publish_release(&p);
	}
	if (rc == -EAGAIN && !error->len)
		buf_addf(error, "%s: names are changed there all the time, try again", to);
	return rc;
}
