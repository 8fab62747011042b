/*
 * Objects that others have put to the remote become files: placeholders, of which nothing is downloaded. And what
 * others have changed there since is found by the ETag.
 *
 *	no file of that name		it is made, as a stub whose version is the object
 *	none any more, and the object	nothing: tarn itself takes it away from that key
 *	is one that tarn put there
 *	the file is that object, as is	nothing
 *	the file was that object, which	the object becomes the file's next version; what is here of the one before is
 *	was changed there, not here	history, and what was only there is lost, and said to be
 *	it is a file of another name	nothing; -EBUSY when it was changed there
 *	both were changed, or the file	both stay: the object becomes NAME.from-cloud beside it
 *	is another one
 */
#ifndef TARN_NS_IMPORT_H
#define TARN_NS_IMPORT_H

#include "ns/ns.h"
#include "tier/tier.h"

#define IMPORT_BESIDE ".from-cloud" /* what is added to a name that is taken */

enum imported { IMPORT_SAME, IMPORT_NEW, IMPORT_CHANGED, IMPORT_CONFLICT };

/*
 * The object KEY, which has HEAD, as NAME in the folder PARENT, whose inode is in memory. UPDATE: what is there may be
 * changed, else it stays: -EEXIST. enum imported or -errno.
 */
int ns_import(struct lake *lake, uint64_t parent, const char *name, const char *key, const struct tier_head *head,
	      bool update, const struct actor *actor);

#endif
