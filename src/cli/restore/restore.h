/*
 * tarn restore, inside. Every reading and writing goes through the mount, as with any program: what is restored is an
 * ordinary save, and what was there becomes history.
 *
 * A file is written to a temporary name beside its target and takes its place by rename: readers see the old content or
 * the new. One whose content is what it was already is not written again. Modes are those of then (without set-id bits
 * and what was only an ACL's mask; a file that has an ACL now keeps it, and its mode), times and user.* attributes,
 * too; owners are those of now.
 */
#ifndef TARN_CLI_RESTORE_RESTORE_H
#define TARN_CLI_RESTORE_RESTORE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "cli/progress.h"

struct restorer {
	bool dry_run; /* only say what would be done */
	bool replace; /* in folders: what was not there then is removed */
	bool quiet;   /* --json: nothing is printed on the way */
	pid_t daemon; /* of the mount; 0 where it is not known */
	struct progress progress;
	int64_t files, folders, links, same, removed, bytes; /* done, or what would be */
	struct json_object *failed;			     /* [{"path": …, "error": …}] */
	struct json_object *changes;			     /* with dry_run: [{"path": …, "change": …}] */
	bool busy;					     /* something failed that may work later */
};

#define RESTORE_NOWHERE (-1)

/* What comes from where, and where it goes. */
struct restoring {
	int from_dir;		/* AT_FDCWD for a whole path */
	const char *from;	/* the name there */
	const char *companions; /* of a database: the path that theirs begin with; NULL: FROM */
	int to_dir;		/* RESTORE_NOWHERE: a folder that dry_run has not made */
	const char *to;		/* the name there */
	const char *path;	/* of the target, for messages */
};

/* Both answer 0, or -errno after it was said and noted. */
int restore_file(struct restorer *r, const struct restoring *what);
int restore_link(struct restorer *r, const struct restoring *what);
/* Whatever FROM is, with all below it; failures are noted, and the rest goes on. */
void restore_any(struct restorer *r, const struct restoring *what);
/* Makes the folder TO (a path) as FROM was, with nothing in it; where FROM cannot be read, as anybody would. 0 or
 * -errno; -EEXIST too. */
int restore_make_folder(const char *from, const char *to);
/* Bytes of the files at FROM, for the progress. */
uint64_t restore_size(int from_dir, const char *from);

/* What went wrong with PATH: said and noted. Returns RC (-errno). WHY NULL: its words. */
int restore_failed(struct restorer *r, const char *path, int rc, const char *why);
/* Something is about to be done to PATH. With dry_run it is noted, said, and true: nothing is to be done. */
bool restore_only_says(struct restorer *r, const char *path, const char *change);

/* What DIR has as NAME goes, with all below it; PATH is for messages. Counted, and with dry_run only said. -errno. */
int restore_remove(struct restorer *r, int dir, const char *name, const char *path);

/* The mode of then of an open FROM, as the mount tells it (user.tarn.mode), else what stat says, and writable. */
mode_t restore_mode(int from, const struct stat *st);

#endif
