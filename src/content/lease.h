/*
 * What the kernel knows of who uses a raw file, asked by a lease that is given up at once:
 *
 *	F_RDLCK granted		settled: no writable handle and no mapping made from one
 *	F_WRLCK granted		alone: nobody at all, read mappings included
 *
 * A lease is taken and given up within one function, while no conflicting open of ours can be answered; a read open
 * would block on a WRLCK one, and a write open with O_NONBLOCK would fail. A descriptor of our own counts as any other.
 *
 * Threads: any.
 */
#ifndef TARN_CONTENT_LEASE_H
#define TARN_CONTENT_LEASE_H

#include "content/lake.h"

/* Asks for a lease of TYPE (F_RDLCK, F_WRLCK) on FD and gives it up at once: 0 granted, -EAGAIN busy, or -errno. */
int lease_probe(int fd, int type);
/*
 * Could somebody still store into INODE, through a mapping too? 0 nobody, -EAGAIN yes, or -errno. Where there are no
 * leases, quiet for a minute is all that can be known.
 */
int lease_settled(struct lake *lake, struct inode *inode);
/* Does nobody at all use it? False also where that cannot be known. */
bool lease_alone(struct lake *lake, struct inode *inode);

#endif
