/*
 * Listing folders. What lies in a folder is what the disk says, in the disk's order and with its offsets; the numbers
 * come from the store: with attributes by looking each entry up, without them by one query for the whole folder.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "content/outside.h"
#include "ns/opened.h"
#include "ns/real.h"
#include "ns/view/view.h"

struct number {
	UT_hash_handle hh;
	uint64_t node;
	enum node_kind kind;
	char name[];
};

struct listing {
	struct opened opened;
	uint64_t ino;
	struct inode *inode; /* NULL for a view's */
	struct folder_fd *folder;
	DIR *dir;
	struct dirent *next; /* read, but did not fit into the last reply */
	off_t offset;	     /* where the stream is */
	struct number *numbers;
	bool have_numbers;
	struct view_listing *view;
	pthread_mutex_t lock; /* two readers of one handle take turns */
};

static void drop_numbers(struct listing *l)
{
	struct number *n, *next;

	HASH_ITER (hh, l->numbers, n, next) {
		HASH_DEL(l->numbers, n);
		free(n);
	}
	l->have_numbers = false;
}

void ns_release_folder(struct lake *lake, struct listing *l)
{
	if (!l)
		return;
	opened_remove(lake, &l->opened);
	if (l->dir)
		closedir(l->dir);
	folder_put(l->folder);
	if (l->inode)
		inode_unref(lake, l->inode);
	if (l->view)
		view_listing_free(l->view);
	drop_numbers(l);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int open_stream(struct lake *lake, struct listing *l)
{
	int rc = real_get(lake, l->ino, &l->inode), fd;

	if (!rc)
		rc = folder_get(lake, l->inode, &l->folder);
	if (rc < 0)
		return rc;
	fd = openat(folder_fd(l->folder), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	l->dir = fdopendir(fd);
	if (!l->dir) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

int ns_open_folder(struct lake *lake, uint64_t ino, struct listing **out)
{
	struct listing *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->ino = ino;
	rc = ino & VIEW_NODE ? view_list_start(ino, &l->view) : open_stream(lake, l);
	if (rc < 0) {
		ns_release_folder(lake, l);
		return rc;
	}
	l->opened.front = ino & VIEW_NODE ? view_front(ino) : NULL;
	opened_add(lake, &lake->open_folders, &l->opened);
	*out = l;
	return 0;
}

/* The root is also changed by `tarn bucket` and by a reload; and files come and go where stubs are left out. */
bool ns_folder_is_cached(struct lake *lake, struct listing *l, bool *keep)
{
	*keep = true;
	if (l->view)
		return view_list_is_cached(lake, l->view, keep);
	return l->ino != NODE_ROOT && lake->frontend.stubs != STUBS_SKIP &&
	       real_entry_timeout(lake, l->inode) == LONG_TIMEOUT;
}

static int note_number(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct listing *l = arg;
	size_t len = strlen(name);
	struct number *n = malloc(sizeof(*n) + len + 1);

	if (!n)
		return -ENOMEM;
	n->node = node;
	n->kind = kind;
	memcpy(n->name, name, len + 1);
	HASH_ADD_KEYPTR(hh, l->numbers, n->name, len, n);
	return 0;
}

static int read_numbers(struct lake *lake, struct listing *l)
{
	int rc;

	if (l->have_numbers)
		return 0;
	rc = store_barrier(lake->store, atomic_load(&l->inode->commit));
	if (!rc)
		rc = store_entries(lake->store, l->ino, note_number, l);
	l->have_numbers = true;
	return rc;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* At the root plain files are no buckets; a bucket's own history is not shown. */
static bool is_hidden(const struct listing *l, const struct dirent *d)
{
	if (l->ino == NODE_ROOT)
		return d->d_type != DT_DIR && d->d_type != DT_UNKNOWN;
	return atomic_load(&l->inode->in_root) && !strcmp(d->d_name, ".tarn-versions");
}

/* With stubs=skip: E, the entry D, is a file whose bytes are only in the cloud. */
static bool is_skipped(const struct lake *lake, const struct listing *l, const struct dirent *d,
		       const struct ns_entry *e)
{
	struct stat st;

	if (lake->frontend.stubs != STUBS_SKIP || !S_ISREG(e->st.st_mode))
		return false;
	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_LNK;
	return !fstatat(folder_fd(l->folder), d->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

static uint64_t parent_number(struct lake *lake, struct listing *l)
{
	char name[NAME_BYTES + 1];
	struct inode *parent = inode_parent(lake, l->inode, name);
	uint64_t number = parent ? parent->id : l->ino;

	inode_unref(lake, parent);
	return number;
}

/* 0 with an entry; -ENOENT when it vanished meanwhile. */
static int describe(struct lake *lake, struct listing *l, const struct dirent *d, bool plus, const struct actor *actor,
		    struct ns_entry *e)
{
	struct number *n;
	int rc;

	memset(e, 0, sizeof(*e));
	if (plus && !is_dots(d->d_name)) {
		rc = ns_look_up(lake, l->ino, d->d_name, actor, e);
		return rc ? rc : e->ino ? 0 : -ENOENT;
	}
	e->st.st_mode = (mode_t)(d->d_type << 12);
	if (is_dots(d->d_name)) {
		e->st.st_ino = d->d_name[1] ? parent_number(lake, l) : l->ino;
		return 0;
	}
	HASH_FIND_STR(l->numbers, d->d_name, n);
	if (n) {
		e->st.st_ino = n->node;
		if (d->d_type == DT_LNK && n->kind == KIND_FILE) /* a stub */
			e->st.st_mode = S_IFREG;
		return 0;
	}
	rc = ns_look_up(lake, l->ino, d->d_name, actor, e); /* not seen before */
	if (rc || !e->ino)
		return -ENOENT;
	ns_forget(lake, e->ino, 1);
	e->ino = 0;
	return 0;
}

static void seek_to(struct listing *l, off_t offset)
{
	if (offset == l->offset)
		return;
	l->next = NULL;
	l->offset = offset;
	if (offset) {
		seekdir(l->dir, offset);
	} else {
		rewinddir(l->dir);
		drop_numbers(l);
	}
}

#define VIEW_OFFSETS (INT64_MAX - 64) /* beyond any offset of a disk's folder */

/* With synth=visible the root also lists its views, after everything real. */
static int list_views(struct lake *lake, struct listing *l, off_t offset, bool plus, ns_emit_fn emit, void *arg)
{
	const char *name;
	int rc = 0;

	if (l->ino != NODE_ROOT)
		return 0;
	for (int i = offset > VIEW_OFFSETS ? (int)(offset - VIEW_OFFSETS) : 0; !rc && (name = view_root_name(i)); i++) {
		struct ns_entry e = {.st = {.st_mode = S_IFDIR, .st_ino = l->ino}};

		if (plus)
			rc = view_look_up_at(lake, l->inode, name, &e);
		if (!rc)
			rc = emit(arg, name, &e, VIEW_OFFSETS + i + 1);
		if (rc && e.ino)
			ns_forget(lake, e.ino, 1);
	}
	return rc == -ENOSPC ? 0 : rc;
}

static int list_real(struct lake *lake, struct listing *l, off_t offset, bool plus, const struct actor *actor,
		     ns_emit_fn emit, void *arg)
{
	struct ns_entry e;
	bool skipped;
	int rc = 0;

	if (offset > VIEW_OFFSETS)
		return list_views(lake, l, offset, plus, emit, arg);
	seek_to(l, offset);
	if (!plus)
		rc = read_numbers(lake, l);
	while (!rc) {
		errno = 0;
		if (!l->next)
			l->next = readdir(l->dir);
		if (!l->next)
			return errno ? -errno : list_views(lake, l, 0, plus, emit, arg);
		if (!is_hidden(l, l->next)) {
			rc = describe(lake, l, l->next, plus, actor, &e);
			skipped = !rc && is_skipped(lake, l, l->next, &e);
			if (!rc && !skipped)
				rc = emit(arg, l->next->d_name, &e, l->next->d_off);
			if ((rc == -ENOSPC || skipped) && e.ino)
				ns_forget(lake, e.ino, 1);
			if (rc == -ENOSPC)
				return 0;
			if (rc == -ENOENT || rc == -ESTALE)
				rc = 0;
		}
		l->offset = l->next->d_off;
		l->next = NULL;
	}
	return rc;
}

int ns_list(struct lake *lake, struct listing *l, off_t offset, bool plus, const struct actor *actor, ns_emit_fn emit,
	    void *arg)
{
	SCOPED_LOCK(&l->lock);

	if (l->view)
		return view_list(lake, l->view, offset, plus, actor, emit, arg);
	return list_real(lake, l, offset, plus, actor, emit, arg);
}

int ns_fsync_folder(struct lake *lake, uint64_t ino)
{
	_cleanup_close_ int fd = -1;
	struct inode *inode;
	int rc;

	if (ino & VIEW_NODE)
		return 0;
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	fd = inode_open(lake, inode, O_RDONLY | O_DIRECTORY);
	rc = fd < 0 ? fd : fsync(fd) < 0 ? -errno : store_sync(lake->store, atomic_load(&inode->commit));
	inode_unref(lake, inode);
	return rc;
}
