#include "ns/virtual_xattr.h"

#include <string.h>

#include "base/cleanup.h"

#define PREFIX "user.tarn."

bool xattr_is_virtual(const char *name)
{
	return !strncmp(name, PREFIX, strlen(PREFIX));
}

const char *virtual_xattr_fact(const char *name)
{
	return name + strlen(PREFIX);
}

int version_fact(const struct version_row *v, const char *what, struct buf *b)
{
	if (!strcmp(what, "version"))
		buf_addf(b, "%llu", (unsigned long long)v->number);
	else if (!strcmp(what, "sha256") && v->hashed)
		buf_add_hex(b, v->sha256, sizeof(v->sha256));
	else if (!strcmp(what, "commit"))
		buf_addf(b, "%llu", (unsigned long long)v->commit);
	else if (!strcmp(what, "time"))
		buf_add_time_ms(b, v->time);
	else if (!strcmp(what, "mode"))
		buf_addf(b, "%04o", (unsigned)(v->mode & 07777));
	else
		return -ENODATA;
	return 0;
}

static int add_version_fact(struct lake *lake, struct inode *inode, const char *what, struct buf *b)
{
	struct version_row v;
	uint64_t version;
	int rc;

	pthread_mutex_lock(&inode->lock);
	version = inode->dirty ? 0 : inode->version;
	pthread_mutex_unlock(&inode->lock);
	if (!version)
		return -ENODATA;
	rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = store_version(lake->store, version, &v);
	if (rc < 0)
		return rc == -ENOENT ? -ENODATA : rc;
	return version_fact(&v, what, b);
}

static int add_fact(struct lake *lake, struct inode *inode, const char *what, struct buf *b)
{
	if (!strcmp(what, "state")) {
		SCOPED_LOCK(&inode->lock);

		buf_adds(b, inode->dirty ? "changed" : "live");
		return 0;
	}
	if (!strcmp(what, "tier")) {
		buf_adds(b, inode->bucket ? bucket_tier_name(bucket_policy(inode->bucket)->tier) : "local");
		return 0;
	}
	if (inode->kind == KIND_FILE && (!strcmp(what, "version") || !strcmp(what, "sha256")))
		return add_version_fact(lake, inode, what, b);
	return -ENODATA;
}

int virtual_xattr_reply(const struct buf *b, void *value, size_t size)
{
	if (buf_error(b))
		return -ENOMEM;
	if (size && size < b->len)
		return -ERANGE;
	if (size && b->len)
		memcpy(value, b->data, b->len);
	return (int)b->len;
}

int virtual_xattr_get(struct lake *lake, struct inode *inode, const char *name, void *value, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = add_fact(lake, inode, name + strlen(PREFIX), &b);

	return rc ? rc : virtual_xattr_reply(&b, value, size);
}
