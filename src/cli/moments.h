/*
 * The moments of a folder, as the mount lists them in D@v: labels, and the days on which something below D changed.
 */
#ifndef TARN_CLI_MOMENTS_H
#define TARN_CLI_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

struct moments {
	struct moment {
		char *name;
		bool label;	 /* else a day */
		uint64_t commit; /* 0: not known */
		int64_t time;	 /* ns */
	} * list;		 /* the newest first */
	int n;
};

/* The path of D@v for the folder GIVEN, which may be gone, or the root of a mount. Errors are said. 0 or -errno. */
int moments_find(const char *given, char **out);
/* PATH: absolute, of D@v. 0 or -errno. */
int moments_read(const char *path, struct moments *out);
void moments_release(struct moments *m);

#endif
