/* Putting and copying: a file below .tarn%own/temp, whole and durable, gets its name. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/full_io.h"
#include "base/clock.h"
#include "tier/dir/dir_int.h"

#define PIECE (1024 * 1024)
#define COPY_STEP (32 * PIECE) /* by the kernel, in one errand */
#define SYNC_EACH (64 * PIECE) /* so that no fsync takes long */
#define PLACE_TRIES 10

struct dir_put {
	struct dir_op op; /* fd: the temporary file */
	char *key;
	struct tier_facts facts;
	bool if_none_match;
	int folder;    /* of temporary files */
	char temp[40]; /* "": it has its name */
	char *bytes;   /* PIECE; what the next step writes */
	size_t have;
	uint64_t at;
	EVP_MD_CTX *hash;
	char etag[TIER_ETAG_ROOM];
	struct tier_head head;
	/* of a copy */
	char *from, *from_etag;
	bool keeps_facts;
	int source;
	uint64_t size;
};

static void put_release(struct dir_op *op)
{
	struct dir_put *p = (struct dir_put *)op;

	if (p->temp[0])
		unlinkat(p->folder, p->temp, 0);
	if (p->folder >= 0)
		close(p->folder);
	if (p->source >= 0)
		close(p->source);
	EVP_MD_CTX_free(p->hash);
	free(p->bytes);
	free(p->key);
	free(p->from);
	free(p->from_etag);
}

static struct dir_put *put_new(struct dir *d, const char *key, bool if_none_match)
{
	struct dir_put *p = dir_op_new(d, sizeof(*p), put_release);
	struct dir_op *op = p ? &p->op : NULL;

	if (!p)
		return NULL;
	p->folder = p->source = -1;
	p->if_none_match = if_none_match;
	p->key = strdup(key);
	p->bytes = malloc(PIECE);
	p->hash = EVP_MD_CTX_new();
	if (!p->key || !p->bytes || !p->hash || EVP_DigestInit_ex(p->hash, EVP_sha256(), NULL) != 1) {
		dir_op_freep(&op);
		return NULL;
	}
	return p;
}

/* ---- steps ---- */

static int make_temp(struct dir_put *p)
{
	uint64_t number;

	p->folder = dir_open_folder(p->op.root, DIR_TEMP);
	if (p->folder < 0)
		return p->folder;
	clock_source.random(&number, sizeof(number));
	snprintf(p->temp, sizeof(p->temp), "%016lx", (unsigned long)number);
	p->op.fd = openat(p->folder, p->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->op.fd >= 0)
		return 0;
	p->temp[0] = '\0';
	return -errno;
}

static int write_piece(struct dir_put *p)
{
	int rc = write_full_at(p->op.fd, p->bytes, p->have, p->at);

	if (rc)
		return rc;
	if ((p->at + p->have) / SYNC_EACH != p->at / SYNC_EACH && fdatasync(p->op.fd) < 0)
		return -errno;
	p->at += p->have;
	p->have = 0;
	return 0;
}

