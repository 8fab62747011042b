#include "content/past/past.h"

#include <fcntl.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/kernel_order.h"
#include "base/full_io.h"
#include "content/past/chain.h"
#include "content/hash.h"
#include "content/past/kept.h"
#include "content/pack/packs.h"
#include "content/reach.h"
#include "content/recall/recall_version.h"
#include "content/cloud/stub.h"

#define TRIES 8 /* the raw file may go aside between two steps of opening */

struct past {
	uint64_t version, size;
	/* the whole file, or the raw one that a chain ends with (O_PATH while somebody may want it alone); -1: none */
	int fd;
	struct stat st; /* of a whole file when it was opened */
	struct pack_object *packed;
	struct recall *recall;
	uint64_t recalled, recalled_size; /* whose content that is; another version's where there is a chain */
	struct chain *chain;		  /* NULL: the file, or what is packed or recalled, is all there is to it */
	/* whose raw file it is, so that the chain stays in use by those who write it; NULL: nobody does */
	struct lake *lake;
	struct inode *inode;
};

/* ---- may it be read ---- */

/* Its base is sure, or nobody has it open. */
static bool live_is_sure(struct lake *lake, const struct version_row *v)
{
	struct inode *inode = inode_find(lake, v->node);
	bool sure;

	if (!inode)
		return true;
	pthread_mutex_lock(&inode->lock);
	sure = inode->version == v->id && !inode->base_unsure;
	pthread_mutex_unlock(&inode->lock);
	inode_unref(lake, inode);
	return sure;
}

bool version_is_readable(struct lake *lake, const struct version_row *v)
{
	return v->settled && (v->state == VERSION_KEPT || v->state == VERSION_PARTIAL ||
			      (v->state == VERSION_LIVE && (v->how == HOW_PACKED || live_is_sure(lake, v))));
}

static int pack_is_here(struct lake *lake, const struct version_row *v)
{
	struct object_row object = {.has_base = true};
	struct pack_row pack;
	int rc = 0;

	memcpy(object.base, v->sha256, SHA256_BYTES);
	for (int depth = 0; !rc && object.has_base && depth <= PACK_DEPTH_MAX; depth++) {
		rc = store_object(lake->store, object.base, &object);
		if (!rc)
			rc = store_pack(lake->store, object.pack, &pack);
		if (!rc && pack.state == PACK_AWAY)
			rc = -ENOENT;
	}
	return rc;
}

int version_is_here(struct lake *lake, uint64_t version)
{
	struct version_row v;
	struct node_row n;
	int rc = store_version(lake->store, version, &v);

	if (rc || !v.size)
		return rc;
	if (v.state == VERSION_LIVE && !store_node(lake->store, v.node, &n) && n.version == v.id && !n.stub)
		return 0;
	if (v.how == HOW_PACKED)
		return pack_is_here(lake, &v);
	return v.state == VERSION_LIVE || v.how == HOW_CLOUD ? -ENOENT : 0;
}

/* ---- whole files ---- */

