#include "ns/view.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

static const struct view_ops *const views[] = {&versions_view, &catalog_view};
#define VIEWS (int)(sizeof(views) / sizeof(views[0]))

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct view_node *table; /* protected by table_lock */
static uint64_t last_number;	/* likewise */
static enum synth_mode synth;

void ns_set_synth(enum synth_mode mode)
{
	synth = mode;
}

const char *view_root_name(int i)
{
	for (int v = 0; synth == SYNTH_VISIBLE && v < VIEWS; v++)
		if (views[v]->root_name && !i--)
			return views[v]->root_name;
	return NULL;
}

uint64_t view_new_number(int slot)
{
	SCOPED_LOCK(&table_lock);

	return VIEW_NODE | ((uint64_t)slot << VIEW_SLOT_SHIFT) | ++last_number;
}

int view_temp_file(struct lake *lake)
{
	int fd = openat(lake->temp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("tarn-view", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int view_render(struct lake *lake, const struct buf *text, mode_t mode, uid_t uid, gid_t gid, struct view_node *draft)
{
	struct timespec now;
	int fd;

	if (buf_error(text))
		return -ENOMEM;
	fd = view_temp_file(lake);
	if (fd < 0)
		return fd;
	for (size_t at = 0; at < text->len;) {
		ssize_t n = write(fd, text->data + at, text->len - at);

		if (n < 0) {
			n = -errno;
			close(fd);
			return (int)n;
		}
		at += (size_t)n;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	draft->kind = KIND_FILE;
	draft->fd = fd;
	draft->st = (struct stat){.st_mode = S_IFREG | mode,
				  .st_uid = uid,
				  .st_gid = gid,
				  .st_nlink = 1,
				  .st_size = (off_t)text->len,
				  .st_blocks = (blkcnt_t)((text->len + 511) / 512),
				  .st_blksize = 4096,
				  .st_mtim = now,
				  .st_ctim = now,
				  .st_atim = now};
	return 0;
}

/* ---- the table ---- */

static void release_draft(struct view_node *n)
{
	free(n->text);
	if (n->fd >= 0)
		close(n->fd);
}

/* A node for DRAFT, which is used up: the one of that number, or a new one. It counts as looked up, and as in use. */
static struct view_node *keep(struct view_node *draft)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n;

	HASH_FIND(hh, table, &draft->ino, sizeof(draft->ino), n);
	if (!n && (n = malloc(sizeof(*n)))) {
		memcpy(n, draft, sizeof(*n));
		n->nlookup = n->users = 0;
		HASH_ADD(hh, table, ino, sizeof(n->ino), n);
	} else {
		if (n)
			atomic_store(&n->live, atomic_load(&draft->live));
		release_draft(draft);
	}
	if (n) {
		n->nlookup++;
		n->users++;
	}
	return n;
}

static struct view_node *find(uint64_t ino)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n;

	HASH_FIND(hh, table, &ino, sizeof(ino), n);
	if (n)
		n->users++;
	return n;
}

static void drop_unused_locked(struct view_node *n)
{
	if (n->nlookup || n->users)
		return;
	HASH_DEL(table, n);
	release_draft(n);
	free(n);
}

static void put(struct view_node **n)
{
	SCOPED_LOCK(&table_lock);

	if (!*n)
		return;
	(*n)->users--;
	drop_unused_locked(*n);
}

#define _cleanup_node_ __attribute__((cleanup(put)))

void view_forget(uint64_t ino, uint64_t count)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n;

	HASH_FIND(hh, table, &ino, sizeof(ino), n);
	if (!n)
		return;
	n->nlookup -= count < n->nlookup ? count : n->nlookup;
	drop_unused_locked(n);
}

static int node_stat(struct lake *lake, const struct view_node *n, struct stat *st)
{
	int rc = 0;

	if (n->ops->stat)
		rc = n->ops->stat(lake, n, st);
	else
		*st = n->st;
	st->st_ino = n->ino;
	return rc;
}

static int answer(struct lake *lake, struct view_node *draft, struct ns_entry *e)
{
	_cleanup_node_ struct view_node *n = keep(draft);
	int rc;

	if (!n)
		return -ENOMEM;
	memset(e, 0, sizeof(*e));
	e->ino = n->ino;
	rc = node_stat(lake, n, &e->st);
	if (rc < 0)
		view_forget(n->ino, 1);
	else
		atomic_fetch_add_explicit(&lake->counters.synthetic, 1, memory_order_relaxed);
	return rc;
}

static int draft_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	int rc = -ENOENT;

	for (int v = 0; synth != SYNTH_OFF && rc == -ENOENT && v < VIEWS; v++) {
		*draft = (struct view_node){.fd = -1, .ops = views[v]};
		if (views[v]->look_up_at)
			rc = views[v]->look_up_at(lake, folder, name, draft);
	}
	return rc;
}

