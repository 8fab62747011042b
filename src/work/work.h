/*
 * The daemon's background work: threads that nothing in ns/ ever calls or waits for.
 *
 *	settle	cuts versions of files that were busy when their last writer closed	work/settle.c
 *	sniff	hashes versions and finds their MIME type				work/sniff_job.c
 *	scan	looks for what changed while nothing was mounted, once			work/scan.c, work/leftovers.c
 *	keeper	each second: memory, counts of opens, space for history			work/keeper.c, work/expire.c
 *	durable	writes versions through to the disk before they are listed for good	work/durable.c
 *	gc	each hour: history that is beyond its retention				work/gc.c, work/retention.c
 *	pack	packs history that is cold						work/pack/pack_job.c
 *	burst	each second: which files go to the cloud, and leave here	work/cloud/burst.c, policy.c
 *	tend	objects in the cloud follow their files' names, or go		work/cloud/cloud_key.c, …
 *	upload	eight of them: files on their way to the cloud			work/cloud/upload_pool.c, upload.c
 *
 * What is to be done is in the store, so that nothing is lost when the daemon ends: the next one goes on. At rest they
 * wake up once a second at most.
 */
#ifndef TARN_WORK_WORK_H
#define TARN_WORK_WORK_H

#include "content/lake.h"

struct work;

/* Before the first request is served. 0 or -errno; then nothing runs. */
int work_start(struct lake *lake, struct work **out);
/* Ends all of it, within a tenth of a second, and frees W (NULL is fine). The lake is still open. */
void work_stop(struct work *w);

#endif
