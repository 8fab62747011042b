/*
 * The line of a folder: itself, and the folders whose place it took. Inside meta/ only.
 *
 * A folder that is removed and made again is, for who works with its path, the same folder; the series of what is in
 * it, its days and labels go on. F took the place of P when F was made at, or renamed to, a name where P was the last
 * other folder, and P was removed from there (not renamed away: then it took its past along). Where there never was a
 * folder of that name in F's parent, the parent's line is asked: so it holds for trees, whatever their depth, and a
 * tree that is renamed keeps its line.
 *
 * What a line says changes only when a folder is renamed: places of the past do not change.
 */
#ifndef TARN_META_LINE_H
#define TARN_META_LINE_H

#include "meta/conn.h"

/* So many folders does the line of one series, or label, go back: more that were removed at one path are not asked. */
#define LINE_MOST 64
/*
 * So many places are asked for it, on all the ways up together: where the folders of a path were renamed again and
 * again those ways are more than anybody can go (places to the power of names). What is beyond is not found.
 */
#define LINE_ASKED 1024

struct line {
	struct conn *conn;
	uint64_t folders[LINE_MOST];
	int n, at;
	int depth; /* of the paths that are looked at */
	int may_ask;
	int *left; /* of the `may_ask` of the line that was started */
};

/* In a transaction of CONN, as long as the line is used. */
void line_start(struct line *l, struct conn *conn, uint64_t folder);
/* The next of the line, FOLDER itself first, then those that were removed last: 1, 0 at the end, or -errno. */
int line_next(struct line *l, uint64_t *folder);

/*
 * Starts SQL, whose parameters are a folder and a name, for the first folder of PARENT's line in which it finds a row,
 * and leaves Q at that row. *ALONE (may be NULL): all of the line was looked at, and it is only PARENT. 1, 0: there is
 * no row; or -errno.
 */
int line_find(struct conn *conn, enum sql id, uint64_t parent, const void *name, size_t len, struct query *q,
	      bool *alone);

#endif