int view_look_up_at(struct lake *lake, struct inode *folder, const char *name, struct ns_entry *e)
{
	struct view_node draft;
	int rc = draft_at(lake, folder, name, &draft);

	return rc ? rc : answer(lake, &draft, e);
}

bool view_has(struct lake *lake, struct inode *folder, const char *name)
{
	struct view_node draft;

	if (draft_at(lake, folder, name, &draft))
		return false;
	release_draft(&draft);
	return true;
}

int view_look_up(struct lake *lake, uint64_t folder, const char *name, const struct actor *actor, struct ns_entry *e)
{
	_cleanup_node_ struct view_node *n = find(folder);
	struct view_node draft = {.fd = -1};
	int rc;

	if (!n)
		return -ESTALE;
	if (n->kind != KIND_FOLDER)
		return -ENOTDIR;
	draft.ops = n->ops;
	rc = n->ops->look_up(lake, n, name, actor, &draft);
	return rc ? rc : answer(lake, &draft, e);
}

int view_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout)
{
	_cleanup_node_ struct view_node *n = find(ino);

	*timeout = 0;
	return n ? node_stat(lake, n, st) : -ESTALE;
}

/* ---- files ---- */

int view_open(struct lake *lake, uint64_t ino, struct view_file **out)
{
	_cleanup_node_ struct view_node *n = find(ino);
	struct view_file *f;
	int rc = 0;

	if (!n)
		return -ESTALE;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = -1;
	if (n->fd >= 0) {
		f->fd = fcntl(n->fd, F_DUPFD_CLOEXEC, 3);
		rc = f->fd < 0 ? -errno : 0;
	} else {
		rc = n->ops->open ? n->ops->open(lake, n, f) : -EACCES;
	}
	if (rc < 0) {
		view_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void view_close(struct view_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	past_close(f->past);
	free(f);
}

ssize_t view_file_read(struct view_file *f, void *to, size_t len, off_t at)
{
	ssize_t n = f->past ? past_read(f->past, to, len, at) : pread(f->fd, to, len, at);

	return n < 0 && !f->past ? -errno : n;
}

/* A version is all data: what it was made of may have other holes than it had. */
off_t view_file_seek(struct view_file *f, off_t offset, int whence)
{
	off_t end = f->past ? (off_t)past_size(f->past) : 0, at;

	if (f->past && (whence == SEEK_DATA || whence == SEEK_HOLE))
		return offset < 0 || offset >= end ? -ENXIO : whence == SEEK_DATA ? offset : end;
	if (f->past)
		return -EINVAL; /* the kernel does the others by itself */
	at = lseek(f->fd, offset, whence);
	return at < 0 ? -errno : at;
}

/* ---- extended attributes ---- */

#define PROC_FD_MAX 40

static bool is_users(const char *name)
{
	return !strncmp(name, "user.", 5);
}

/* A version's file, where the node is one; NULL else. */
static struct view_file *open_version(struct lake *lake, uint64_t ino)
{
	_cleanup_node_ struct view_node *n = find(ino);
	struct view_file *f;

	return n && n->fd < 0 && n->kind == KIND_FILE && !view_open(lake, ino, &f) ? f : NULL;
}

/* By the name in /proc: the descriptor may be O_PATH. A version without a file has none of them. */
static const char *attributes_path(const struct view_file *f, char path[PROC_FD_MAX])
{
	snprintf(path, PROC_FD_MAX, "/proc/self/fd/%d", past_attributes_fd(f->past));
	return path;
}

int view_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size)
{
	struct view_file *f = is_users(name) ? open_version(lake, ino) : NULL;
	char path[PROC_FD_MAX];
	ssize_t n;

	if (!f)
		return -ENODATA;
	n = getxattr(attributes_path(f, path), name, value, size);
	n = n < 0 ? -errno : n;
	view_close(f);
	return (int)n;
}

/* Takes all but the user's names out of NAMES; the length of what is left. */
static size_t keep_users(char *names, size_t len)
{
	size_t kept = 0;

	for (size_t at = 0, step; at < len; at += step) {
		step = strlen(names + at) + 1;
		if (!is_users(names + at))
			continue;
		memmove(names + kept, names + at, step);
		kept += step;
	}
	return kept;
}

int view_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size)
{
	struct view_file *f = open_version(lake, ino);
	char all[65536]; /* XATTR_LIST_MAX */
	char path[PROC_FD_MAX];
	ssize_t n;

	if (!f)
		return 0;
	n = listxattr(attributes_path(f, path), all, sizeof(all));
	view_close(f);
	if (n <= 0)
		return 0;
	n = (ssize_t)keep_users(all, (size_t)n);
	if (size && (size_t)n > size)
		return -ERANGE;
	if (size)
		memcpy(names, all, (size_t)n);
	return (int)n;
}

