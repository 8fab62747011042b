/*
 * Cutting: the one place where a version's row is composed, and where it is said what becomes of the version before.
 *
 * A version is cut when somebody's content is complete (content/settle.h), when its name goes away (content/aside.h),
 * when a file comes to a name that has a history (a rename), and for what is found on disk (content/outside.h,
 * content/recover.h). All of them add rows to the record of the operation; they appear with it or not at all.
 */
#ifndef TARN_CONTENT_CUT_H
#define TARN_CONTENT_CUT_H

#include "content/run.h"

/* What a new version is. */
struct cut {
	uint64_t id; /* 0: the next number */
	enum version_state state;
	enum version_how how;
	bool settled; /* nobody can change its bytes any more; else cut_settled() follows */
};

/*
 * The bytes of INODE, whose stat is ST, become a version, written by the run that wrote last, else by ACTOR (may be
 * NULL). Its id. INODE's lock is held.
 */
uint64_t cut_add(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st, const struct cut *cut,
		 const struct actor *actor);
/* The same, as INODE's live version from now on. */
void cut_add_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st,
		  const struct actor *actor);
/* The same, as a partial version, which is what older ones are read through from now on: content/partial.h. */
void cut_add_partial(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st);
/* The same as cut_add() for a file that may have no inode in memory: V says all but id (0: the next number) and what ST
 * has. */
uint64_t cut_add_row(struct lake *lake, struct version_row *v, const struct stat *st, struct record *r);
/* INODE's live version grew by appends, to ST: its commit and time move on. INODE's lock is held. */
void cut_grow_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st);
/* Nobody can change the bytes of VERSION any more, and they are these. */
void cut_settled(struct record *r, uint64_t version, const struct stat *st);

/*
 * Is the live version of INODE, at NAME in PARENT, history when its content goes? In a place that has history; and
 * what left such a place for a temporary name (an editor's backup) is history of the path that it left. INODE's lock is
 * held.
 */
bool cut_keeps_base(const struct inode *inode, struct inode *parent, const char *name);
/*
 * The bytes of INODE's live version, or of a partial one (it need not have any), were changed in its raw file, whose
 * size is SIZE now: what becomes of that version. INODE's lock is held; cut_check_base() came before.
 */
void cut_end_base(struct inode *inode, struct record *r, uint64_t size);
/* The base ended when its file went aside, while that was still written: what was saved since is told. */
void cut_base_saved(struct inode *inode, struct record *r, uint64_t size);
/*
 * Before that: INODE, which is frozen, has the stat ST. If the bytes of its live version were changed in a way that
 * nobody could save them before, they are lost, with all that is read through them.
 */
void cut_check_base(struct lake *lake, struct inode *inode, const struct stat *st);
/* A version's bytes go on unchanged, no longer as the live file: HOW they are kept. */
void cut_keep(struct record *r, uint64_t version, enum version_how how);
/* A version's bytes are gone, for REASON. VERSION 0: there is none. */
void cut_lose(struct record *r, uint64_t version, const char *reason);

/* NEWER, which was cut after OLDER in the same series, has the same bytes: it takes OLDER's place there. */
void cut_same(struct record *r, uint64_t newer, uint64_t older);
/* VERSION is not kept, for REASON, but its bytes stay aside: others are read through them. */
void cut_lose_aside(struct record *r, uint64_t version, const char *reason);
/* VERSION was no history after all: nothing of it is told. 0: there is none. */
void cut_drop(struct record *r, uint64_t version);

#endif
