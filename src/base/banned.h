/*
 * Functions that nobody should call: they do not know how much room there is, or keep state between calls. The build
 * includes this file before every other (after config.h), so that a use is a compile error that names the function.
 * The technique is git's: the C library's own headers come first, then each name becomes a macro that expands to
 * something that was never declared.
 */
#ifndef TARN_BASE_BANNED_H
#define TARN_BASE_BANNED_H

#include <stdio.h>
#include <string.h>

#define BANNED(func) sorry_##func##_is_a_banned_function

#undef strcpy
#define strcpy(to, from) BANNED(strcpy)
#undef strcat
#define strcat(to, from) BANNED(strcat)
#undef strncat
#define strncat(to, from, n) BANNED(strncat)
#undef strtok
#define strtok(s, delim) BANNED(strtok)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(s) BANNED(gets)

#endif
