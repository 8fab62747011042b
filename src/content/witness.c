#include "content/witness.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_on(struct lake *lake)
{
	return atomic_load_explicit(&lake->lineage_on, memory_order_relaxed);
}

static bool reads(int flags)
{
	return (flags & O_ACCMODE) != O_WRONLY && !(flags & O_TRUNC);
}

/* What is read of INODE by RUN: a version, or what that is not yet. */
static void note_read_locked(struct lake *lake, struct inode *inode, uint64_t run)
{
	struct lineage_input in = {.version = inode->transient ? inode->transient : inode->version,
				   .node = inode->id,
				   .folder = inode->parent ? inode->parent->id : 0,
				   .size = inode->clean_size,
				   .name = inode->name,
				   .own = inode->writer_run == run};

	if (inode->companion)
		return;
	if (in.version && !(inode->dirty && in.own))
		lineage_read(lake->lineage, run, &in);
	else if (!in.version && !in.own)
		lineage_read_unversioned(lake->lineage, run, inode->origin);
}

static void note_writer_locked(struct inode *inode, const struct handle *h, uint64_t run)
{
	bool goes_on = !(h->flags & O_TRUNC) && inode->version && inode->clean_size;

	if (!goes_on)
		witness_emptied_locked(inode);
	else if (!inode->companion)
		origin_add(&inode->origin, inode->version, inode->id, EDGE_EXACT, run);
	if (inode->writers > 1)
		return;
	inode->seen_size = goes_on ? inode->clean_size : 0;
	inode->seen_mtime = inode->clean_mtime;
}

void witness_open(struct lake *lake, const struct handle *h, const struct actor *actor)
{
	struct inode *inode = h->inode;

	if (!is_on(lake) || actor->run <= RUN_TARN)
		return;
	lineage_look_again(lake->lineage, actor->run);
	run_look_again(lake, &actor->caller, actor->run);
	SCOPED_LOCK(&inode->lock);
	if (reads(h->flags))
		note_read_locked(lake, inode, actor->run);
	if (h->writer)
		note_writer_locked(inode, h, actor->run);
}

void witness_open_version(struct lake *lake, uint64_t version, const struct actor *actor)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct lineage_input in = {.version = version};
	struct version_row v;

	if (!is_on(lake) || !version || actor->run <= RUN_TARN || store_version(lake->store, version, &v) < 0)
		return;
	in.size = v.size;
	in.node = v.node;
	if (!store_name(lake->store, v.node, &in.folder, &name))
		in.name = buf_str(&name);
	lineage_read(lake->lineage, actor->run, &in);
}

/* Is the content another than when this was asked last? */
static bool was_written(struct lake *lake, struct inode *inode, struct stat *st)
{
	bool written;

	if (inode_stat(lake, inode, st) < 0)
		return false;
	SCOPED_LOCK(&inode->lock);
	written = (uint64_t)st->st_size != inode->seen_size || (st->st_size && stat_mtime(st) != inode->seen_mtime);
	inode->seen_size = (uint64_t)st->st_size;
	inode->seen_mtime = stat_mtime(st);
	return written;
}

/* AS: whose the edges are told to be. */
static void note_written(struct lake *lake, struct inode *inode, uint64_t run, uint64_t as, uint64_t size, bool appends)
{
	SCOPED_LOCK(&inode->lock);

	if (!inode->companion)
		lineage_wrote(lake->lineage, run, as, inode->name, size, appends, &inode->origin);
}

static uint64_t writer_of(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->writer_run;
}

/*
 * Whoever closes a file by executing a program holds a lock of the kernel that a reader of its /proc waits for, until
 * this is answered: nothing is looked at there. One that is not known yet wrote what was opened for it.
 */
void witness_close(struct lake *lake, const struct handle *h, const struct caller *caller)
{
	uint64_t run, opener;
	bool recorded;
	struct stat st;

	if (!h->writer || !is_on(lake) || !caller->pid)
		return;
	opener = writer_of(h->inode);
	run = run_known(caller->pid, &recorded);
	if (!run)
		run = opener;
	if (lineage_has_read(lake->lineage, run) && was_written(lake, h->inode, &st))
		note_written(lake, h->inode, run, recorded ? run : opener, (uint64_t)st.st_size, h->flags & O_APPEND);
}

void witness_cut_early(struct lake *lake, struct inode *inode)
{
	uint64_t run;

	if (!is_on(lake))
		return;
	run = writer_of(inode);
	note_written(lake, inode, run, run, 0, true);
}

void witness_cut_locked(struct inode *inode, struct record *r, uint64_t version, bool last)
{
	if (inode->origin)
		lineage_cut(r, version, inode->origin);
	if (last)
		origin_free(&inode->origin);
}

void witness_emptied_locked(struct inode *inode)
{
	origin_free(&inode->origin);
}
