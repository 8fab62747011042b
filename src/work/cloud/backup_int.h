/* Inside work/: what the files of the metadata's copy share. */
#ifndef TARN_WORK_CLOUD_BACKUP_INT_H
#define TARN_WORK_CLOUD_BACKUP_INT_H

#include "content/cloud/backup.h"
#include "work/work_int.h"

/* One on its way. All but `done` are the thread's from snapshot_start() until `done` or snapshot_end(). */
struct snapshot {
	struct work *work;
	struct tier *tier;
	bool command_lines;
	char generation[BACKUP_GENERATION_ROOM];
	unsigned era; /* the backup's */
	uint64_t commit, size;
	int rc;
	bool running; /* started, and snapshot_end() was not called yet */
	_Atomic bool done;
	pthread_t thread;
};

int snapshot_start(struct snapshot *s);
void snapshot_end(struct snapshot *s); /* waits for it; nothing happens when none is running */

#endif
