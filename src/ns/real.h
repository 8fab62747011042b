/* What the files of ns/ share about real nodes. */
#ifndef TARN_NS_REAL_H
#define TARN_NS_REAL_H

#include <fcntl.h>

#include "ns/ns.h"

#define LONG_TIMEOUT 86400.0 /* only the kernel's own requests change anything */
#define SHORT_TIMEOUT 1.0    /* others can write there, too */
/* One tick: the kernel wants the attributes at once, to see whether the maker may open what it made. */
#define NEWBORN_TIMEOUT 0.001

/* An inode in memory by its number, with a reference; -ESTALE when there is none. */
int real_get(struct lake *lake, uint64_t ino, struct inode **out);
/* A folder that changes may be made in: its inode with a reference, and its descriptor. -EROFS in a view. */
struct real_folder {
	struct lake *lake;
	struct inode *inode;
	struct folder_fd *folder;
	int fd;
};
int real_folder_get(struct lake *lake, uint64_t ino, struct real_folder *f);
void real_folder_put(struct real_folder *f);
#define _cleanup_real_folder_ __attribute__((cleanup(real_folder_put)))

static inline void inode_unref_lake(struct lake *lake, struct inode **inode)
{
	inode_unref(lake, *inode);
	*inode = NULL;
}

double real_attr_timeout(struct lake *lake, struct inode *inode, mode_t mode);
double real_entry_timeout(struct lake *lake, struct inode *inode);
/* The stat that the mount shows. */
void real_fill_stat(struct inode *inode, const struct stat *raw, struct stat *st);
/* Fills the answer and counts the look-up. */
void real_fill_entry(struct lake *lake, struct inode *inode, const struct stat *raw, struct ns_entry *e);

/* A new record about what ACTOR did; node_set of INODE as it is now. */
struct record *real_record(enum change_op op, const struct actor *actor, uint64_t node, uint64_t parent,
			   const char *name);
void real_record_node(struct lake *lake, struct inode *inode, const struct stat *raw, struct record *r);
/* Submits R, and keeps INODE and PARENT (either may be NULL) in memory until it can be read. */
int real_submit(struct lake *lake, struct record *r, struct inode *inode, struct inode *parent);
/* The same of what changes what NAME in PARENT is (NULL: it has no name). */
int real_submit_name(struct lake *lake, struct record *r, struct inode *inode, struct inode *parent, const char *name);

/* May a name be made or removed in the root? Only folders. Logs the refusal. */
int real_check_root(struct lake *lake, struct inode *parent, const char *name, bool is_folder);

/* A name that resolves to a version cannot be created. */
bool real_name_is_version(struct lake *lake, struct inode *parent, const char *name);

#endif
