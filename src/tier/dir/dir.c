#include "tier/dir/dir_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define THREADS 32
#define ID_LEN 32
#define GET_PIECE (1024 * 1024)
#define MEMO "catalog/cloud-folder"

/* ---- the folder ---- */

void dir_unref(struct dir *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	errands_free(d->errands);
	pthread_mutex_destroy(&d->lock);
	free(d->path);
	free(d->lake);
	free(d);
}

static void dir_close(void *engine)
{
	dir_unref(engine);
}

static int dir_open(const struct tier_place *place, void **engine, struct buf *why)
{
	struct dir *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->refs = 1;
	pthread_mutex_init(&d->lock, NULL);
	d->path = strdup(place->path);
	d->lake = place->lake ? strdup(place->lake) : NULL;
	d->same_disk_allowed = place->settings->cloud_allow_same_disk;
	d->errands = errands_new(THREADS);
	if (!d->path || !d->errands || (place->lake && !d->lake)) {
		dir_unref(d);
		buf_adds(why, "no memory");
		return -ENOMEM;
	}
	*engine = d;
	return 0;
}

/* The first line of a small file; -ENOENT also where it is empty. */
static int read_id(int dirfd, const char *name, char id[ID_LEN + 1])
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, id, ID_LEN);
	if (n < 0)
		return -errno;
	id[n] = '\0';
	return n == ID_LEN && strspn(id, "0123456789abcdef") == ID_LEN ? 0 : -ENOENT;
}

