/* What the files of drafts share. */
#ifndef TARN_CONTENT_CLOUD_DRAFT_INT_H
#define TARN_CONTENT_CLOUD_DRAFT_INT_H

#include "content/cloud/draft.h"

#define DRAFT_NAME_MAX 48

struct draft_key {
	uint64_t node, version, size; /* of the version */
};

/* With what is in its files already; made, if there are none. Not in the table yet, no references. 0 or -errno. */
int draft_open_files(struct drafts *ds, const struct draft_key *of, int cachefd, struct draft **out);
bool draft_is_empty(const struct draft *d);
void draft_add(struct draft *d);
/* One that was not added: its files go, too. */
void draft_discard(struct draft *d);

#endif
