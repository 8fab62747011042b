/* "22:00-06:30": from when to when each day, in the machine's own time; over midnight when it ends before it begins. */
#ifndef TARN_CONFIG_HOURS_H
#define TARN_CONFIG_HOURS_H

#include <stdbool.h>
#include <stdint.h>

struct hours {
	int from, to; /* minutes after midnight; the same: always */
};

/* NULL or "": always. False: TEXT says no such thing. */
bool hours_parse(const char *text, struct hours *h);
/* Is MINUTE (after midnight) within them? */
bool hours_have(const struct hours *h, int minute);
/* Is NS (wall clock)? */
bool hours_now(const struct hours *h, int64_t ns);

#endif
