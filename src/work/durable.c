/*
 * The thread that has what was cut on the disk, as often as the kernel would by itself (content/durable.h).
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "content/durable.h"
#include "work/work_int.h"

#define DURABLE_NS (30 * NSEC_PER_SEC)
#define BACKGROUND 19

void *durable_main(void *arg)
{
	struct work *w = arg;
	int rc, last = 0;

	work_be_nice(BACKGROUND);
	while (work_sleep(w, DURABLE_NS)) {
		rc = durable_point(w->lake);
		if (rc < 0 && rc != last)
			log_warning("%s: what was written cannot be brought to the disk: %s", w->lake->path,
				    strerror(-rc));
		last = rc;
	}
	return NULL;
}
