#include "content/mend.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "base/log.h"
#include "content/cloud/frames.h"
#include "content/hash.h"
#include "content/pack/packs.h"
#include "content/past/past.h"
#include "content/reach.h"
#include "content/cloud/remote.h"
#include "content/cloud/stub.h"
#include "content/past/whole.h"

#define PIECE ((size_t)64 * 1024)

/* ---- finding ---- */

struct search {
	struct lake *lake;
	const struct version_row *v;
	bool (*stop)(void *arg);
	void *arg;
	int fd;
	uint64_t at; /* written so far */
};

static int take(void *arg, const void *bytes, size_t len)
{
	struct search *f = arg;
	int rc = f->stop && f->stop(f->arg) ? -ECANCELED : 0;

	if (!rc)
		rc = write_full_at(f->fd, bytes, len, f->at);
	f->at += len;
	return rc;
}

/* Is what was written the content? */
static int verify(struct search *f)
{
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;
	int rc = hash_fd(f->fd, f->stop, f->arg, sha256, &bytes);

	if (rc)
		return rc;
	if (bytes != f->v->size || memcmp(sha256, f->v->sha256, SHA256_BYTES) != 0)
		return -EIO;
	return fsync(f->fd) < 0 ? -errno : 0;
}

static int begin(struct search *f)
{
	f->at = 0;
	return ftruncate(f->fd, 0) < 0 ? -errno : 0;
}

/* All of it, from where READ takes it. */
static int copy_from(struct search *f, ssize_t (*read)(void *from, void *to, size_t len, uint64_t at), void *from)
{
	_cleanup_free_ char *piece = malloc(HASH_PIECE);
	int rc = piece ? begin(f) : -ENOMEM;

	while (!rc && f->at < f->v->size) {
		ssize_t n = read(from, piece, HASH_PIECE, f->at);

		rc = n <= 0 ? (n ? (int)n : -EIO) : take(f, piece, (size_t)n);
	}
	return rc ? rc : verify(f);
}

static ssize_t read_object(void *o, void *to, size_t len, uint64_t at)
{
	return pack_object_read(o, to, len, at);
}

static int from_pack(struct search *f)
{
	_cleanup_object_ struct pack_object *o = NULL;
	int rc = pack_open(f->lake, f->v->sha256, &o);

	return rc ? rc : copy_from(f, read_object, o);
}

static ssize_t read_past(void *p, void *to, size_t len, uint64_t at)
{
	return past_read(p, to, len, (off_t)at);
}

static int from_version(struct search *f, const struct version_row *other)
{
	struct past *p = NULL;
	int rc = past_open(f->lake, other, &p);

	if (!rc)
		rc = copy_from(f, read_past, p);
	past_close(p);
	return rc;
}

/* Each of them is tried: 1 ends it. */
static int try_version(void *arg, const struct version_row *other)
{
	struct search *f = arg;
	int rc;

	/* what is packed or in the cloud is tried as such */
	if (other->id == f->v->id || other->how == HOW_PACKED || other->how == HOW_CLOUD || other->size != f->v->size)
		return 0;
	rc = from_version(f, other);
	return !rc ? 1 : rc == -ECANCELED ? rc : 0;
}

static int from_cloud(struct search *f)
{
	_cleanup_tier_ struct tier *tier = lake_tier(f->lake);
	struct tier_call call = {.stop = f->stop, .arg = f->arg};
	struct cloud_row object;
	int rc = store_cloud_of_version(f->lake->store, f->v->id, &object);

	if (rc == -ENOENT)
		rc = store_cloud_by_hash(f->lake->store, f->v->sha256, f->v->size, &object);
	if (rc || !tier)
		return rc ? rc : -ENOENT;
	rc = begin(f);
	if (!rc)
		rc = frames_get_whole(tier, &object, take, f, &call);
	return rc ? rc : verify(f);
}

static int find(struct search *f)
{
	int rc = f->v->how == HOW_PACKED ? -ENOENT : from_pack(f);

	if (rc && rc != -ECANCELED)
		rc = store_versions_by_hash(f->lake->store, f->v->sha256, try_version, f);
	if (rc == 1)
		return 0;
	return rc == -ECANCELED ? rc : from_cloud(f);
}

