#include "content/cut.h"

#include "base/clock.h"
#include "content/durable.h"

#define SNIFF_DELAY (500 * NSEC_PER_MSEC) /* short-lived content is never hashed */
#define GROUP_BITS ((mode_t)070)

/* A version that was just cut is to be hashed and looked at. */
static void record_sniff(struct record *r, uint64_t version)
{
	record_job_add(r, JOB_SNIFF, version, clock_wall() + SNIFF_DELAY);
}

uint64_t cut_add_row(struct lake *lake, struct version_row *v, const struct stat *st, struct record *r)
{
	if (!v->id)
		v->id = store_new_version(lake->store);
	v->size = (uint64_t)st->st_size;
	v->mtime = stat_mtime(st);
	v->mode = st->st_mode;
	v->uid = st->st_uid;
	v->gid = st->st_gid;
	record_version_add(r, v);
	durable_cut(lake);
	if (v->settled)
		record_sniff(r, v->id);
	return v->id;
}

static mode_t masked(mode_t mode, const struct inode *inode, enum version_state state)
{
	/* With an ACL they are its mask, and grant nothing by themselves. The store sees to it when a live one ends. */
	return state != VERSION_LIVE && inode->acl ? mode & ~GROUP_BITS : mode;
}

uint64_t cut_add(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st, const struct cut *cut,
		 const struct actor *actor)
{
	struct version_row v = {.id = cut->id,
				.node = inode->id,
				.state = cut->state,
				.how = cut->how,
				.settled = cut->settled,
				.not_alone = inode->not_alone || inode->companion,
				.run = RUN_UNKNOWN,
				.volume = inode->volume->index};
	struct stat shown = *st;

	if (inode->writer_run || !actor) {
		v.run = inode->writer_run;
		v.run_uid = inode->writer_uid;
	} else {
		v.run = actor->run;
		v.run_uid = actor->caller.uid;
	}
	shown.st_mode = masked(st->st_mode, inode, cut->state);
	if (durable_is_synced_locked(inode, st))
		record_synced(r, inode->id, (uint64_t)st->st_size, stat_mtime(st));
	return cut_add_row(lake, &v, &shown, r);
}

void cut_add_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st,
		  const struct actor *actor)
{
	const struct cut live = {.state = VERSION_LIVE, .settled = true};

	inode->version = cut_add(lake, inode, r, st, &live, actor);
}

void cut_grow_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st)
{
	if (durable_is_synced_locked(inode, st))
		record_synced(r, inode->id, (uint64_t)st->st_size, stat_mtime(st));
	record_version_grow(r, inode->version, (uint64_t)st->st_size, stat_mtime(st));
	durable_cut(lake);
	record_sniff(r, inode->version);
}

void cut_settled(struct record *r, uint64_t version, const struct stat *st)
{
	record_version_settled(r, version, (uint64_t)st->st_size, stat_mtime(st));
	record_sniff(r, version);
}

bool cut_keeps_base(const struct inode *inode, struct inode *parent, const char *name)
{
	return bucket_versions(inode->bucket, parent, name) ||
	       (inode->left && inode->version && name_is_temporary(name));
}

void cut_end_base(struct lake *lake, struct inode *inode, struct record *r)
{
	(void)lake; /* nothing saves it yet */
	cut_lose(r, inode->version, "overwritten in place");
}

void cut_keep(struct record *r, uint64_t version, enum version_how how)
{
	record_version_state(r, version, VERSION_KEPT, how, NULL);
}

void cut_same(struct record *r, uint64_t newer, uint64_t older)
{
	if (newer && older)
		record_version_same(r, newer, older);
}

void cut_drop(struct record *r, uint64_t version)
{
	if (version)
		record_version_drop(r, version);
}

void cut_lose(struct record *r, uint64_t version, const char *reason)
{
	if (version)
		record_version_state(r, version, VERSION_NOT_KEPT, HOW_NONE, reason);
}
