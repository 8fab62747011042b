/*
 * Command lines without their secrets.
 *
 * Hidden is what follows an option, or the name of a variable, that one of PATTERNS matches (fnmatch(3), without regard
 * to case; in "--password=x", "--password x", "PASSWORD=x" it is matched with "password"), and in any word the password
 * of a URL ("https://user:x@host"), and what is known to be a token by its beginning.
 */
#ifndef TARN_LINEAGE_REDACT_H
#define TARN_LINEAGE_REDACT_H

#include "base/buf.h"

#define REDACTED "***"

/* WORDS: LEN bytes, each word ended by a NUL. As a JSON list. PATTERNS ends with NULL. */
void redact_words(const char *words, size_t len, char *const *patterns, struct buf *json);

#endif
