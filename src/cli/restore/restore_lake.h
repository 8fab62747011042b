/* Inside cli/: what the files of `tarn restore-lake` share. */
#ifndef TARN_CLI_RESTORE_RESTORE_LAKE_H
#define TARN_CLI_RESTORE_RESTORE_LAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/remote_url.h"
#include "content/cloud/rebuild.h"
#include "tier/tier.h"

#define LOST "logs/lost.csv" /* in the lake */

struct restored_data {
	uint64_t files, bytes;	  /* that came */
	uint64_t failed;	  /* each of which was said */
	uint64_t wanted, to_come; /* files and bytes that there were to bring */
};

struct restoring {
	const char *url;
	struct remote_url more;
	uint64_t id; /* of the lake; 0: the only one there is */
	bool all, json;

	char *lake; /* absolute */
	int fd;
	struct settings *settings; /* those that only name the remote */
	struct tier *tier;
	uint64_t commit;
	int64_t time;
	FILE *lost; /* logs/lost.csv */
	struct rebuild_counts counts;
	struct restored_data data;
};

/* Brings the bytes of all stubs of LAKE, which is not mounted, in parallel; again where it was interrupted. An exit
 * code. */
int restore_data(const char *lake, struct restored_data *out);

void restored_tell_names(const struct restoring *r);
void restored_tell_data(const struct restored_data *d);
void restored_tell_json(const struct restoring *r);

#endif