int mend_find(struct lake *lake, struct volume *volume, const struct version_row *v, bool (*stop)(void *arg), void *arg,
	      int *fd)
{
	struct search f = {.lake = lake, .v = v, .stop = stop, .arg = arg};
	int rc;

	f.fd = openat(volume->versionsfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f.fd < 0)
		return -errno;
	rc = find(&f);
	if (rc)
		close(f.fd);
	else
		*fd = f.fd;
	return rc;
}

/* ---- overwriting ---- */

static bool is_same(int to, const char *right, size_t len, uint64_t at, char *piece)
{
	return read_full_at(to, piece, len, at) == (ssize_t)len && !memcmp(piece, right, len);
}

static int overwrite(int to, int from, uint64_t size)
{
	_cleanup_free_ char *right = malloc(PIECE), *piece = malloc(PIECE);
	struct timespec times[2];
	struct stat st;
	int rc = right && piece ? 0 : -ENOMEM;

	if (!rc && fstat(to, &st) < 0)
		rc = -errno;
	for (uint64_t at = 0; !rc && at < size; at += PIECE) {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;
		ssize_t n = read_full_at(from, right, len, at);

		rc = n != (ssize_t)len ? (n < 0 ? (int)n : -EIO) : 0;
		if (!rc && !is_same(to, right, len, at, piece))
			rc = write_full_at(to, right, len, at);
	}
	if (rc)
		return rc;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return futimens(to, times) < 0 || fsync(to) < 0 ? -errno : 0;
}

int mend_kept(struct lake *lake, const struct version_row *v, int fromfd)
{
	struct volume *volume = reach_volume(lake, v->volume);
	_cleanup_close_ int fd = -1;
	char name[VERSION_NAME_MAX];

	if (!volume)
		return -EIO;
	(v->how == HOW_ASIDE ? version_name : copy_name)(v->node, v->id, name);
	fd = openat(volume->versionsfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (v->how == HOW_ASIDE && ftruncate(fd, (off_t)v->size) < 0)
		return -errno;
	return overwrite(fd, fromfd, v->size);
}

/* Nobody has it open, and its content is the version's as far as anybody knows. */
static int begin_alone(struct inode *inode, const struct version_row *v)
{
	SCOPED_LOCK(&inode->lock);

	if (inode_is_stub(inode) || inode->state != INODE_IDLE || inode->frozen || inode->handles || inode->holders ||
	    inode->changing || inode->dirty || inode->base_unsure || inode->recalling || inode->version != v->id)
		return -EBUSY;
	inode->state = INODE_CHANGING;
	return 0;
}

static int overwrite_live(struct lake *lake, struct inode *inode, const struct version_row *v, int fromfd)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_RDWR | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0 && (errno == EAGAIN || errno == EBUSY || lake->passthrough))
		return errno == EAGAIN ? -EBUSY : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != v->size || stat_mtime(&st) != inode->clean_mtime)
		return -EBUSY;
	return overwrite(fd, fromfd, v->size);
}

int mend_live(struct lake *lake, struct inode *inode, const struct version_row *v, int fromfd)
{
	int rc = begin_alone(inode, v);

	if (rc)
		return rc;
	rc = overwrite_live(lake, inode, v, fromfd);
	inode_end_change(inode);
	if (!rc && lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, inode->id, true);
	return rc;
}

int mend_unpack(struct lake *lake, const struct version_row *v, int fromfd)
{
	struct volume *volume = reach_volume(lake, v->volume);
	char name[VERSION_NAME_MAX];
	struct record *r;
	uint64_t commit;
	int rc;

	if (!volume)
		return -EIO;
	copy_name(v->node, v->id, name);
	rc = whole_name(volume, fromfd, name);
	if (rc)
		return rc;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, v->node, 0, NULL);
	record_version_how(r, v->id, HOW_COPY, v->size);
	rc = store_submit(lake->store, r, &commit);
	return rc ? rc : store_sync(lake->store, commit);
}