/* ---- listings ---- */

struct view_listing {
	uint64_t ino;
	struct view_name {
		char name[NAME_BYTES + 1];
		enum node_kind kind;
	} * names;
	int n, room;
};

static int add_name(void *arg, const char *name, enum node_kind kind)
{
	struct view_listing *l = arg;

	if (l->n == l->room) {
		int room = l->room ? l->room * 2 : 16;
		struct view_name *more = realloc(l->names, (size_t)room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->names = more;
		l->room = room;
	}
	snprintf(l->names[l->n].name, sizeof(l->names[0].name), "%s", name);
	l->names[l->n++].kind = kind;
	return 0;
}

int view_list_start(struct lake *lake, uint64_t ino, const struct actor *actor, struct view_listing **out)
{
	_cleanup_node_ struct view_node *n = find(ino);
	struct view_listing *l;
	int rc;

	(void)actor;
	if (!n || !n->ops->list)
		return n ? -ENOTDIR : -ESTALE;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->ino = ino;
	rc = add_name(l, ".", KIND_FOLDER);
	if (!rc)
		rc = add_name(l, "..", KIND_FOLDER);
	if (!rc)
		rc = n->ops->list(lake, n, add_name, l);
	if (rc < 0) {
		view_listing_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void view_listing_free(struct view_listing *l)
{
	free(l->names);
	free(l);
}

int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg)
{
	for (off_t i = offset; i < l->n; i++) {
		struct ns_entry e = {
			.st = {.st_mode = l->names[i].kind == KIND_FOLDER ? S_IFDIR : S_IFREG, .st_ino = l->ino}};
		int rc = 0;

		if (plus && i > 1)
			rc = view_look_up(lake, l->ino, l->names[i].name, actor, &e);
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = emit(arg, l->names[i].name, &e, i + 1);
		if (rc == -ENOSPC && e.ino)
			view_forget(e.ino, 1);
		if (rc)
			return rc == -ENOSPC ? 0 : rc;
	}
	return 0;
}
