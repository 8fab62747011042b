#include "content/past/former.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fnv.h"
#include "content/hash.h"
#include "content/past/past.h"
#include "content/cloud/stub.h"

#define NAMES 512 /* a save takes milliseconds */
#define PIECE (64 * 1024)

struct former_name {
	uint64_t parent, name; /* its hash: what is found by chance is compared anyway */
	struct former former;
};

struct former_names {
	pthread_mutex_t lock;
	struct former_name list[NAMES]; /* protected by lock; by hash */
};

int former_names_new(struct former_names **out)
{
	struct former_names *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return 0;
}

void former_names_free(struct former_names *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static uint64_t hash_name(uint64_t parent, const char *name)
{
	return fnv1a(FNV1A_START ^ parent, name, strlen(name));
}

void former_note(struct lake *lake, uint64_t parent, const char *name, struct former f)
{
	uint64_t hash = hash_name(parent, name);
	SCOPED_LOCK(&lake->formers->lock);

	if (f.version)
		lake->formers->list[hash % NAMES] = (struct former_name){parent, hash, f};
}

struct former former_take(struct lake *lake, uint64_t parent, const char *name)
{
	uint64_t hash = hash_name(parent, name);
	struct former_name *n = &lake->formers->list[hash % NAMES];
	struct former f = {0};
	SCOPED_LOCK(&lake->formers->lock);

	if (n->former.version && n->parent == parent && n->name == hash) {
		f = n->former;
		n->former.version = 0;
	}
	return f;
}

/* ---- comparing ---- */

static bool has_hash(int fd, const struct version_row *v)
{
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;

	return !hash_fd(fd, NULL, NULL, sha256, &bytes) && bytes == v->size &&
	       !memcmp(sha256, v->sha256, sizeof(sha256));
}

static bool has_bytes(struct lake *lake, int fd, const struct version_row *v)
{
	_cleanup_free_ char *a = malloc(PIECE), *b = malloc(PIECE);
	struct past *p = NULL;
	uint64_t at = 0;

	if (!a || !b || past_open(lake, v, &p))
		return false;
	while (at < v->size) {
		ssize_t n = past_read(p, a, PIECE, (off_t)at);

		if (n <= 0 || pread(fd, b, (size_t)n, (off_t)at) != n || memcmp(a, b, (size_t)n))
			break;
		at += (uint64_t)n;
	}
	past_close(p);
	return at == v->size;
}

/* Of a stub nothing can be read; but its version has a hash. */
static bool stub_has_hash(struct lake *lake, struct inode *inode, const struct version_row *v)
{
	struct version_row live;
	uint64_t version;

	pthread_mutex_lock(&inode->lock);
	version = inode->version;
	pthread_mutex_unlock(&inode->lock);
	return v->hashed && !store_version(lake->store, version, &live) && live.hashed && live.size == v->size &&
	       !memcmp(live.sha256, v->sha256, sizeof(live.sha256));
}

bool former_is_same(struct lake *lake, const struct former *f, struct inode *inode, uint64_t size)
{
	_cleanup_close_ int fd = -1;
	struct version_row v;

	if (!f->version || f->size != size || size > FORMER_COMPARED)
		return false;
	if (store_barrier(lake->store, 0) || store_version(lake->store, f->version, &v) || v.size != size)
		return false;
	if (inode_is_stub(inode))
		return stub_has_hash(lake, inode, &v);
	if (!v.hashed && v.how == HOW_CLOUD)
		return false;
	fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	return fd >= 0 && (v.hashed ? has_hash(fd, &v) : has_bytes(lake, fd, &v));
}
