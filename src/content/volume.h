/*
 * A file system that buckets lie on. History of its files stays on it (a rename cannot leave it):
 *
 *	LAKE/versions/HH/NODE.VERSION			the lake's own
 *	<bucket's path>/.tarn-versions/HH/NODE.VERSION	a bucket's that lies elsewhere; never shown on the mount
 *	…/packs/NUMBER.pack				many versions in one file (content/pack/pack_file.h)
 *	LAKE/cache/, <bucket's path>/.tarn-versions/cache/	what came back from the cloud (content/recall/recall.h)
 *	…/NODE.VERSION.undo, …/NODE.VERSION.copy	what else is kept of one (content/past/kept.h)
 *	…/NODE.VERSION.stub, …/NODE.VERSION.recall	what is to change places with a live file (content/cloud/stub.h)
 *	<bucket's path>/.tarn-versions/volume		32 hex digits: which volume this is, wherever it is mounted
 *
 * HH: the low byte of the node's id, two hex digits. NODE and VERSION: hex. The name says what a file there is even
 * when the store does not know of it yet (content/recover.h).
 */
#ifndef TARN_CONTENT_VOLUME_H
#define TARN_CONTENT_VOLUME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct volume {
	int index; /* as in the store's rows; 0 is the lake's own */
	dev_t dev;
	int mountfd;		 /* a plain descriptor on it, for open_by_handle_at */
	int versionsfd;		 /* its versions folder */
	int packsfd;		 /* and packs/ in that; -1: it cannot be made */
	int cachefd;		 /* its cache/; set by who opens it */
	bool handles;		 /* files can be opened by handle here */
	_Atomic bool no_reflink; /* it cannot share blocks between files: found out at the first try */
};

#define VERSION_NAME_MAX 48

/*
 * ROOTFD: a folder on the volume. VERSIONSFD: the folder for old content (taken over), with its 256 folders made.
 * 0 or -errno.
 */
int volume_open(int index, int rootfd, int versionsfd, struct volume **out);
void volume_close(struct volume *v);
#define VOLUME_ID_LEN 32
/* Reads what `volume` in a .tarn-versions says, or makes it up and writes it. 0 or -errno. */
int volume_identify(int versionsfd, char id[VOLUME_ID_LEN + 1]);

/* "HH/NODE.VERSION" */
void version_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
/* "HH/NODE.VERSION.undo" */
void undo_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
/* "HH/NODE.VERSION.copy" */
void copy_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
/* "HH/NODE.VERSION.stub", "HH/NODE.VERSION.recall" */
void stub_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
void recall_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
/* Reads the first of these names without its folder; false for another one. */
bool version_name_parse(const char *name, uint64_t *node, uint64_t *version);
/* Reads any of them but the last two, which are the next one's. */
bool version_file_parse(const char *name, uint64_t *node, uint64_t *version);
enum staged_kind { STAGED_STUB = 1, STAGED_RECALL };
bool staged_name_parse(const char *name, uint64_t *node, uint64_t *version, enum staged_kind *kind);

#endif