static int open_in_versions(struct lake *lake, const struct version_row *v, const char *name)
{
	struct volume *volume = reach_volume(lake, v->volume);
	int fd;

	if (!volume)
		return -EIO; /* its disk is not there now */
	fd = openat(volume->versionsfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_aside(struct lake *lake, const struct version_row *v)
{
	char name[VERSION_NAME_MAX];

	version_name(v->node, v->id, name);
	return open_in_versions(lake, v, name);
}

static int open_whole(struct lake *lake, const struct version_row *v, struct past *p)
{
	p->fd = open_aside(lake, v);
	if (p->fd < 0)
		return p->fd;
	if (fstat(p->fd, &p->st) < 0)
		return -errno;
	return (uint64_t)p->st.st_size == v->size ? 0 : -EIO;
}

/* ---- through the raw file that the node has now ---- */

/* The chain and the descriptor are of the same raw file. */
static bool is_attached(struct past *p)
{
	SCOPED_LOCK(&p->inode->lock);

	return p->inode->chain == p->chain;
}

static void detach(struct past *p)
{
	chain_unref(p->chain);
	p->chain = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* A file that was removed when it was empty: what older versions had was saved when it was cut. */
static bool is_gone(int err)
{
	return err == -ESTALE || err == -ENOENT;
}

/* -ENOENT: it is not read through that file. */
static int attach(struct lake *lake, const struct version_row *v, struct past *p)
{
	int rc = -ENOENT;

	for (int i = 0; i < TRIES; i++) {
		rc = chain_of(lake, p->inode, &p->chain);
		if (!rc)
			rc = chain_reach(lake, p->chain, v->id);
		if (rc < 0)
			break;
		p->fd = inode_open(lake, p->inode, O_PATH);
		rc = p->fd < 0 && !is_gone(p->fd) ? p->fd : 0;
		if (inode_is_stub(p->inode)) {
			rc = v->state == VERSION_LIVE ? -EREMOTE : -ENOENT;
			break;
		}
		if (is_attached(p))
			break;
		detach(p);
		rc = -ENOENT;
	}
	if (rc < 0)
		detach(p);
	return rc;
}

/* What was not known before its inode came to memory may have ended it. */
static int still_readable(struct lake *lake, const struct version_row *v, const struct past *p)
{
	struct version_row now;
	int rc = store_barrier(lake->store, atomic_load(&p->inode->commit));

	if (!rc)
		rc = store_version(lake->store, v->id, &now);
	return rc ? rc : version_is_readable(lake, &now) ? 0 : -ENOENT;
}

static int open_raw(struct lake *lake, const struct version_row *v, struct inode *inode, struct past *p)
{
	int rc;

	p->inode = inode;
	rc = attach(lake, v, p);
	if (!rc)
		rc = still_readable(lake, v, p);
	if (rc < 0) {
		detach(p);
		inode_unref(lake, p->inode);
		p->inode = NULL;
	}
	return rc;
}

/* ---- through a raw file that went aside ---- */

struct search {
	struct version_row end; /* the first that is whole, from the version on */
	bool found;
};

static int find_end(void *arg, const struct version_row *v)
{
	struct search *s = arg;

	s->found = v->how != HOW_NONE && v->how != HOW_UNDO;
	if (s->found)
		s->end = *v;
	return s->found;
}

static int open_recall(struct lake *lake, const struct version_row *v, struct past *p)
{
	int rc;

	p->recalled = v->id;
	p->recalled_size = v->size;
	do {
		rc = recall_open_version(lake, v, &p->recall);
		if (rc < 0)
			return rc;
		rc = recall_pin(p->recall);
		if (rc < 0)
			recall_close(steal_ptr(&p->recall));
	} while (rc == -ESTALE);
	return rc;
}

static int open_ended(struct lake *lake, const struct version_row *v, const struct version_row *end, struct past *p)
{
	bool aside = end->how == HOW_ASIDE, cloud = end->how == HOW_CLOUD && end->size;
	int rc = chain_load_ended(lake, v, aside || cloud ? end->id : end->id + 1, &p->chain);

	if (rc < 0 || (!aside && !cloud))
		return rc;
	if (cloud)
		return open_recall(lake, end, p);
	p->fd = open_aside(lake, end);
	return p->fd < 0 ? p->fd : 0;
}

static int open_through(struct lake *lake, const struct version_row *v, struct past *p)
{
	struct inode *inode = inode_find(lake, v->node);
	struct search s = {0};
	struct node_row node;
	int rc = inode ? open_raw(lake, v, inode, p) : -ENOENT;

	if (rc != -ENOENT)
		return rc;
	if (!inode && v->state == VERSION_LIVE && !store_node(lake->store, v->node, &node) && node.stub)
		return -EREMOTE;
	rc = store_versions_saved(lake->store, v->node, v->id, find_end, &s);
	if (rc < 0)
		return rc;
	if (s.found)
		return open_ended(lake, v, &s.end, p);
	rc = reach_node(lake, v->node, &inode);
	if (!rc && inode_is_stub(inode) && v->state != VERSION_LIVE) {
		inode_unref(lake, inode);
		rc = -ENOENT; /* it left only when nothing else was read through it */
	}
	if (is_gone(rc) && v->state != VERSION_LIVE)
		return chain_load_ended(lake, v, UINT64_MAX, &p->chain);
	return rc ? rc : open_raw(lake, v, inode, p);
}

static int open_by_how(struct lake *lake, const struct version_row *v, struct past *p)
{
	int rc;

	if (v->how == HOW_PACKED && v->size)
		return pack_open(lake, v->sha256, &p->packed);
	if (v->how == HOW_CLOUD && v->size)
		return open_recall(lake, v, p);
	if (v->how == HOW_ASIDE && v->size && v->state != VERSION_LIVE)
		return open_whole(lake, v, p);
	rc = v->size || v->state == VERSION_LIVE ? open_through(lake, v, p) : 0;
	return rc == -EREMOTE ? open_recall(lake, v, p) : rc;
}

/* What lay in a file of its own when V was looked up may be packed by now. */
static int open_now(struct lake *lake, const struct version_row *v, struct past *p)
{
	struct version_row now;
	int rc = store_version(lake->store, v->id, &now);

	if (rc < 0)
		return rc;
	return now.how != v->how && version_is_readable(lake, &now) ? open_by_how(lake, &now, p) : -ENOENT;
}

int past_open(struct lake *lake, const struct version_row *v, struct past **out)
{
	struct past *p;
	int rc;

	if (!version_is_readable(lake, v))
		return -ENOENT;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct past){.version = v->id, .size = v->size, .fd = -1, .lake = lake};
	rc = open_by_how(lake, v, p);
	if (rc == -ENOENT)
		rc = open_now(lake, v, p);
	if (rc < 0) {
		past_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

int past_open_unsure(struct lake *lake, const struct version_row *v, struct inode *inode, struct past **out)
{
	struct past *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	*p = (struct past){.version = v->id, .size = v->size, .fd = -1, .lake = lake, .inode = inode_ref(lake, inode)};
	rc = attach(lake, v, p);
	if (rc < 0) {
		past_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

int past_open_chain(const struct version_row *v, struct chain *c, int rawfd, struct past **out)
{
	struct past *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct past){.version = v->id, .size = v->size, .fd = fcntl(rawfd, F_DUPFD_CLOEXEC, 3)};
	p->chain = chain_ref(c);
	*out = p;
	return 0;
}

void past_close(struct past *p)
{
	if (!p)
		return;
	close_after_replies(p->fd);
	chain_unref(p->chain);
	if (p->inode)
		inode_unref(p->lake, p->inode);
	pack_object_close(p->packed);
	if (p->recall)
		recall_unpin(p->recall);
	recall_close(p->recall);
	free(p);
}

/* ---- reading ---- */

/* An old handle of a file that was removed may write to it still. */
static bool is_unchanged(struct past *p)
{
	struct stat now;

	return !fstat(p->fd, &now) && now.st_size == p->st.st_size && stat_mtime(&now) == stat_mtime(&p->st);
}

static ssize_t read_whole(struct past *p, void *to, size_t len, off_t at)
{
	ssize_t n = read_full_at(p->fd, to, len, (uint64_t)at);

	if (n < 0)
		return n;
	return (size_t)n == len && is_unchanged(p) ? n : -EIO;
}

/*
 * A descriptor to read from the live file, for this once: one that is kept would deny those who want the file alone
 * their lease (content/settle.h).
 */
static int reopen(const struct past *p)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_chain(struct past *p, void *to, size_t len, off_t at)
{
	_cleanup_close_ int own = p->inode && p->fd >= 0 ? reopen(p) : -1;
	int rc;

	if (p->inode && p->fd >= 0 && own < 0)
		return own;
	rc = chain_read(p->chain, p->version, p->inode ? own : p->fd, to, len, (uint64_t)at);
	return rc < 0 ? rc : (ssize_t)len;
}

/* What of [AT, AT + LEN) can come from what is recalled. */
static uint64_t recalled_part(const struct past *p, uint64_t at, uint64_t len)
{
	uint64_t room = at < p->recalled_size ? p->recalled_size - at : 0;

	return len < room ? len : room;
}

bool past_has(struct past *p, uint64_t at, uint64_t len)
{
	if (at >= p->size)
		return true;
	if (p->packed)
		return pack_object_has(p->packed, at, len);
	if (p->chain && !chain_is_here(p->chain, p->version, at, len < p->size - at ? len : p->size - at))
		return false;
	return !p->recall || recall_has(p->recall, at, recalled_part(p, at, len));
}

/* Its pack in the cloud is another one since it was opened: it is read there from now on, each time anew. */
static int open_packed_again(const struct past *p, struct pack_object **out)
{
	struct version_row v;
	int rc = p->lake ? store_version(p->lake->store, p->version, &v) : -EIO;

	if (!rc && v.how != HOW_PACKED)
		rc = -EIO;
	return rc ? rc : pack_open(p->lake, v.sha256, out);
}

static int want_packed(const struct past *p, uint64_t at, uint64_t len, const struct tier_call *call)
{
	_cleanup_object_ struct pack_object *again = NULL;
	int rc = pack_object_want(p->packed, at, len, call);

	if (rc == -ESTALE)
		rc = open_packed_again(p, &again);
	return again ? pack_object_want(again, at, len, call) : rc;
}

static ssize_t read_packed(const struct past *p, void *to, size_t len, uint64_t at)
{
	_cleanup_object_ struct pack_object *again = NULL;
	ssize_t n = pack_object_read(p->packed, to, len, at);

	if (n == -ESTALE)
		n = open_packed_again(p, &again);
	if (again)
		n = pack_object_read(again, to, len, at);
	return n == -ESTALE ? -EIO : n;
}

int past_want(struct past *p, uint64_t at, uint64_t len, const struct tier_call *call)
{
	uint64_t part = p->recall ? recalled_part(p, at, len) : 0;
	int rc = part ? recall_want(p->recall, at, part, call) : 0;

	if (rc == -ESTALE && !recall_find_again(p->lake, p->recalled))
		rc = recall_want(p->recall, at, part, call);
	if (p->packed)
		rc = want_packed(p, at, len, call);
	else if (!rc && p->chain && at < p->size)
		rc = chain_want(p->chain, p->version, at, len < p->size - at ? len : p->size - at, call);
	return rc == -ESTALE ? -EIO : rc;
}

static ssize_t read_recall(struct past *p, void *to, size_t len, uint64_t at)
{
	ssize_t n = recall_read_here(p->recall, to, len, at); /* who may have no more looks at nothing ahead either */
	int rc = n == -EAGAIN ? past_want(p, at, len, NULL) : 0;

	if (n == -EAGAIN)
		n = rc ? rc : recall_read(p->recall, to, len, at, NULL);
	return n == -ESTALE ? -EIO : n;
}

/* What was saved of older versions lies here, and the end of their chain in the cloud. */
static ssize_t read_recalled_chain(struct past *p, void *to, size_t len, uint64_t at)
{
	uint64_t part = recalled_part(p, at, len);
	ssize_t n = part ? read_recall(p, to, part, at) : 0;
	int rc = n < 0 ? (int)n : chain_lay_over(p->chain, p->version, to, (size_t)n, len, at);

	return rc < 0 ? rc : (ssize_t)len;
}

ssize_t past_read(struct past *p, void *to, size_t len, off_t at)
{
	if (at < 0)
		return -EINVAL;
	if ((uint64_t)at >= p->size || !len)
		return 0;
	if (len > p->size - (uint64_t)at)
		len = p->size - (uint64_t)at;
	if (p->packed)
		return read_packed(p, to, len, (uint64_t)at);
	if (p->recall)
		return p->chain ? read_recalled_chain(p, to, len, (uint64_t)at) : read_recall(p, to, len, (uint64_t)at);
	return p->chain ? read_chain(p, to, len, at) : read_whole(p, to, len, at);
}

static int hash_pieces(struct past *p, bool (*stop)(void *arg), void *arg, char *piece, EVP_MD_CTX *ctx)
{
	uint64_t at = 0;
	ssize_t n;

	for (; at < p->size; at += (uint64_t)n) {
		if (stop && stop(arg))
			return -ECANCELED;
		n = past_read(p, piece, HASH_PIECE, (off_t)at);
		if (n < 0)
			return (int)n;
		if (EVP_DigestUpdate(ctx, piece, (size_t)n) != 1)
			return -EIO;
	}
	return 0;
}

static int hash_chain(struct past *p, bool (*stop)(void *arg), void *arg, uint8_t sha256[SHA256_BYTES])
{
	_cleanup_free_ char *piece = malloc(HASH_PIECE);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = piece && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	if (!rc)
		rc = hash_pieces(p, stop, arg, piece, ctx);
	if (!rc && EVP_DigestFinal_ex(ctx, sha256, NULL) != 1)
		rc = -EIO;
	EVP_MD_CTX_free(ctx);
	return rc;
}

int hash_past(struct past *p, bool (*stop)(void *arg), void *arg, uint8_t sha256[SHA256_BYTES])
{
	uint64_t bytes;
	int rc;

	if (p->chain || p->fd < 0)
		return hash_chain(p, stop, arg, sha256);
	rc = hash_fd(p->fd, stop, arg, sha256, &bytes);
	return rc ? rc : bytes == p->size && is_unchanged(p) ? 0 : -EIO;
}

uint64_t past_size(const struct past *p)
{
	return p->size;
}

int past_fd(const struct past *p)
{
	if (p->recall && !p->chain)
		return recall_is_whole(p->recall) ? recall_fd(p->recall) : -1;
	return p->chain ? -1 : p->fd;
}

int past_attributes_fd(const struct past *p)
{
	return p->fd;
}
