/*
 * Paths of what was, as they are written on the command line: F@v3, F@v/3.csv, F@v/2026-11-20.csv, D@v/LABEL/x/y,
 * @v/commit-12/b/x (tarn(7)). The file system decides what they mean (base/which.h); here they are only taken apart.
 */
#ifndef TARN_CLI_VERSION_PATH_H
#define TARN_CLI_VERSION_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct version_path {
	size_t subject;	 /* so many bytes name the F or D; with whole_lake the folder that is the root, or nothing */
	bool whole_lake; /* it is the root's own @v */
	size_t below;	 /* where the path below the moment begins, == len where there is none */
	size_t len;	 /* without slashes at the end */
};

/* The last "@v" of PATH counts. 0; -EINVAL when PATH names nothing of the past. */
int version_path_parse(const char *path, struct version_path *out);

/*
 * What is live now at a path of the past: F of F@v3, F@v/3.csv and D@v/2026-11-20/F, D of D@v/LABEL, and what lies
 * below the root of the mount for its @v. 0; -EINVAL when PATH is none. The caller frees it.
 */
int version_path_live(const char *path, char **out);

#endif