static bool is_folder(int parent, const char *name)
{
	struct stat st;

	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Disks of others know neither NOREPLACE nor links: then the look before must do. */
static int place_new(struct dir_put *p, int parent, const char *name)
{
	if (renameat2(p->folder, p->temp, parent, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	if (linkat(p->folder, p->temp, parent, name, 0) == 0) {
		unlinkat(p->folder, p->temp, 0);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return -errno;
	if (faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(p->folder, p->temp, parent, name) < 0 ? -errno : 0;
}

static int place(struct dir_put *p, int parent, const char *name)
{
	_cleanup_buf_ struct buf marked = BUF_INIT;
	int r;

	dir_marked(&marked, 'f', name);
	if (buf_error(&marked))
		return buf_error(&marked);
	if (p->if_none_match && faccessat(parent, buf_str(&marked), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (p->if_none_match)
		r = place_new(p, parent, name);
	else
		r = renameat(p->folder, p->temp, parent, name) < 0 ? -errno : 0;
	if (r < 0 && is_folder(parent, name))
		return p->if_none_match ? place_new(p, parent, buf_str(&marked))
		       : renameat(p->folder, p->temp, parent, buf_str(&marked)) < 0 ? -errno
										    : 0;
	if (r == 0)
		unlinkat(parent, buf_str(&marked), 0);
	return r;
}

/* The folder may go in between, when its last other object is removed: then once more. */
static int place_at_key(struct dir_put *p)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int r = -ENOENT;

	dir_path_of_key(&path, p->key);
	for (int i = 0; i < PLACE_TRIES && r == -ENOENT; i++) {
		_cleanup_close_ int parent = -1;
		const char *name;

		parent = dir_open_parent(p->op.root, &path, true, &name);
		r = parent < 0 ? parent : place(p, parent, name);
		if (r == 0 && fsync(parent) < 0)
			r = -errno;
	}
	return r == -ENOENT ? -EIO : r;
}

static int finish_step(struct dir_op *op)
{
	struct dir_put *p = (struct dir_put *)op;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
	int r;

	if (p->facts.known & TIER_KNOWS_MTIME) {
		times[1].tv_sec = p->facts.mtime / NSEC_PER_SEC - (p->facts.mtime % NSEC_PER_SEC < 0);
		times[1].tv_nsec = p->facts.mtime - times[1].tv_sec * NSEC_PER_SEC;
		/* For people who look into the folder; it is kept as a fact, too. */
		(void)!futimens(op->fd, times);
	}
	/* Before the attributes are read: writing back can set the time on a NAS. */
	if (fsync(op->fd) < 0)
		return -errno;
	r = dir_facts_write(op->root, p->key, op->fd, &p->facts, p->etag, &p->head);
	if (r == 0 && fsync(op->fd) < 0)
		r = -errno;
	if (r == 0)
		r = place_at_key(p);
	if (r == 0)
		p->temp[0] = '\0';
	return r;
}

static int begin_step(struct dir_op *op)
{
	struct dir_put *p = (struct dir_put *)op;
	int r = make_temp(p);

	return r < 0 ? r : write_piece(p);
}

static int write_step(struct dir_op *op)
{
	return write_piece((struct dir_put *)op);
}

static int whole_step(struct dir_op *op)
{
	int r = begin_step(op);

	return r < 0 ? r : finish_step(op);
}

/* ---- put ---- */

/* The next piece of the source. 0 or -errno. */
static int read_piece(struct dir_put *d, const struct tier_put *p, uint64_t at)
{
	uint64_t left = p->source.size - at;
	size_t want = left < PIECE ? (size_t)left : PIECE;

	while (d->have < want) {
		ssize_t n = p->source.read(p->source.arg, d->bytes + d->have, want - d->have, at + d->have);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -ESTALE;
		d->have += (size_t)n;
	}
	return EVP_DigestUpdate(d->hash, d->bytes, d->have) == 1 ? 0 : -EIO;
}

static int end_hash(struct dir_put *d, const uint8_t *wanted)
{
	uint8_t sha256[32];

	if (EVP_DigestFinal_ex(d->hash, sha256, NULL) != 1)
		return -EIO;
	dir_etag(d->etag, sha256);
	return wanted && memcmp(sha256, wanted, sizeof(sha256)) != 0 ? -ESTALE : 0;
}

int dir_put(void *engine, const struct tier_put *p, struct tier_try *t, struct tier_head *head)
{
	struct dir_put *d = put_new(engine, p->key, p->if_none_match);
	_cleanup_op_ struct dir_op *op = d ? &d->op : NULL;
	uint64_t at = 0;
	int r;

	if (!d)
		return -ENOMEM;
	d->facts = p->facts;
	do {
		r = read_piece(d, p, at);
		at += r < 0 ? 0 : d->have;
		t->sent += r < 0 ? 0 : d->have;
		if (r == 0 && at == p->source.size)
			r = end_hash(d, p->sha256);
		if (r == 0 && p->source.size <= PIECE)
			r = dir_step(&op, whole_step, t);
		else if (r == 0)
			r = dir_step(&op, op->fd < 0 ? begin_step : write_step, t);
	} while (r == 0 && at < p->source.size);
	if (r == 0 && p->source.size > PIECE)
		r = dir_step(&op, finish_step, t);
	if (r == 0)
		*head = d->head;
	return r;
}

/* ---- copy ---- */

static int open_source_step(struct dir_op *op)
{
	struct dir_put *p = (struct dir_put *)op;
	struct tier_head head;
	struct stat st;
	int r;

	p->source = dir_open_file(op->root, p->from, &st);
	if (p->source < 0)
		return p->source;
	r = dir_facts_read(op->root, p->from, p->source, &st, &head);
	if (r < 0)
		return r;
	if (p->from_etag && strcmp(p->from_etag, head.etag) != 0)
		return dir_changed(op);
	p->size = head.size;
	if (dir_etag_is_hash(head.etag))
		memcpy(p->etag, head.etag, sizeof(p->etag));
	if (p->keeps_facts)
		p->facts = head.facts;
	return make_temp(p);
}

/* By the kernel, which may share the blocks, or let the NAS do it. */
static int copy_by_kernel(struct dir_put *p)
{
	off_t in = (off_t)p->at, out = (off_t)p->at;
	ssize_t n = copy_file_range(p->source, &in, p->op.fd, &out, COPY_STEP, 0);

	if (n < 0)
		return -errno;
	p->at += (uint64_t)n;
	return n == 0 ? dir_changed(&p->op) : 0;
}

static int copy_by_hand(struct dir_put *p)
{
	ssize_t n = pread(p->source, p->bytes, PIECE, (off_t)p->at);

	if (n <= 0)
		return n < 0 ? -errno : dir_changed(&p->op);
	p->have = (size_t)n;
	if (EVP_DigestUpdate(p->hash, p->bytes, p->have) != 1)
		return -EIO;
	return write_piece(p);
}

static int copy_step(struct dir_op *op)
{
	struct dir_put *p = (struct dir_put *)op;
	int r = p->etag[0] ? copy_by_kernel(p) : copy_by_hand(p);

	/* Not between these files; nothing was hashed, so from the beginning. */
	if (r == -EINVAL || r == -EXDEV || r == -EOPNOTSUPP || r == -ENOSYS) {
		p->etag[0] = '\0';
		p->at = 0;
		r = 0;
	}
	return r;
}

int dir_copy(void *engine, const struct tier_copy *c, struct tier_try *t, struct tier_head *head)
{
	struct dir_put *d = put_new(engine, c->to, c->if_none_match);
	_cleanup_op_ struct dir_op *op = d ? &d->op : NULL;
	int r;

	if (!d)
		return -ENOMEM;
	d->from = strdup(c->from);
	d->from_etag = c->etag ? strdup(c->etag) : NULL;
	d->keeps_facts = !c->facts;
	if (c->facts)
		d->facts = *c->facts;
	if (!d->from || (c->etag && !d->from_etag))
		return -ENOMEM;
	r = dir_step(&op, open_source_step, t);
	while (r == 0 && d->at < d->size)
		r = dir_step(&op, copy_step, t);
	if (r == 0 && !d->etag[0])
		r = end_hash(d, NULL);
	if (r == 0)
		r = dir_step(&op, finish_step, t);
	if (r == 0)
		*head = d->head;
	return r;
}

/* ---- what puts have left ---- */

struct dir_sweep {
	struct dir_op op;
	int64_t older;
	bool look; /* they are only counted */
	uint64_t n;
};

/* By ctime: mtime becomes that of the content. */
static bool is_older(int dirfd, const char *name, int64_t older)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (int64_t)st.st_ctim.tv_sec * NSEC_PER_SEC + st.st_ctim.tv_nsec <= older;
}

static int sweep_step(struct dir_op *op)
{
	struct dir_sweep *s = (struct dir_sweep *)op;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int fd = dir_open_folder(op->root, DIR_TEMP);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(dir))) {
		if (is_older(fd, e->d_name, s->older) && (s->look || unlinkat(fd, e->d_name, 0) == 0))
			s->n++;
	}
	return 0;
}

/* Temporary files have no key in them: those of all prefixes go. */
int dir_sweep(void *engine, const char *prefix, int64_t older, bool look, struct tier_try *t, uint64_t *n)
{
	struct dir_sweep *s = dir_op_new(engine, sizeof(*s), NULL);
	_cleanup_op_ struct dir_op *op = s ? &s->op : NULL;
	int r;

	(void)prefix;
	if (!s)
		return -ENOMEM;
	s->older = older;
	s->look = look;
	r = dir_step(&op, sweep_step, t);
	if (r == 0)
		*n += s->n;
	return r;
}