/* Durable; what another has written at the same time stays. */
static int write_id(int dirfd, const char *name, const char *id)
{
	_cleanup_buf_ struct buf temp = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int r = 0;

	buf_addf(&temp, "%s.%d-%lx", name, (int)getpid(), (unsigned long)pthread_self());
	fd = openat(dirfd, buf_str(&temp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", id) < 0 || fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat2(dirfd, buf_str(&temp), dirfd, name, RENAME_NOREPLACE) < 0)
		r = errno == EEXIST ? 0 : errno == EINVAL ? -EINVAL : -errno;
	if (r == -EINVAL)
		r = renameat(dirfd, buf_str(&temp), dirfd, name) < 0 ? -errno : 0;
	unlinkat(dirfd, buf_str(&temp), 0);
	return r;
}

static int make_folder(int dirfd, const char *name)
{
	return mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* A folder that no lake has used yet becomes one. */
static int prepare(int root)
{
	char id[ID_LEN + 1] = "";
	uint8_t bytes[ID_LEN / 2];
	int r = make_folder(root, DIR_OWN);

	if (r == 0)
		r = make_folder(root, DIR_TEMP);
	if (r == 0 && faccessat(root, ".TARN%OWN", F_OK, 0) == 0)
		return -ENOTSUP;
	if (r == 0 && read_id(root, DIR_OWN "/id", id) < 0) {
		clock_source.random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			snprintf(id + 2 * i, 3, "%02x", bytes[i]);
		r = write_id(root, DIR_OWN "/id", id);
	}
	return r;
}

static int on_disk_of_lake(struct dir *d, const struct stat *st)
{
	struct stat lake;

	if (!d->lake || d->same_disk_allowed)
		return 0;
	if (stat(d->lake, &lake) < 0)
		return -errno;
	return lake.st_dev == st->st_dev;
}

/* Is ROOT the folder that the lake has used? The first one it sees is remembered. */
static int identify(struct dir *d, int root, struct buf *why)
{
	char id[ID_LEN + 1], remembered[ID_LEN + 1];
	_cleanup_close_ int lake = -1;
	int r, memo = -ENOENT;

	if (d->lake) {
		lake = open(d->lake, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (lake < 0)
			return -errno;
		memo = read_id(lake, MEMO, remembered);
	}
	r = read_id(root, DIR_OWN "/id", id);
	if (memo == 0 && (r == -ENOENT || (r == 0 && strcmp(id, remembered) != 0))) {
		buf_addf(why,
			 "%s is not the folder that this lake has used (is its disk mounted?); if it is, remove %s/%s",
			 d->path, d->lake, MEMO);
		return -EHOSTUNREACH;
	}
	if (r == -ENOENT)
		r = prepare(root);
	if (r == -ENOTSUP)
		buf_addf(why, "%s does not tell upper from lower case, so that objects would replace one another",
			 d->path);
	if (r == 0 && memo < 0 && d->lake) {
		r = read_id(root, DIR_OWN "/id", id);
		if (r == 0)
			r = write_id(lake, MEMO, id);
	}
	return r;
}

static bool is_known(struct dir *d, const struct stat *st)
{
	SCOPED_LOCK(&d->lock);
	return d->ino == st->st_ino && d->dev == st->st_dev;
}

static int check_root(struct dir *d, int root, const struct stat *st, struct buf *why)
{
	int r = on_disk_of_lake(d, st);

	if (r > 0) {
		buf_addf(why, "%s is on the disk of the lake (cloud_allow_same_disk lets it be, for demonstrations)",
			 d->path);
		return -EINVAL;
	}
	if (r == 0)
		r = identify(d, root, why);
	if (r == 0) {
		SCOPED_LOCK(&d->lock);
		d->dev = st->st_dev;
		d->ino = st->st_ino;
	}
	return r;
}

/* Opened anew each time: nobody is kept from unmounting it, and another disk in its place is found out. */
int dir_root(struct dir *d, struct buf *why)
{
	_cleanup_close_ int root = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (root < 0 || fstat(root, &st) < 0) {
		r = errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : -EHOSTUNREACH;
		buf_addf(why, "%s: %s", d->path, strerror(errno));
		return r;
	}
	r = is_known(d, &st) ? 0 : check_root(d, root, &st, why);
	return r < 0 ? r : steal_fd(&root);
}

/* ---- steps ---- */

void *dir_op_new(struct dir *d, size_t size, void (*release)(struct dir_op *op))
{
	struct dir_op *op = calloc(1, size);

	if (!op)
		return NULL;
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*op = (struct dir_op){.dir = d, .release = release, .root = -1, .fd = -1};
	return op;
}

static void op_drop(void *arg)
{
	struct dir_op *op = arg;
	struct dir *d = op->dir;

	if (op->root >= 0)
		close(op->root);
	if (op->fd >= 0)
		close(op->fd);
	if (op->release)
		op->release(op);
	buf_release(&op->why);
	free(op);
	dir_unref(d);
}

void dir_op_freep(void *op_pointer)
{
	struct dir_op *op = *(struct dir_op **)op_pointer;

	if (op && op->fd >= 0)
		errand_post(op->dir->errands, op_drop, op);
	else if (op)
		op_drop(op);
}

/* What a disk said, in the words of tier.h. */
static int of_disk(int r)
{
	switch (-r) {
	case ENAMETOOLONG:
	case ELOOP:
	case EINVAL:
		return -EINVAL;
	case EPERM:
	case EROFS:
		return -EACCES;
	case EFBIG:
		return -ENOSPC;
	case ENOTCONN:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ECONNRESET:
	case ECONNABORTED:
	case ESHUTDOWN:
	case EREMOTEIO:
	case ENODEV:
	case ENXIO:
		return -EHOSTUNREACH;
	case ENOENT:
	case EACCES:
	case EEXIST:
	case ESTALE:
	case ERANGE:
	case ENOSPC:
	case EDQUOT:
	case EHOSTUNREACH:
	case ETIMEDOUT:
	case ECANCELED:
	case ENOTSUP:
	case ENOMEM:
		return r;
	default:
		return r < 0 ? -EIO : r;
	}
}

int dir_changed(struct dir_op *op)
{
	op->changed = true;
	return -ESTALE;
}

static int run_step(void *arg)
{
	struct dir_op *op = arg;
	int r = 0;

	op->root = dir_root(op->dir, &op->why);
	if (op->root < 0)
		r = op->root;
	else
		r = op->step(op);
	if (op->root >= 0)
		close(op->root);
	op->root = -1;
	return r;
}

int dir_step(struct dir_op **op, int (*step)(struct dir_op *op), struct tier_try *t)
{
	bool lost;
	int r;

	(*op)->step = step;
	r = of_disk(errand_run((*op)->dir->errands, t, run_step, op_drop, *op, &lost));
	/* What NFS calls stale is a file that its server has lost, not one with another ETag. */
	if (r == -ESTALE && !lost && !(*op)->changed)
		r = -EHOSTUNREACH;
	t->again = r == -EHOSTUNREACH || r == -EIO || r == -ETIMEDOUT;
	if (lost) {
		snprintf(t->why, sizeof(t->why), "the folder does not answer");
		*op = NULL;
	} else if (r < 0) {
		snprintf(t->why, sizeof(t->why), "%s", buf_str(&(*op)->why));
	}
	return r;
}

/* ---- small calls ---- */

struct dir_object {
	struct dir_op op;
	char *key;
	struct tier_head head;
};

static void object_release(struct dir_op *op)
{
	free(((struct dir_object *)op)->key);
}

static struct dir_object *object_new(struct dir *d, const char *key)
{
	struct dir_object *o = dir_op_new(d, sizeof(*o), object_release);

	if (!o)
		return NULL;
	o->key = strdup(key);
	if (!o->key) {
		op_drop(&o->op);
		return NULL;
	}
	return o;
}

static int head_step(struct dir_op *op)
{
	struct dir_object *o = (struct dir_object *)op;
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = dir_open_file(op->root, o->key, &st);
	return fd < 0 ? fd : dir_facts_read(op->root, o->key, fd, &st, &o->head);
}

static int dir_head(void *engine, const char *key, struct tier_try *t, struct tier_head *head)
{
	_cleanup_op_ struct dir_op *op = (struct dir_op *)object_new(engine, key);
	int r = op ? dir_step(&op, head_step, t) : -ENOMEM;

	if (r == 0)
		*head = ((struct dir_object *)op)->head;
	return r;
}

static int remove_folder(int dirfd, const char *name)
{
	_cleanup_buf_ struct buf marked = BUF_INIT;

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return -errno;
	dir_marked(&marked, 'd', name);
	return unlinkat(dirfd, buf_str(&marked), AT_REMOVEDIR) < 0 ? -errno : 0;
}

/*
 * Folders that nothing is in any more, from FD (taken over) up to the root; PATH: the removed file's. Another's put may
 * make one anew at the same time. Upwards by "..", for a path may be longer than the kernel takes.
 */
static void remove_empty(int fd, const char *path)
{
	_cleanup_close_ int at = fd;
	_cleanup_buf_ struct buf folder = BUF_INIT;
	char *slash;

	buf_adds(&folder, path);
	while (buf_error(&folder) == 0 && folder.data && (slash = strrchr(folder.data, '/'))) {
		const char *name;
		int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (up < 0)
			return;
		close(at);
		at = up;
		*slash = '\0';
		name = strrchr(folder.data, '/');
		if (remove_folder(at, name ? name + 1 : folder.data) < 0)
			return;
	}
}

static int unlink_there(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* A folder of that name: unlink(2) says EISDIR, and EPERM on some. */
	return errno == EISDIR || errno == EPERM ? -EISDIR : -errno;
}

static int remove_step(struct dir_op *op)
{
	struct dir_object *o = (struct dir_object *)op;
	_cleanup_buf_ struct buf path = BUF_INIT, marked = BUF_INIT;
	_cleanup_close_ int parent = -1;
	const char *name;
	int r;

	dir_path_of_key(&path, o->key);
	parent = dir_open_parent(op->root, &path, false, &name);
	if (parent < 0)
		return parent == -ENOENT ? 0 : parent;
	r = unlink_there(parent, name);
	dir_marked(&marked, 'f', name);
	if (r == 0 || r == -EISDIR)
		r = unlink_there(parent, buf_str(&marked));
	if (r == 0) {
		dir_facts_remove(op->root, o->key);
		remove_empty(steal_fd(&parent), buf_str(&path));
	}
	return r;
}

static int dir_remove(void *engine, const char *const *keys, int n, int *results, struct tier_try *t)
{
	for (int i = 0; i < n; i++) {
		_cleanup_op_ struct dir_op *op = (struct dir_op *)object_new(engine, keys[i]);

		results[i] = op ? dir_step(&op, remove_step, t) : -ENOMEM;
		if (results[i] < 0 && t->again)
			return results[i];
	}
	return 0;
}

/* Nothing is ever archived here. */
static int dir_restore(void *engine, const char *key, int days, struct tier_try *t)
{
	struct tier_head head;

	(void)days;
	return dir_head(engine, key, t, &head);
}

/* ---- reading ---- */

struct dir_get {
	struct dir_object object;
	uint64_t offset, end;
	bool to_end, opened;
	struct stat st;
	size_t have;
	char *bytes;
};

static void get_release(struct dir_op *op)
{
	free(((struct dir_get *)op)->bytes);
	object_release(op);
}

static int get_open(struct dir_op *op, struct dir_get *g)
{
	struct dir_object *o = &g->object;
	int r;

	op->fd = dir_open_file(op->root, o->key, &g->st);
	if (op->fd < 0)
		return op->fd;
	r = dir_facts_read(op->root, o->key, op->fd, &g->st, &o->head);
	g->opened = true;
	if (r == 0 && g->offset >= o->head.size && g->offset > 0)
		r = -ERANGE;
	if (g->end > o->head.size)
		g->end = o->head.size;
	return r;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The next piece; somebody may write the file in place meanwhile. */
static int get_step(struct dir_op *op)
{
	struct dir_get *g = (struct dir_get *)op;
	int r = g->opened ? 0 : get_open(op, g);
	size_t want;
	struct stat st;

	if (r < 0)
		return r;
	want = g->end - g->offset < GET_PIECE ? (size_t)(g->end - g->offset) : GET_PIECE;
	for (g->have = 0; g->have < want;) {
		ssize_t n = pread(op->fd, g->bytes + g->have, want - g->have, (off_t)(g->offset + g->have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : dir_changed(op);
		g->have += (size_t)n;
	}
	if (fstat(op->fd, &st) < 0)
		return -errno;
	g->offset += g->have;
	return same_file(&st, &g->st) ? 0 : dir_changed(op);
}

static struct dir_get *get_new(struct dir *d, const struct tier_get *g)
{
	struct dir_get *it = dir_op_new(d, sizeof(*it), get_release);

	if (!it)
		return NULL;
	it->offset = g->offset;
	it->end = g->length > UINT64_MAX - g->offset ? UINT64_MAX : g->offset + g->length;
	it->bytes = malloc(GET_PIECE);
	it->object.key = strdup(g->key);
	if (!it->bytes || !it->object.key) {
		op_drop(&it->object.op);
		return NULL;
	}
	return it;
}

static int dir_get(void *engine, const struct tier_get *get, int (*headed)(void *arg, const struct tier_head *head),
		   int (*body)(void *arg, const void *bytes, size_t len), void *arg, struct tier_try *t)
{
	struct dir_get *g = get_new(engine, get);
	_cleanup_op_ struct dir_op *op = g ? &g->object.op : NULL;
	int r = op ? dir_step(&op, get_step, t) : -ENOMEM;

	if (r == 0 && get->etag && strcmp(get->etag, g->object.head.etag) != 0)
		return -ESTALE;
	if (r == 0)
		r = headed(arg, &g->object.head);
	while (r == 0 && g->have) {
		t->received += g->have;
		r = body(arg, g->bytes, g->have);
		if (r == 0 && g->offset >= g->end)
			break;
		if (r == 0)
			r = dir_step(&op, get_step, t);
	}
	return r;
}

const struct tier_ops tier_dir = {
	.name = "dir",
	.put_max = UINT64_MAX,
	.open = dir_open,
	.close = dir_close,
	.put = dir_put,
	.get = dir_get,
	.head = dir_head,
	.list = dir_list,
	.list_end = dir_list_end,
	.remove = dir_remove,
	.copy = dir_copy,
	.restore = dir_restore,
	.sweep = dir_sweep,
};
