/*
 * Paths on a mounted lake whose folder was removed: the kernel finds nothing below such a folder, not even its past.
 * D@v of the removed folder D still says as of when it was whole, and that is where its files are looked for.
 */
#ifndef TARN_CLI_RESTORE_GONE_H
#define TARN_CLI_RESTORE_GONE_H

#include "cli/place.h"
#include "cli/restore/restore.h"

struct gone {
	struct place folder; /* the first folder on the way that is gone */
	char *below;	     /* what of the path follows it; "" for nothing */
	char *then;	     /* the whole path as it was last: "FOLDER@v/commit-N/BELOW" */
	char removed[48];    /* when the folder was, in RFC 3339 */
	int made;	     /* folders that gone_make() made */
};

/* 0; -ENOENT: PATH is not below a removed folder, nor one itself; else -errno. To be released in any case. */
int gone_find(const char *path, struct gone *out);
void gone_release(struct gone *g);
#define _cleanup_gone_ __attribute__((cleanup(gone_release)))

/* Where the path would be, were its folder there. 0 or -errno. */
int gone_place(const struct gone *g, struct place *out);

/* Makes the folders above the path again, as they were. 0 or -errno after it was said. */
int gone_make(struct gone *g, struct restorer *r);
/* Takes them away again, for there was nothing to put into them. */
void gone_unmake(struct gone *g, struct restorer *r);

#endif
