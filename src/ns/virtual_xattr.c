#include "ns/virtual_xattr.h"

#include <string.h>

#include "base/cleanup.h"
#include "content/past/pin.h"
#include "content/cloud/stub.h"
#include "ns/real.h"

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
		buf_add_moment(b, v->time);
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

/* Where the bytes are: "local", "both", "cloud"; "changed": what is here is newer than any version. */
static int add_state(struct lake *lake, struct inode *inode, struct buf *b)
{
	struct cloud_row c;
	uint64_t version;
	bool dirty;
	int rc = 0;

	pthread_mutex_lock(&inode->lock);
	version = inode->version;
	dirty = inode->dirty;
	pthread_mutex_unlock(&inode->lock);
	if (inode_is_stub(inode)) {
		buf_adds(b, "cloud");
		return 0;
	}
	if (!dirty && version)
		rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = dirty || !version ? -ENOENT : store_cloud_of_version(lake->store, version, &c);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	buf_adds(b, dirty ? "changed" : rc ? "local" : "both");
	return 0;
}

static int add_pin(struct lake *lake, struct inode *inode, struct buf *b)
{
	int pin = store_barrier(lake->store, 0);

	if (!pin)
		pin = pin_of(lake, inode->id);
	if (pin < 0)
		return pin;
	buf_adds(b, pin == PIN_OWN ? "1" : pin == PIN_ABOVE ? "above" : "0");
	return 0;
}

static int add_fact(struct lake *lake, struct inode *inode, const char *what, struct buf *b)
{
	if (!strcmp(what, "state"))
		return add_state(lake, inode, b);
	if (!strcmp(what, "pin"))
		return add_pin(lake, inode, b);
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

/* 1, 0, or -EINVAL: it is neither. */
static int truth(const char *value, size_t size)
{
	static const struct {
		const char *word;
		int means;
	} words[] = {{"1", 1}, {"yes", 1}, {"true", 1}, {"on", 1}, {"0", 0}, {"no", 0}, {"false", 0}, {"off", 0}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == size && !memcmp(words[i].word, value, size))
			return words[i].means;
	return -EINVAL;
}

int virtual_xattr_set(struct lake *lake, struct inode *inode, const char *name, const void *value, size_t size,
		      const struct actor *actor)
{
	int pin = value ? truth(value, size) : 0;
	struct record *r;

	if (strcmp(virtual_xattr_fact(name), "pin") != 0)
		return -EPERM;
	if (inode->kind != KIND_FILE && inode->kind != KIND_FOLDER)
		return -EPERM;
	if (pin < 0)
		return pin;
	r = real_record(OP_XATTR, actor, inode->id, 0, NULL);
	record_node_pin(r, inode->id, pin);
	return real_submit(lake, r, inode, NULL);
}
