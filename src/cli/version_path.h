/*
 * Paths of earlier versions as they are written on the command line: F@v3, F@v-1, F@v/3, F@v/3.csv, F@v/latest.csv,
 * F@v/2026-11-20.csv (tarn(7)). The file system decides what they mean; here they are only taken apart.
 */
#ifndef TARN_CLI_VERSION_PATH_H
#define TARN_CLI_VERSION_PATH_H

/*
 * FILE: the part before the last "@v" of the last two components; WHICH: what follows it, without a slash. 0; -EINVAL
 * when PATH names no version. The caller frees both.
 */
int version_path_split(const char *path, char **file, char **which);

/*
 * What is live now at a path of the past: F of F@v3, F@v/3.csv and D@v/2026-11-20/F, D of D@v/LABEL, and what lies
 * below the root of the mount for its @v. 0; -EINVAL when PATH is none. The caller frees it.
 */
int version_path_live(const char *path, char **out);

#endif
