/* F@v/history.jsonl: every version of a file, also those that cannot be read, one JSON object per line. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view_past.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	if (text && text[0])
		buf_add_json(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

static int add_line(void *arg, const struct version_row *v)
{
	struct buf *b = arg;

	buf_addf(b, "{\"version\":%" PRIu64 ",\"commit\":%" PRIu64 ",\"time\":\"", v->number, v->commit);
	buf_add_time_ms(b, v->time);
	buf_addf(b, "\",\"size\":%" PRIu64 ",\"sha256\":", v->size);
	if (v->hashed) {
		buf_addc(b, '"');
		buf_add_hex(b, v->sha256, sizeof(v->sha256));
		buf_addc(b, '"');
	} else {
		buf_adds(b, "null");
	}
	add_text(b, "state", version_state_name(v->state));
	add_text(b, "how", v->how ? version_how_name(v->how) : NULL);
	add_text(b, "reason", v->reason);
	buf_addf(b, ",\"run\":%" PRIu64 ",\"uid\":%u,\"mode\":\"%04o\"}\n", v->run, (unsigned)v->run_uid,
		 (unsigned)(v->mode & 07777));
	return buf_error(b);
}

int history_render(struct lake *lake, uint64_t asset, struct buf *out)
{
	return store_versions(lake->store, asset, add_line, out);
}
