#include "content/scrub_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define KEY "scrub"
#define LIST "scrub.damaged"
#define FORMAT 1

int scrub_state_read(struct store *s, struct scrub_state *out, struct buf *damaged)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int rc = store_lake(s, KEY, &text), format = 0, phase = 0, cloud = 0;

	*out = (struct scrub_state){0};
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	if (sscanf(buf_str(&text),
		   "%d %d %d %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &format,
		   &phase, &cloud, &out->at, &out->begun, &out->last, &out->files, &out->bytes, &out->damaged,
		   &out->repaired) != 10 ||
	    format != FORMAT || phase < SCRUB_NEVER || phase > SCRUB_DONE)
		*out = (struct scrub_state){0}; /* of another tarn: it begins anew */
	else
		out->phase = (enum scrub_phase)phase;
	out->cloud = cloud;
	rc = damaged ? store_lake(s, LIST, damaged) : 0;
	return rc == -ENOENT ? 0 : rc;
}

void scrub_state_record(struct record *r, const struct scrub_state *s, const struct buf *damaged)
{
	char text[240];
	int len = snprintf(text, sizeof(text),
			   "%d %d %d %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			   FORMAT, (int)s->phase, s->cloud, s->at, s->begun, s->last, s->files, s->bytes, s->damaged,
			   s->repaired);

	record_lake(r, KEY, text, (size_t)len);
	record_lake(r, LIST, damaged->len ? damaged->data : NULL, damaged->len);
}
