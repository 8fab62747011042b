/* F@v/history.jsonl: every version of a file, also those that cannot be read, one JSON object per line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view/view_access.h"
#include "ns/view/view_past.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	if (text && text[0])
		buf_add_json(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

struct history {
	struct lake *lake;
	struct buf *out;
	uint64_t run;	  /* of the line before, */
	char program[64]; /* and its program */
	const struct stat *readers;
	uint64_t node; /* of the line before, */
	bool told;     /* and whether all readers may read what was that node's */
};

/* Only the last name of its path: a command line can hold secrets, and this is for all who may read the file. */
static const char *program_of(struct history *h, uint64_t run)
{
	static const char gone[] = " (deleted)";
	_cleanup_buf_ struct buf exe = BUF_INIT;
	const char *name;
	size_t len;

	if (run == h->run)
		return h->program;
	h->run = run;
	h->program[0] = '\0';
	if (store_run_exe(h->lake->store, run, &exe) || !exe.len)
		return h->program;
	name = strrchr(buf_str(&exe), '/');
	name = name ? name + 1 : buf_str(&exe);
	len = strlen(name);
	if (len > strlen(gone) && !strcmp(name + len - strlen(gone), gone))
		len -= strlen(gone);
	snprintf(h->program, sizeof(h->program), "%.*s", (int)len, name);
	return h->program;
}

/* A checksum tells a content that can be guessed: of another's file only who may read that is told. */
static bool tells_hash(struct history *h, uint64_t node)
{
	struct stat left = *h->readers;
	struct access own;

	if (!left.st_uid && !(left.st_mode & 044)) /* root reads all */
		return true;
	if (node == h->node)
		return h->told;
	h->node = node;
	h->told = !access_now(h->lake, node, &own);
	if (!h->told)
		return false;
	access_restrict_to_other(&left, &own);
	h->told = left.st_mode == h->readers->st_mode && (own.uid == left.st_uid || (own.mode & 044) == 044);
	return h->told;
}

static int add_line(void *arg, const struct version_row *v)
{
	struct history *h = arg;
	struct buf *b = h->out;

	buf_addf(b, "{\"version\":%" PRIu64 ",\"commit\":%" PRIu64 ",\"time\":\"", v->number, v->commit);
	buf_add_moment(b, v->time);
	buf_addf(b, "\",\"size\":%" PRIu64 ",\"sha256\":", v->size);
	if (v->hashed && tells_hash(h, v->node)) {
		buf_addc(b, '"');
		buf_add_hex(b, v->sha256, sizeof(v->sha256));
		buf_addc(b, '"');
	} else {
		buf_adds(b, "null");
	}
	add_text(b, "state", version_state_name(v->state));
	add_text(b, "how", v->how ? version_how_name(v->how) : NULL);
	add_text(b, "reason", v->reason);
	buf_addf(b, ",\"run\":%" PRIu64 ",\"uid\":%u", v->run, (unsigned)v->run_uid);
	add_text(b, "program", program_of(h, v->run));
	buf_addf(b, ",\"mode\":\"%04o\"}\n", (unsigned)(v->mode & 07777));
	return buf_error(b);
}

int history_render(struct lake *lake, uint64_t asset, const struct stat *readers, struct buf *out)
{
	struct history h = {.lake = lake, .out = out, .readers = readers};

	return store_versions(lake->store, asset, add_line, &h);
}
