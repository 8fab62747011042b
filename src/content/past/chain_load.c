/* A chain from what the store and versions/ know. */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/past/chain_int.h"
#include "content/past/kept.h"

/* Its row says that something of it is in versions/, and nothing is: it is packed by now, or damaged. */
static int load_moved(struct lake *lake, const struct version_row *v, struct chain_link *out)
{
	struct version_row now;
	int rc = store_version(lake->store, v->id, &now);

	if (rc < 0)
		return rc == -ENOENT ? -EIO : rc;
	if (now.how != HOW_PACKED)
		return -EIO;
	out->how = HOW_PACKED;
	return pack_open(lake, now.sha256, &out->packed);
}

int chain_load_link(struct lake *lake, const struct chain *c, const struct version_row *v, struct chain_link *out)
{
	char name[VERSION_NAME_MAX];
	int rc;

	*out = (struct chain_link){.version = v->id, .size = v->size, .whole = -1, .how = v->how};
	if (v->how == HOW_PACKED && v->size)
		return pack_open(lake, v->sha256, &out->packed);
	undo_name(c->node, v->id, name);
	/* saving may have gone on since the row said that, but nothing of it has ever gone */
	rc = undo_file_load(c->volume->versionsfd, name, c->node, v->id, v->how == HOW_UNDO ? v->stored : 0,
			    &out->undo);
	if (rc < 0 && rc != -ENOENT) {
		log_error("versions/%s: cannot be read: %s", name, strerror(-rc));
		return rc == -EUCLEAN ? -EIO : rc;
	}
	copy_name(c->node, v->id, name);
	out->whole = openat(c->volume->versionsfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (out->whole >= 0 && out->how != HOW_REFLINK)
		out->how = HOW_COPY;
	if (v->state != VERSION_LIVE && (v->how == HOW_UNDO || v->how == HOW_COPY || v->how == HOW_REFLINK) &&
	    !out->undo && out->whole < 0)
		return load_moved(lake, v, out);
	return 0;
}

/* ---- of a raw file that is in use ---- */

/* What the rows of a node say of the raw file that it has now. */
struct era {
	uint64_t aside;	     /* that file itself, when it was put aside and is still open; else 0 */
	uint64_t after;	     /* versions up to this one had other raw files */
	uint64_t last, size; /* the newest version that is read through it; 0: none */
};

/* From the last version back: 1 when it is known which one is read through the raw file. */
static int note_last(void *arg, const struct version_row *v)
{
	struct era *e = arg;

	if (v->id == e->aside)
		return 0;
	/* it is whole elsewhere, and those before it are read there */
	if (v->how == HOW_ASIDE ||
	    (v->state != VERSION_LIVE && v->how != HOW_NONE && v->how != HOW_PREFIX && v->how != HOW_UNDO))
		return 1;
	if (!version_needs_raw(v) && v->how != HOW_UNDO) /* lost itself, but others are read through it */
		return 0;
	e->last = v->id;
	e->size = v->size;
	return 1;
}

/* LAST_KNOWN: the inode says which version that is. */
static int read_era(struct lake *lake, const struct inode *inode, uint64_t commit, bool last_known, struct era *e)
{
	int rc = commit ? store_barrier(lake->store, commit) : 0;

	if (rc)
		return rc;
	rc = store_version_last_aside(lake->store, inode->id, e->aside, &e->after);
	if (rc == -ENOENT)
		rc = 0;
	if (!rc && !last_known)
		rc = store_versions_of_node_back(lake->store, inode->id, 0, note_last, e);
	return rc < 0 ? rc : 0;
}

/* What an inode says of its raw file. */
struct now {
	uint64_t version, size, era, aside;
	bool no_past;
};

static struct now look_locked(const struct inode *inode)
{
	return (struct now){
		.version = inode->version,
		.size = inode->clean_size,
		.era = inode->era,
		.aside = inode->kept_version ? inode->kept_version : inode->kept_listed,
		.no_past = inode->no_past && (inode->version || !inode->dependants),
	};
}

static bool is_same(const struct now *a, const struct now *b)
{
	return a->version == b->version && a->size == b->size && a->era == b->era && a->aside == b->aside &&
	       a->no_past == b->no_past;
}

/* A link for what INODE has NOW. */
static int fill(struct lake *lake, struct inode *inode, const struct now *now, struct chain *c)
{
	struct era e = {.after = now->era, .aside = now->aside, .last = now->version, .size = now->size};
	struct version_row row;
	int rc = now->no_past ? 0 : read_era(lake, inode, atomic_load(&inode->commit), now->version, &e);

	if (rc < 0)
		return rc;
	c->after = e.after;
	c->from = e.last;
	if (!e.last)
		return 0;
	rc = chain_make_room_locked(c);
	if (!rc && (store_version(lake->store, e.last, &row) || row.node != inode->id))
		row = (struct version_row){.id = e.last, .node = inode->id}; /* just cut, so nothing is kept of it */
	row.size = e.size;
	if (!rc)
		rc = chain_load_link(lake, c, &row, &c->links[0]);
	c->n = !rc;
	return rc;
}

/* Somebody else may have made one at the same time. False: INODE is not what MADE was made for any more. */
static bool attach(struct inode *inode, struct chain *made, const struct now *then, struct chain **out)
{
	SCOPED_LOCK(&inode->lock);
	struct now now = look_locked(inode);

	if (!inode->chain && !is_same(&now, then))
		return false;
	if (!inode->chain)
		inode->chain = chain_ref(made);
	*out = chain_ref(inode->chain);
	return true;
}

int chain_of(struct lake *lake, struct inode *inode, struct chain **out)
{
	bool done = false;
	int rc = 0;

	while (!done && !rc) {
		struct chain *c;
		struct now now;

		pthread_mutex_lock(&inode->lock);
		*out = inode->chain ? chain_ref(inode->chain) : NULL;
		now = look_locked(inode);
		pthread_mutex_unlock(&inode->lock);
		if (*out)
			return 0;
		c = chain_new(inode->id, inode->volume);
		rc = c ? fill(lake, inode, &now, c) : -ENOMEM;
		done = !rc && attach(inode, c, &now, out);
		chain_unref(c);
	}
	return rc;
}

/* ---- older links ---- */

struct older {
	struct lake *lake;
	struct chain *c;
	uint64_t before;
	struct chain_link *links;
	size_t n, room;
	int error;
};

static void older_release(struct older *o)
{
	for (size_t i = 0; i < o->n; i++)
		chain_link_release(&o->links[i]);
	free(o->links);
}

static int load_older(void *arg, const struct version_row *v)
{
	struct older *o = arg;

	if (v->id >= o->before)
		return 1;
	if (v->how == HOW_ASIDE) /* of one that was lost something may be saved for others */
		return 0;
	if (o->n == o->room) {
		struct chain_link *more = reallocarray(o->links, o->room + 64, sizeof(*more));

		if (!more)
			return o->error = -ENOMEM;
		o->links = more;
		o->room += 64;
	}
	o->error = chain_load_link(o->lake, o->c, v, &o->links[o->n]);
	if (!o->error && (o->links[o->n].undo || chain_link_is_whole(&o->links[o->n])))
		o->n++;
	return o->error;
}

/* The links of VERSION up to the first that is in memory come before that one. */
static int prepend(struct chain *c, uint64_t version, struct older *o)
{
	SCOPED_LOCK(&c->lock);
	struct chain_link *links = reallocarray(NULL, c->n + o->n + 4, sizeof(*links));

	if (!links)
		return -ENOMEM;
	if (o->n)
		memcpy(links, o->links, o->n * sizeof(*links));
	if (c->n)
		memcpy(links + o->n, c->links, c->n * sizeof(*links));
	free(c->links);
	c->links = links;
	c->n += o->n;
	c->room = c->n + 4;
	c->from = version;
	o->n = 0;
	return 0;
}

static int reach_locked(struct lake *lake, struct chain *c, uint64_t version)
{
	struct older o = {.lake = lake, .c = c, .before = c->from};
	int rc = store_versions_saved(lake->store, c->node, version, load_older, &o);

	if (rc > 0)
		rc = 0;
	if (!rc)
		rc = prepend(c, version, &o);
	older_release(&o);
	return rc;
}

int chain_reach(struct lake *lake, struct chain *c, uint64_t version)
{
	bool none, there;
	SCOPED_LOCK(&c->save);

	if (version <= c->after)
		return -ENOENT;
	pthread_mutex_lock(&c->lock);
	none = !c->n || (version <= c->lost && version > c->lost_from);
	there = version >= c->from;
	pthread_mutex_unlock(&c->lock);
	return none ? -ENOENT : there ? 0 : reach_locked(lake, c, version);
}

/* ---- of a raw file that was put aside ---- */

int chain_load_ended(struct lake *lake, const struct version_row *v, uint64_t end, struct chain **out)
{
	struct volume *volume = lake_volume(lake, v->volume);
	struct chain *c = volume ? chain_new(v->node, volume) : NULL;
	struct older o = {.lake = lake, .c = c, .before = end};
	int rc;

	if (!c)
		return volume ? -ENOMEM : -EIO;
	rc = store_versions_saved(lake->store, v->node, v->id, load_older, &o);
	if (rc > 0)
		rc = 0;
	if (!rc)
		rc = prepend(c, v->id, &o);
	older_release(&o);
	if (rc < 0) {
		chain_unref(c);
		return rc;
	}
	*out = c;
	return 0;
}

int chain_load_one(struct lake *lake, const struct version_row *v, struct chain **out)
{
	struct volume *volume = lake_volume(lake, v->volume);
	struct chain *c = volume ? chain_new(v->node, volume) : NULL;
	int rc;

	if (!c)
		return volume ? -ENOMEM : -EIO;
	rc = chain_make_room_locked(c);
	if (!rc)
		rc = chain_load_link(lake, c, v, &c->links[0]);
	c->n = !rc;
	c->from = v->id;
	if (rc < 0) {
		chain_unref(c);
		return rc;
	}
	*out = c;
	return 0;
}
