/*
 * The Test Anything Protocol for unit tests: one line per point, the plan at the end. A program exits 0 even when a
 * point fails, for automake's driver counts the lines; only a crash ends otherwise, and then the plan is missing.
 *
 *	int main(void)
 *	{
 *		is_int(add(1, 2), 3, "adds");
 *		return done();
 *	}
 */
#ifndef TARN_TESTS_TAP_H
#define TARN_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_points;

static inline void tap_text(const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p; p++) {
		if (*p == '\n' || *p == '#')
			*p = ' ';
	}
	puts(text);
	fflush(stdout);
}

/* A line for the reader, more under a point that failed. */
__attribute__((format(printf, 1, 2))) static inline void diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	tap_text(fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", good ? "ok" : "not ok", ++tap_points);
	va_start(ap, fmt);
	tap_text(fmt, ap);
	va_end(ap);
	return good;
}

static inline bool is_int(int64_t got, int64_t wanted, const char *what)
{
	bool good = ok(got == wanted, "%s", what);

	if (!good)
		diag("got %lld, wanted %lld", (long long)got, (long long)wanted);
	return good;
}

static inline bool is_str(const char *got, const char *wanted, const char *what)
{
	bool good = ok(got && wanted ? strcmp(got, wanted) == 0 : got == wanted, "%s", what);

	if (!good) {
		diag("got    %s", got ? got : "(null)");
		diag("wanted %s", wanted ? wanted : "(null)");
	}
	return good;
}

static inline void skip(const char *what, const char *missing)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_points, what, missing);
	fflush(stdout);
}

/* The whole program is left out: say what is missing, before any point. */
static inline int skip_all(const char *missing)
{
	printf("1..0 # SKIP %s\n", missing);
	return 0;
}

static inline int done(void)
{
	printf("1..%d\n", tap_points);
	return 0;
}

#endif
