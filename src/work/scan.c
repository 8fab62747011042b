/*
 * The scan for what changed while nothing was mounted: once after each mount, over the whole tree, always; and once
 * over each bucket elsewhere that a reload of the settings adds. Requests are served meanwhile; a look-up finds what
 * it asks for by itself (content/outside.h), so nobody waits for the scan.
 *
 * Two walks. The first looks up everything there is: new and changed files are taken in, and files that were renamed
 * are recognised under their new names. Only then the second asks each folder what is not there any more: done in one
 * walk, a file that moved to a folder not yet visited would be taken for removed.
 *
 * Depth first, with one level of the stack per folder on the way down: a reference to its inode and a position. The
 * topmost OPEN_LEVELS keep their stream open; a deeper one is closed before its subfolder is entered and goes on from
 * its position afterwards (what NFS servers rely on, too). So neither memory nor descriptors grow with the tree, and no
 * symbolic link is followed: there are no loops. Other file systems mounted inside are not entered.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/outside.h"
#include "work/work_int.h"

#define OPEN_LEVELS 64
#define BACKGROUND 10 /* a look-up that takes something in excludes changes to the tree for that moment */
#define TOLD 10	      /* as many problems are logged */
#define LOOK_NS NSEC_PER_SEC

struct level {
	struct inode *folder; /* with a reference */
	DIR *stream;	      /* NULL: closed for the while */
	long at;	      /* where to go on then */
};

enum walk { WALK_LOOK_UP, WALK_CHECK };

struct scan {
	struct work *work;
	struct lake *lake;
	enum walk walk;
	/* The list of buckets only grows, at its head: from here to there they are new to this scan. */
	struct bucket *newest, *known;
	struct level *levels;
	size_t n, room;
	unsigned problems;
};

static void problem(struct scan *s, const struct inode *folder, const char *name, int err)
{
	if (err == ENOENT || err == ESTALE || err == ENOTDIR || err == ELOOP) /* it went while we came */
		return;
	if (s->problems++ < TOLD)
		log_warning("scan: folder %" PRIu64 "%s%s: %s", folder->id, name ? ", " : "", name ? name : "",
			    strerror(err));
}

/* ---- the stack ---- */

static int open_stream(struct scan *s, struct level *l)
{
	int fd = inode_open(s->lake, l->folder, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	l->stream = fdopendir(fd);
	if (!l->stream) {
		int err = errno;

		close(fd);
		return -err;
	}
	if (l->at)
		seekdir(l->stream, l->at);
	return 0;
}

static void close_stream(struct level *l)
{
	l->at = telldir(l->stream);
	closedir(l->stream);
	l->stream = NULL;
}

/* Takes the reference to FOLDER over. */
static int push(struct scan *s, struct inode *folder)
{
	struct level *l;

	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 16;

		l = reallocarray(s->levels, room, sizeof(*l));
		if (!l) {
			inode_unref(s->lake, folder);
			return -ENOMEM;
		}
		s->levels = l;
		s->room = room;
	}
	if (s->n > OPEN_LEVELS)
		close_stream(&s->levels[s->n - 1]);
	s->levels[s->n++] = (struct level){.folder = folder};
	return 0;
}

static void pop(struct scan *s)
{
	struct level *l = &s->levels[--s->n];

	if (l->stream)
		closedir(l->stream);
	inode_unref(s->lake, l->folder);
}

/* ---- one folder ---- */

/* Private buckets have no records; a plain file in the root is no bucket. */
static bool is_left_out(const struct inode *folder, const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	return folder->id == NODE_ROOT && name[0] == '.';
}

/* Looks NAME up; a folder is entered next. FD: its folder, but for buckets that lie elsewhere. */
static void visit(struct scan *s, struct inode *folder, int fd, const char *name)
{
	struct inode *inode;
	struct stat st;
	int rc = outside_look_up(s->lake, folder, fd, name, &inode, &st);

	if (rc < 0) {
		problem(s, folder, name, -rc);
		return;
	}
	if (s->walk == WALK_LOOK_UP)
		atomic_fetch_add_explicit(&s->lake->scan_seen, 1, memory_order_relaxed);
	if (!S_ISDIR(st.st_mode)) {
		inode_unref(s->lake, inode);
		return;
	}
	rc = push(s, inode);
	if (rc < 0)
		problem(s, folder, name, -rc);
}

