/*
 * Where a path given on the command line lies: in which lake, and below which mount.
 *
 * A lake is recognised by its config/settings.yaml. Paths on a mount belong to the lake that the mount table names;
 * other paths to the nearest folder above them that is a lake.
 */
#ifndef TARN_CLI_PLACE_H
#define TARN_CLI_PLACE_H

#include <stdbool.h>

struct place {
	char *path;   /* absolute, symlinks resolved; its last component need not exist */
	char *lake;   /* absolute; NULL: in no lake */
	char *point;  /* the tarn mount that PATH is seen through; NULL: none */
	char *inside; /* PATH below buckets/, "" for the root; NULL when it is not there */
	bool view;    /* POINT shows the lake as it was; then INSIDE is NULL */
};

void place_release(struct place *p);
#define _cleanup_place_ __attribute__((cleanup(place_release)))

/* 0, or -errno when PATH cannot be resolved. A path in no lake is no error. */
int place_find(const char *path, struct place *out);
/* PATH made absolute, symlinks resolved, also where its last component is missing or a dead mount. 0 or -errno. */
int path_resolve(const char *path, char **out);

/* Is DIR (absolute) a lake? 0; -ENOENT: no; -errno. A lake that only its owner may look into counts as one. */
int lake_check(const char *dir);

/*
 * The lake that a verb is about, for verbs to begin with: errors are said. 0 or -errno.
 * lake_given: GIVEN is the lake itself. lake_around: GIVEN is anything in it; NULL: the current folder.
 */
int lake_given(const char *given, char **lake);
int lake_around(const char *given, char **lake);
/* GIVEN is a path on a mounted lake, below its root. Errors are said. 0 or -errno. */
int place_on_mount(const char *given, struct place *out);
/* Why P is no such path. -EINVAL. */
int place_say_not_on_mount(const struct place *p);

#endif
