#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/human.h"

#define WAIT (500 * NSEC_PER_MSEC)
#define EVERY (200 * NSEC_PER_MSEC)

void progress_start(struct progress *p, const char *name, uint64_t total)
{
	*p = (struct progress){.name = name, .total = total};
	if (isatty(STDERR_FILENO))
		p->next = clock_monotonic() + WAIT;
}

void progress_add(struct progress *p, uint64_t n)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	double part;

	if (!p)
		return;
	p->done += n;
	if (!p->next || clock_monotonic() < p->next)
		return;
	p->next = clock_monotonic() + EVERY;
	p->shown = true;
	part = p->total ? (double)p->done / (double)p->total : 1;
	buf_adds(&line, "\r\033[K");
	human_name(&line, p->name);
	buf_addf(&line, ": %3d %% of ", (int)((part < 1 ? part : 1) * 100));
	human_size(&line, p->total);
	fputs(buf_str(&line), stderr);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
