/*
 * Appends that are one version: those of one run, each within APPENDS_GAP of the one before, with no reader in between.
 * A loop of a thousand `>>` in a shell leaves one version, not a thousand. (A program that a shell starts is a run of
 * its own, and so are its appends.)
 *
 * Such an append does not cut a new version: the live one grows, and its commit and time move on. That is allowed as
 * long as nobody can have seen it: a reader of the file, or of its versions, ends it, and so does a moment of a folder
 * that somebody looked at or gave a name to. After version_interval a new version begins in any case. What rewrites
 * never grows a version, and nothing is added to a version that was written.
 *
 * All of these with the inode's lock held.
 */
#ifndef TARN_CONTENT_APPENDS_H
#define TARN_CONTENT_APPENDS_H

#include "content/lake.h"

#define APPENDS_GAP (2 * NSEC_PER_SEC)

/* RUN may change the content from now on, only by appending to it if APPENDS. */
void appends_note_locked(struct inode *inode, uint64_t run, bool appends);
/* Is all that was written since the last cut what RUN appended? */
bool appends_are_of_locked(const struct inode *inode, uint64_t run);
/* Somebody reads the file, or looks at its versions. */
void appends_note_reader_locked(struct inode *inode);
/* Somebody has seen the lake as it is now: versions that were cut so far stay as they are. No lock is needed. */
void appends_pin(struct lake *lake);
/* The same for a moment that gets a name: no version grows between the two, and none of before grows afterwards. */
void appends_pin_begin(struct lake *lake);
void appends_pin_end(struct lake *lake);

/* The content is settled, and has the stat ST: does it go on with the live version? If so, appends_grown() follows when
 * that is submitted. */
bool appends_go_on_locked(struct lake *lake, const struct inode *inode, const struct stat *st);
void appends_grown(struct lake *lake);
/* By COMMIT a new version was cut, or the live one grew; or nothing changed, and whoever saw it still has. */
enum cut_what { CUT_NEW, CUT_GREW, CUT_NOTHING };
void appends_cut_locked(struct inode *inode, enum cut_what what, uint64_t commit);

/* From which version on those of INODE each begin with the bytes of the one before. */
uint64_t appends_since_locked(const struct inode *inode);

#endif