static void visit_entry(struct scan *s, struct inode *folder, DIR *stream, const struct dirent *e)
{
	struct stat st;

	if (is_left_out(folder, e->d_name))
		return;
	if (s->walk == WALK_CHECK && e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
		return;
	if (fstatat(dirfd(stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (st.st_dev != folder->volume->dev)
		return;
	if (!S_ISDIR(st.st_mode) && (s->walk == WALK_CHECK || folder->id == NODE_ROOT))
		return;
	visit(s, folder, dirfd(stream), e->d_name);
}

/* ---- buckets that lie elsewhere: they have no entry in the root ---- */

static struct bucket *next_bucket(struct scan *s, struct bucket *b)
{
	SCOPED_LOCK(&s->lake->buckets_lock);

	for (b = b ? b->next : s->newest; b && b != s->known; b = b->next)
		if (!b->removed && b->fd >= 0)
			return b;
	return NULL;
}

/* Goes on to those that came since the last time. Are there any? */
static bool take_new_buckets(struct scan *s)
{
	pthread_mutex_lock(&s->lake->buckets_lock);
	s->known = s->newest;
	s->newest = s->lake->buckets;
	pthread_mutex_unlock(&s->lake->buckets_lock);
	return next_bucket(s, NULL);
}

static void visit_buckets_elsewhere(struct scan *s, struct inode *root)
{
	char name[NAME_BYTES + 1];
	struct bucket *b = NULL;

	while ((b = next_bucket(s, b))) {
		pthread_mutex_lock(&s->lake->buckets_lock);
		snprintf(name, sizeof(name), "%s", b->name); /* a rename may change it */
		pthread_mutex_unlock(&s->lake->buckets_lock);
		if (name[0] != '.')
			visit(s, root, s->lake->buckets_fd, name);
	}
}

/* ---- all of it ---- */

/* Goes on with the topmost level until it has a new one above it or is done. */
static void go_on(struct scan *s)
{
	size_t at = s->n - 1;
	struct inode *folder = s->levels[at].folder;
	struct dirent *e;
	int rc = 0;

	if (!s->levels[at].stream)
		rc = open_stream(s, &s->levels[at]);
	if (rc < 0) {
		problem(s, folder, NULL, -rc);
		pop(s);
		return;
	}
	while (s->n == at + 1 && !work_stopping(s->work) && (e = readdir(s->levels[at].stream)))
		visit_entry(s, folder, s->levels[at].stream, e);
	if (s->n > at + 1 || work_stopping(s->work))
		return;
	if (s->walk == WALK_CHECK) {
		rc = outside_check_folder(s->lake, folder, &s->work->stopping);
		if (rc < 0 && rc != -ECANCELED)
			problem(s, folder, NULL, -rc);
	}
	pop(s);
}

static void walk(struct scan *s, enum walk walk, bool whole)
{
	struct inode *root = inode_find(s->lake, NODE_ROOT);

	s->walk = walk;
	if (!root)
		return;
	visit_buckets_elsewhere(s, root);
	if (whole && push(s, inode_ref(s->lake, root)) < 0)
		problem(s, root, NULL, ENOMEM);
	while (s->n && !work_stopping(s->work))
		go_on(s);
	while (s->n)
		pop(s);
	inode_unref(s->lake, root);
}

/* WHOLE: all of the tree, not only the buckets that are new. */
static void scan(struct scan *s, bool whole)
{
	struct lake *lake = s->lake;
	uint64_t adopted = atomic_load(&lake->counters.adopted), seen = atomic_load(&lake->scan_seen);
	int64_t begun = clock_monotonic();

	s->problems = 0;
	atomic_store(&lake->scan_running, true);
	walk(s, WALK_LOOK_UP, whole);
	if (!work_stopping(s->work))
		walk(s, WALK_CHECK, whole);
	if (work_stopping(s->work))
		return;
	atomic_store(&lake->scan_running, false);
	log_info("scan: %" PRIu64 " files and folders seen, %" PRIu64 " taken in, %u problems, in %.1f s",
		 (uint64_t)atomic_load(&lake->scan_seen) - seen,
		 (uint64_t)atomic_load(&lake->counters.adopted) - adopted, s->problems,
		 (double)(clock_monotonic() - begun) / (double)NSEC_PER_SEC);
}

void *scan_main(void *arg)
{
	struct work *w = arg;
	struct scan s = {.work = w, .lake = w->lake};

	work_be_nice(BACKGROUND);
	take_new_buckets(&s);
	scan(&s, true);
	if (!work_stopping(w))
		leftovers_sweep(w, NULL);
	while (work_sleep(w, LOOK_NS))
		if (take_new_buckets(&s))
			scan(&s, false);
	free(s.levels);
	return NULL;
}
