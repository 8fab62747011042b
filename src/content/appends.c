#include "content/appends.h"

#include "base/clock.h"

#define MIXED UINT64_MAX /* several runs, or something else than appends */

void appends_note_locked(struct inode *inode, uint64_t run, bool appends)
{
	struct appends *a = &inode->appends;

	a->rewritten |= !appends;
	a->by = a->rewritten || (a->by && a->by != run) ? MIXED : run;
}

bool appends_are_of_locked(const struct inode *inode, uint64_t run)
{
	return inode->appends.by && inode->appends.by == run;
}

void appends_note_reader_locked(struct inode *inode)
{
	inode->appends.was_read = true;
}

void appends_pin(struct lake *lake)
{
	uint64_t now = store_last_commit(lake->store), known = atomic_load(&lake->pinned);

	while (now > known && !atomic_compare_exchange_weak(&lake->pinned, &known, now))
		;
}

void appends_pin_begin(struct lake *lake)
{
	pthread_mutex_lock(&lake->growth_lock);
}

void appends_pin_end(struct lake *lake)
{
	appends_pin(lake);
	pthread_mutex_unlock(&lake->growth_lock);
}

bool appends_go_on_locked(struct lake *lake, const struct inode *inode, const struct stat *st)
{
	const struct appends *a = &inode->appends;
	int64_t now = clock_monotonic();

	if (!a->version || a->version != inode->version || a->by != a->run || a->was_read ||
	    now - a->last > APPENDS_GAP || now - a->first > atomic_load(&lake->version_interval) ||
	    (uint64_t)st->st_size < inode->clean_size)
		return false;
	pthread_mutex_lock(&lake->growth_lock);
	if (a->commit > atomic_load(&lake->pinned))
		return true;
	pthread_mutex_unlock(&lake->growth_lock);
	return false;
}

void appends_grown(struct lake *lake)
{
	pthread_mutex_unlock(&lake->growth_lock);
}

void appends_cut_locked(struct inode *inode, enum cut_what what, uint64_t commit)
{
	struct appends *a = &inode->appends;

	if (what != CUT_NOTHING) {
		a->last = clock_monotonic();
		a->commit = commit;
		a->was_read = inode->handles > inode->writers;
	}
	if (what == CUT_NEW) {
		a->first = a->last;
		a->run = a->by;
		a->version = a->by && a->by != MIXED ? inode->version : 0;
		a->since = a->rewritten || !a->since ? inode->version : a->since;
	}
	a->by = 0;
	a->rewritten = false;
}

uint64_t appends_since_locked(const struct inode *inode)
{
	return inode->appends.since ? inode->appends.since : inode->version;
}
