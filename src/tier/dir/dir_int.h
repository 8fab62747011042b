/*
 * The remote that is a folder: on another disk, or on a NAS, where the kernel may let a call hang for hours. So each
 * step on the disk is an errand (tier/errand.h) on memory of its own, and the caller waits no longer than it wants to.
 *
 * The object KEY is the plain file FOLDER/KEY, with its own mtime. Names that begin with ".tarn%" are the engine's:
 *
 *	.tarn%e<name>	a component that is no name on a disk: empty, ".", "..", or one that begins with ".tarn%"
 *	.tarn%l<head>/…	a component of more than NAME_PLAIN bytes: its first NAME_HEAD, and in that folder the rest
 *	.tarn%d<name>/	the folder of keys below <name>, where an object is called so
 *	.tarn%f<name>	the object of that name, where a folder is called so
 *	.tarn%own/id	32 hex digits: which folder this is, wherever it is mounted
 *	.tarn%own/temp/	what is being put
 *	.tarn%own/facts/HH/<sha256 of the key>	facts, where files cannot have extended attributes
 *
 * A lake remembers the id in LAKE/catalog/cloud-folder: where the folder there has another or none, its disk is not
 * mounted, and nothing is looked for in it.
 */
#ifndef TARN_TIER_DIR_DIR_INT_H
#define TARN_TIER_DIR_DIR_INT_H

#include <pthread.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tier/errand.h"

#define DIR_MARK ".tarn%"
#define DIR_OWN DIR_MARK "own"
#define DIR_TEMP DIR_OWN "/temp"
#define DIR_FACTS DIR_OWN "/facts"
#define NAME_PLAIN 241 /* with two marks in front it still is a name */
#define NAME_HEAD 200

struct dir {
	char *path, *lake;
	bool same_disk_allowed;
	struct errands *errands;
	unsigned refs; /* atomic: calls that hang have one */
	pthread_mutex_t lock;
	dev_t dev; /* the folder that was found to be the right one; protected by lock */
	ino_t ino;
};
void dir_unref(struct dir *d);

/* The folder, checked: a descriptor or -errno, with a line in WHY (a buffer of the caller's; made longer). */
int dir_root(struct dir *d, struct buf *why);

/* ---- names: dir_path.c ---- */

/* The path of KEY's file below the folder, in marks where it must be. */
void dir_path_of_key(struct buf *path, const char *key);
/*
 * One name of a folder: appends the part of the key that it stands for. 1: it may be a file or a folder of the key; 2:
 * it is a folder whose names go on in the same component; 0: it is the engine's own.
 */
int dir_part_of_name(struct buf *key, const char *name);
/* The folder that KEY's file lies in, made where CREATE, and the last name in *NAME (points into PATH). Fd, -errno. */
int dir_open_parent(int root, const struct buf *path, bool create, const char **name);
/* What PATH below the folder is, if it is a plain file (else -ENOENT), or a folder. Fd, -errno. */
int dir_open_plain(int dirfd, const char *path, struct stat *st);
int dir_open_folder(int root, const char *path);
/* Opens KEY's file, for reading: fd, with its attributes. -ENOENT: no plain file. */
int dir_open_file(int root, const char *key, struct stat *st);
/* NAME with the mark KIND ('d', 'f') in front. */
void dir_marked(struct buf *out, char kind, const char *name);

/* ---- facts: dir_facts.c ---- */

/* FD's, of the object KEY; what does not fit the file any more is not told. Fills in HEAD whole. 0 or -errno. */
int dir_facts_read(int root, const char *key, int fd, const struct stat *st, struct tier_head *head);
/* The ETag of bytes with this SHA-256. */
void dir_etag(char etag[TIER_ETAG_ROOM], const uint8_t sha256[32]);
/* Is it one of dir_etag()'s? */
bool dir_etag_is_hash(const char *etag);
/*
 * Says that the file FD, which is to become the object KEY, has FACTS and ETAG. HEAD: as dir_facts_read() would tell. 0
 * or -errno.
 */
int dir_facts_write(int root, const char *key, int fd, const struct tier_facts *facts, const char *etag,
		    struct tier_head *head);
void dir_facts_remove(int root, const char *key);

/* ---- the functions of the table ---- */

int dir_put(void *engine, const struct tier_put *p, struct tier_try *t, struct tier_head *head);
int dir_copy(void *engine, const struct tier_copy *c, struct tier_try *t, struct tier_head *head);
int dir_list(void *engine, struct tier_page *page, struct tier_try *t);
void dir_list_end(void *engine, struct tier_page *page);
int dir_sweep(void *engine, const char *prefix, int64_t older, bool look, struct tier_try *t, uint64_t *n);

/* ---- steps ---- */

/* What a call works on in its errands: begins a struct of the call's own. */
struct dir_op {
	struct dir *dir;
	int (*step)(struct dir_op *op);
	void (*release)(struct dir_op *op); /* may be NULL */
	int root;			    /* the folder, open during a step */
	int fd;				    /* the file at hand, or -1; closed with the op */
	bool changed;			    /* -ESTALE is told because an object has another ETag */
	struct buf why;
};
/* SIZE bytes, zeros behind the dir_op. NULL: no memory. */
void *dir_op_new(struct dir *d, size_t size, void (*release)(struct dir_op *op));
/*
 * STEP(*OP) in an errand, with the folder checked and open. Its value, the errors of disks made those of tier.h. When
 * nobody waits any longer *OP becomes NULL: the errand has it.
 */
int dir_step(struct dir_op **op, int (*step)(struct dir_op *op), struct tier_try *t);
/* For a step: the object is not the one that was asked for. -ESTALE */
int dir_changed(struct dir_op *op);
/* Frees it, NULL too. What closing a file may hang in is an errand of its own. */
void dir_op_freep(void *op_pointer);
#define _cleanup_op_ _cleanup_(dir_op_freep)

#endif
