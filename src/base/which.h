/*
 * The names by which the past is found (tarn(7)), for the file system and for the command line. What a name says is
 * told here, never whether there is such a version:
 *
 *	F@v  F@vN  F@v-N	beside F, which is a file or a folder; F@vN of a file only
 *	@v			in the root of the mount
 *	N  -N  latest  TIME	in F@v of a file, each also followed by the extension of F
 *	history.jsonl		likewise
 *	TIME  commit-N  LABEL	in D@v of a folder and in @v
 *
 * TIME as in base/moment.h. The rightmost "@v" of a name counts, and F is never empty. What follows the mark must be
 * nothing or a number, so that Go's x@v1.2.3 is an ordinary name. Numbers have no sign but "-" and no leading zero.
 */
#ifndef TARN_BASE_WHICH_H
#define TARN_BASE_WHICH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum which_kind {
	WHICH_ALL = 1, /* the folder of all versions */
	WHICH_NUMBER,
	WHICH_BACK, /* counted back from the live one: 1 is the one before it */
	WHICH_LATEST,
	WHICH_TIME,
	WHICH_COMMIT,
	WHICH_HISTORY,
	WHICH_LABEL
};

struct which {
	enum which_kind kind;
	uint64_t number; /* of WHICH_NUMBER, WHICH_BACK, WHICH_COMMIT; 1 or more */
	int64_t time;	 /* of WHICH_TIME: nanoseconds since 1970 */
};

/* The mark is a name of its own in the root. */
#define VERSION_MARK "@v"

/* NAME beside F: the length of F's name in *BASE, and WHICH_ALL, WHICH_NUMBER or WHICH_BACK. False: a plain name. */
bool which_beside(const char *name, size_t *base, struct which *w);

/* The part of the name F that tells programs what it is: ".csv", ".csv.gz" (it points into F), or "". */
const char *which_extension(const char *f);

/* NAME in F@v of a file whose extension is EXTENSION. False: it is nothing there. */
bool which_entry(const char *name, const char *extension, struct which *w);

/* NAME in D@v: WHICH_TIME, WHICH_COMMIT or, what neither is, WHICH_LABEL; such a label need not be allowed. */
void which_moment(const char *name, struct which *w);

/* May a moment be called so? Not what has a slash or more than 255 bytes, nor what is, or looks like, a time, a number
 * or a name of the grammar. */
bool which_label_allowed(const char *name);

#endif
