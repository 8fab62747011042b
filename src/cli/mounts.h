/*
 * The mount table of this process, from /proc/self/mountinfo (proc(5)), and unmounting.
 */
#ifndef TARN_CLI_MOUNTS_H
#define TARN_CLI_MOUNTS_H

#include <stdbool.h>
#include <stdio.h>

struct mount_entry {
	char *root;	 /* which folder of the file system is mounted: "/", more below a bind mount */
	char *point;	 /* where */
	char *type;	 /* "ext4", "fuse.tarn" */
	char *source;	 /* of a tarn mount: the lake's absolute path */
	unsigned device; /* the minor number of the file system: of a FUSE mount what the kernel calls its connection */
};

struct mounts {
	struct mount_entry *list; /* in the kernel's order: of two on one point the later one is seen */
	int n;
};

/* Lines that are not of the form are left out. 0, -ENOMEM, -EIO. */
int mounts_parse(FILE *f, struct mounts *out);
int mounts_load(struct mounts *out);
void mounts_release(struct mounts *m);

/* A lake as it is; mount_is_view(): as it was (-o view=). */
bool mount_is_tarn(const struct mount_entry *e);
bool mount_is_view(const struct mount_entry *e);
/* The mount that the absolute path PATH lies in; NULL when the table is empty. */
const struct mount_entry *mounts_at(const struct mounts *m, const char *path);
/* Where LAKE is mounted (the newest one), or NULL. */
const struct mount_entry *mounts_of_lake(const struct mounts *m, const char *lake);
/* The same, also where it is mounted as it was. */
const struct mount_entry *mounts_any_of_lake(const struct mounts *m, const char *lake);
/* Nobody serves it any more: it answers "transport endpoint is not connected". */
bool mount_is_dead(const struct mount_entry *e);

/*
 * Ends the connection of a FUSE mount whose daemon is gone for good: whoever waits for an answer gets an error. 0 or
 * -errno.
 */
int mount_abort(const struct mount_entry *e);
/* Unmounts what a killed daemon of LAKE left behind. How many, or -errno. Only while its lock is held. */
int unmount_dead(const char *lake);

#endif
