/*
 * Which versions survive a power failure.
 *
 * A version is cut when its content is complete. That says nothing of the disk: the kernel may keep the bytes to itself
 * for half a minute, while the version's row becomes durable with the next fsync of any file. After a power failure
 * such a version would be listed and have other bytes, or none. So the store also says what is on the disk:
 *
 *	now and then (durable_point) all of it: the versions cut up to then are durable
 *	since then what was fsynced, while its size and mtime were these (record_synced)
 *
 * After a power failure every version that neither says so is read and compared with its hash; without one it is not
 * kept, and its bytes, when they are the live file's, become a version of their own. A daemon that was killed loses
 * nothing: what tells the two apart is whether the lake's file system is still mounted as it was.
 *
 * What was fsynced must not move, as old content does, before the store can vouch for it: durable_vouch().
 */
#ifndef TARN_CONTENT_DURABLE_H
#define TARN_CONTENT_DURABLE_H

#include "content/lake.h"

/* All content that was cut is on the disk when this returns. Does nothing when nothing was cut since. 0 or -errno. */
int durable_point(struct lake *lake);

/* A version was cut. */
void durable_cut(struct lake *lake);
/* The content of INODE whose stat was ST before, is on the disk. The commit to wait for, 0: none. */
uint64_t durable_synced(struct lake *lake, struct inode *inode, const struct stat *st);
/* The same by a record that the caller submits, of an INODE whose lock is held: R says so. */
void durable_add_locked(struct inode *inode, const struct stat *st, struct record *r);
/* Is this content known to be? INODE's lock is held. */
bool durable_is_synced_locked(const struct inode *inode, const struct stat *st);
/* INODE's content, with ST, is about to leave its name or to be written over; FRESH: it has no version yet. */
void durable_vouch(struct lake *lake, struct inode *inode, const struct stat *st, bool fresh);

/* Why a version is not kept. */
#define DURABLE_POWER_FAILED "the power failed before it was on the disk"
/* At the start: did the power fail since the last daemon ran? That is remembered in LAKE, and where this one works. */
int durable_begin(struct lake *lake);
/* What was cut up to this commit is on the disk. */
uint64_t durable_commit(struct lake *lake);
/* If the power failed before V was on the disk for sure, V is lost, and that alone: adds to R. */
bool durable_lose(struct lake *lake, const struct version_row *v, struct record *r);
/* After recovery: what a power failure took is not kept. 0 or -errno. */
int durable_check(struct lake *lake);
#endif
