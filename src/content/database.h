/*
 * SQLite databases (https://www.sqlite.org/fileformat.html, tempfiles.html): files whose content is whole only together
 * with what lies beside them.
 *
 *	NAME		the database
 *	NAME-wal	transactions that are not in it yet
 *	NAME-journal	what a transaction that is under way has overwritten in it
 *	NAME-shm	an index of the -wal, made anew by whoever opens it first
 *
 * The last three are companions. They have no versions of their own: a transaction makes and removes them. A database
 * is settled when nobody can write it or its companions any more; what companions are there then are cut in the same
 * commit, so that the folder as of any moment has what belongs together. When the last program closed the database
 * properly there are none, and the version stands for itself. One that needs a companion (a program was killed) is not
 * listed in F@v/: alone it might not be whole.
 */
#ifndef TARN_CONTENT_DATABASE_H
#define TARN_CONTENT_DATABASE_H

#include "content/run.h"

#define COMPANIONS 3

/* What is cut with a database. */
struct companions {
	struct inode *inode[COMPANIONS]; /* with references */
	struct stat st[COMPANIONS];
	unsigned seq[COMPANIONS]; /* its write_seq, when ST was its */
	bool kept[COMPANIONS];	  /* not the -shm */
	int n;
	bool needed; /* the database is not whole without them */
};

/* INODE is found at NAME in the folder of FOLDERFD: is it a companion? Remembered in the inode. Looks at the disk only
 * where the name is like one's. */
void database_note_name(struct inode *inode, int folderfd, const char *name);
/* The database that INODE, a companion, belongs to, in memory, with a reference; NULL when there is none any more. */
struct inode *database_of(struct lake *lake, struct inode *inode);

/* Is INODE, whose stat is ST, a database? */
bool inode_is_database(struct lake *lake, struct inode *inode, const struct stat *st);

/* The companions of INODE, a database. May take the tree lock. 0 or -errno. */
int companions_find(struct lake *lake, struct inode *inode, struct companions *c);
void companions_release(struct lake *lake, struct companions *c);
/* Was one of them written since it was cut? */
bool companions_are_dirty(const struct companions *c);
/* Can nobody write them any more? INODE, their database, is frozen. 0, -EAGAIN or -errno. */
int companions_look(struct lake *lake, struct companions *c);

#endif
