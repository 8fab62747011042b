/*
 * The settling thread. What it does is content/settle.h's; it runs at normal priority, because a busy file is listed
 * with its new content only when it is settled.
 */
#include "content/settle.h"
#include "work/work_int.h"

#define LOOK_AT_LEAST_MS 1000

void *settle_main(void *arg)
{
	struct work *w = arg;

	while (!settle_run(w->lake, LOOK_AT_LEAST_MS))
		;
	return NULL;
}
