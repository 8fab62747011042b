/*
 * Stubs: files whose bytes are only in the cloud.
 *
 * In the bucket lies a symlink in the file's place, which leads nowhere:
 *
 *	/dev/null/tarn/LAKE-NODE	LAKE: the lake's id, 16 hex digits; NODE: the node's id, hex
 *
 * Below /dev/null nothing can exist, so whoever reads behind tarn's back gets an error, never other bytes, and `>`
 * makes no file. A copy of the tree copies stubs as stubs. With at most 59 bytes it lies in the inode, and is durable
 * with it.
 *
 * On the mount it is the file that it was: size, mode, owner, times, extended attributes and ACL are the store's, and
 * in memory while the inode is there. st_blocks is 1: 0 would make tar(1) archive a hole.
 *
 * Whose stub is it? Never because of the target alone: that anybody can write.
 *
 *	the store knows the symlink's handle	the node's that has it, if that is a stub; else it is a user's symlink.
 *						Every symlink that is made through the mount is known by its handle
 *	it does not: a crash took the record,	the node's that the target names, when the placeholder is tarn's own
 *	or the lake was copied			(its owner is the daemon's user), an object with the bytes of the
 *						node's live version is known, and the node has no other file: it
 *						lies at the node's own path, or nothing does
 *
 * Whatever leads to a node, it has that node's owner, mode and ACL.
 *
 * Evicting, recalling, and what a crash leaves of it (content/recover.c):
 *
 *	evict	the store first: version, object, attributes are durable. The placeholder is made as
 *		versions/HH/NODE.VERSION.stub and exchanged with the file (RENAME_EXCHANGE), which then has that name
 *		and is removed. The record follows; without it the placeholder says all there is to know
 *	recall	the bytes come into a file that nobody knows, are verified and durable. The record that the node has
 *		its handle is committed, then it is exchanged with the placeholder. Without the exchange the
 *		placeholder counts
 *
 * So at every moment the name leads to all of the bytes, here or there.
 *
 * Threads: any. What excludes each other for one inode: its lock, the state CHANGING, freezing (content/inode.h).
 */
#ifndef TARN_CONTENT_CLOUD_STUB_H
#define TARN_CONTENT_CLOUD_STUB_H

#include "content/run.h"
#include "tier/tier.h"

#define STUB_TARGET_ROOM 60

/* ---- what lies in the bucket ---- */

/* LAKE: its id. */
void stub_target(uint64_t lake, uint64_t node, char target[STUB_TARGET_ROOM]);
/* The node whose placeholder NAME in FOLDERFD says to be, whatever that is worth. ST: its lstat. 0: none's of this
 * lake. */
uint64_t stub_named(const struct lake *lake, int folderfd, const char *name, const struct stat *st);

/* ---- what is known of it in memory ---- */

static inline bool inode_is_stub(const struct inode *inode)
{
	return atomic_load_explicit(&inode->stub, memory_order_acquire);
}
/* What its row says, and what was written to it since. INODE's lock is held, or nobody else has it yet. */
void stub_set_locked(struct lake *lake, struct inode *inode, const struct node_row *row);
/* The size that its row has while its stat is ST: of a stub that of its version, whatever was written since. */
uint64_t stub_recorded_size(struct inode *inode, const struct stat *st);
/* LEN bytes from AT on were written to it just now. INODE's lock is held. */
void stub_was_written_locked(struct inode *inode, uint64_t at, uint64_t len);
/* The stat of the file that it stands for. False: it is no stub. */
bool stub_stat(struct inode *inode, struct stat *st);
bool stub_stat_locked(const struct inode *inode, struct stat *st);

/* Who reads a file while it comes back shall see no change: the ctime to show of INODE, whose raw file has ST. */
void stub_show_ctime_locked(const struct inode *inode, struct stat *st);

/*
 * Changing attributes of a stub costs no recall. A proxy is an empty file without a name that has the stub's owner,
 * mode, times, extended attributes and ACL: what is done to it has all the effects that the file system knows.
 * stub_take() then takes them over; ST: as of the stub. The caller has begun a change (inode_begin_change()), and
 * records it. A descriptor, 0, or -errno.
 */
int stub_proxy(struct lake *lake, struct inode *inode);
int stub_take(struct inode *inode, int proxyfd, struct stat *st);
/* Its extended attributes, encoded (content/xattrs.h). */
int stub_xattrs(struct lake *lake, struct inode *inode, struct buf *encoded);

/* ---- there and back ---- */

/*
 * Drops the local bytes of INODE. -EALREADY: it is a stub. Nothing was done:
 *	-EBUSY		somebody has it open or mapped, writes it, or its content is not settled
 *	-ENODATA	no verified object has its bytes, or it has none
 *	-EMLINK		it has more than one name
 *	-EXDEV		older versions are read through it: these have to leave first
 *	-EPERM		it has attributes that the store cannot keep (file capabilities, trusted.*)
 *	-ENOENT		it has no name; else -errno
 */
int stub_evict(struct lake *lake, struct inode *inode);

/*
 * Brings all bytes of INODE back; 0 also when they are here already. CALL: how long it may take, and who may stop it
 * (NULL: as tier_get()). -EIO: the object is damaged, or not there; -ETIMEDOUT, -EHOSTUNREACH, -ECANCELED, -ENOSPC.
 * What was an error once is tried again by the next call.
 */
int stub_recall(struct lake *lake, struct inode *inode, const struct tier_call *call);

/*
 * The last step of it: the file NAME in DIRFD, on INODE's file system, which FD is open on, has all bytes of VERSION,
 * verified and durable (fdatasync). It gets the stub's attributes and its place; who has INODE open goes on with it.
 * Takes the name, not FD. -ESTALE: INODE is not the stub of VERSION any more; then, and after another -errno, the name
 * is as it was.
 */
int stub_return(struct lake *lake, struct inode *inode, uint64_t version, int dirfd, const char *name, int fd);

#endif
