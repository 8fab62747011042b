/*
 * What SQLite does not know by itself: texts that are kept packed, and tags in extended attributes. Inside meta/ only.
 *
 *	tarn_text(BLOB)		a packed text as it was; NULL of NULL, and of what is damaged
 *	tarn_tags(BLOB)		the tags in extended attributes (base/xattr_blob.h), a JSON list
 *	tarn_comment(BLOB)	the comment in them, or NULL
 *	tarn_rank()		of a row of found (schema.c): the lower the better it answers to its query
 *
 * The rank is not bm25's: that looks up how frequent each word is in all files, which for frequent ones takes longer
 * than all else. All words are in each row that is found, so what tells rows apart is where, and how often: per word
 * s / (s + 10), s the weights of the columns of its hits.
 *
 * A packed text is a byte, 0 or 1, and the text, or a zstd frame of it.
 */
#ifndef TARN_META_FUNCTIONS_H
#define TARN_META_FUNCTIONS_H

#include <sqlite3.h>
#include <stddef.h>

#include "base/buf.h"

#define TEXT_PACK_MAX (64 << 20) /* bytes of a text that is unpacked */

/* SQLite's code. */
int functions_add(sqlite3 *db);
/* TEXT, packed. */
void text_pack(struct buf *to, const char *text, size_t len);
/* 0, -EBADMSG or -ENOMEM. */
int text_unpack(struct buf *to, const void *packed, size_t len);

#endif
