#include "content/past/chain.h"
#include "content/past/kept.h"
#include "content/pack/packs.h"
#include "work/pack/pack_int.h"

/* Those who write or read its raw file now know, too. */
static void tell_chain(struct lake *lake, const struct version_row *v)
{
	struct inode *inode = inode_find(lake, v->node);
	struct pack_object *object;
	struct chain *c = NULL;

	if (!inode)
		return;
	pthread_mutex_lock(&inode->lock);
	if (inode->chain)
		c = chain_ref(inode->chain);
	pthread_mutex_unlock(&inode->lock);
	if (c && !pack_open(lake, v->sha256, &object))
		chain_set_packed(c, v->id, object);
	chain_unref(c);
	inode_unref(lake, inode);
}

void pack_remove_own(struct lake *lake, const struct version_row *v)
{
	bool kept = v->state == VERSION_KEPT || v->state == VERSION_PARTIAL;

	if (v->how == HOW_PACKED && (kept || v->state == VERSION_LIVE))
		tell_chain(lake, v);
	/* Who writes a live one may be saving what it overwrites. */
	if (v->how == HOW_PACKED && kept)
		kept_remove_own(lake, v);
	else if (!kept && v->state != VERSION_LIVE) /* it was lost, or expired meanwhile */
		kept_remove(lake, v);
}
