/*
 * How a lake is laid out on disk, for the verbs that make one.
 */
#ifndef TARN_CLI_LAYOUT_H
#define TARN_CLI_LAYOUT_H

#include <stdbool.h>
#include <sys/types.h>

struct layout_folder {
	const char *name; /* in the lake */
	mode_t mode;
};
extern const struct layout_folder layout_folders[]; /* those above come first; a NULL name ends it */
extern const char layout_readme[];		    /* of LAKE/README.md */

/* 0 or -errno, which is said. */
int layout_make_folder(int lake_fd, const char *lake, const struct layout_folder *f, bool may_be_there);

#endif
