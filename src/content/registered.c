#include "content/registered.h"

#include "base/cleanup.h"

int registered_new(struct registered **out)
{
	struct registered *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return 0;
}

void registered_free(struct registered *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void registered_drop(struct lake *lake, struct inode *inode)
{
	int id = 0;

	pthread_mutex_lock(&inode->lock);
	if (!inode->handles && inode->state != INODE_PASSTHROUGH) {
		id = inode->backing_id;
		inode->backing_id = 0;
	}
	pthread_mutex_unlock(&inode->lock);
	if (id > 0)
		lake->frontend.backing_close(lake->frontend.arg, id);
}

/* Puts NODE into the ring; the one that lay there longest, or 0. */
static uint64_t replace_oldest(struct registered *r, uint64_t node)
{
	SCOPED_LOCK(&r->lock);
	uint64_t oldest = r->nodes[r->next];

	r->nodes[r->next] = node;
	r->next = (r->next + 1) % REGISTERED_KEPT;
	return oldest;
}

void registered_keep(struct lake *lake, struct inode *inode)
{
	struct inode *old;
	uint64_t oldest;
	bool known;

	pthread_mutex_lock(&inode->lock);
	known = inode->in_ring;
	inode->in_ring = true;
	pthread_mutex_unlock(&inode->lock);
	if (known)
		return;
	oldest = replace_oldest(lake->registered, inode->id);
	old = oldest ? inode_find(lake, oldest) : NULL;
	if (!old)
		return;
	pthread_mutex_lock(&old->lock);
	old->in_ring = false;
	pthread_mutex_unlock(&old->lock);
	registered_drop(lake, old);
	inode_unref(lake, old);
}
