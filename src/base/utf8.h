/* UTF-8, strictly: what is not valid is not text. */
#ifndef TARN_BASE_UTF8_H
#define TARN_BASE_UTF8_H

#include <stddef.h>

/*
 * The length of the character that begins at P, of which LEFT (> 0) bytes are there; 0 where none begins. No overlong
 * forms, no surrogates, nothing above U+10FFFF (table 3-7 of the Unicode standard).
 */
size_t utf8_length(const void *p, size_t left);

#endif
