#include "content/cloud/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/recall/inflate.h"
#include "meta/changes.h"
#include "tier/key.h"

#define SUFFIX ".zst"
#define SNAPSHOT "snapshot-"
#define STATE_FILE "copied"
#define LEVEL 3

/* ---- names ---- */

void backup_new_generation(char generation[BACKUP_GENERATION_ROOM])
{
	uint32_t random;

	clock_source.random(&random, sizeof(random));
	snprintf(generation, BACKUP_GENERATION_ROOM, "%016" PRIx64 "-%08" PRIx32, (uint64_t)clock_wall(), random);
}

void backup_key(struct buf *key, const char *prefix, uint64_t lake, const char *name)
{
	_cleanup_buf_ struct buf own = BUF_INIT;

	buf_addf(&own, "%016" PRIx64 "/%s", lake, name);
	tier_key_of_own(key, prefix, "meta", buf_str(&own));
}

void backup_item_key(struct buf *key, const char *prefix, uint64_t lake, const struct backup_item *item)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	char changes[CHANGES_NAME];

	changes_name(item->from, item->to, changes);
	if (item->snapshot)
		buf_addf(&name, "%s/" SNAPSHOT "%016" PRIx64 SUFFIX, item->generation, item->to);
	else
		buf_addf(&name, "%s/%s" SUFFIX, item->generation, changes);
	backup_key(key, prefix, lake, buf_str(&name));
}

/* "GENERATION/NAME.zst" */
static bool parse_item(const char *name, struct backup_item *out)
{
	size_t generation = strcspn(name, "/"), len = strlen(name);
	char rest[CHANGES_NAME];

	if (generation != BACKUP_GENERATION_ROOM - 1 || len < generation + 1 + strlen(SUFFIX) ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 || len - generation - 1 - strlen(SUFFIX) >= sizeof(rest))
		return false;
	memcpy(out->generation, name, generation);
	out->generation[generation] = '\0';
	snprintf(rest, sizeof(rest), "%.*s", (int)(len - generation - 1 - strlen(SUFFIX)), name + generation + 1);
	out->snapshot = !strncmp(rest, SNAPSHOT, strlen(SNAPSHOT));
	if (!out->snapshot)
		return !changes_parse_name(rest, &out->from, &out->to);
	out->from = out->to = strtoull(rest + strlen(SNAPSHOT), NULL, 16);
	return strlen(rest) == strlen(SNAPSHOT) + 16;
}

/* ---- what is there ---- */

void backup_list_release(struct backup_list *l)
{
	free(l->items);
	*l = (struct backup_list){0};
}

struct listing {
	struct backup_list *list;
	size_t folder; /* the length of what every key begins with */
};

static int add_page(void *arg, const struct tier_entry *entries, int n)
{
	const struct listing *l = arg;
	struct backup_list *list = l->list;

	for (int i = 0; i < n; i++) {
		struct backup_item item = {.size = entries[i].head.size};

		if (!parse_item(entries[i].key + l->folder, &item))
			continue;
		if (list->n == list->room) {
			size_t room = list->room ? list->room * 2 : 64;
			struct backup_item *items = realloc(list->items, room * sizeof(*items));

			if (!items)
				return -ENOMEM;
			list->items = items;
			list->room = room;
		}
		list->items[list->n++] = item;
	}
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare(const void *a, const void *b)
{
	const struct backup_item *x = a, *y = b;
	int order = strcmp(x->generation, y->generation);

	if (!order)
		order = compare_numbers(x->from, y->from);
	return order ? order : compare_numbers(x->to, y->to);
}

int backup_list(struct tier *t, uint64_t lake, const struct tier_call *call, struct backup_list *out)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	struct listing l = {.list = out};
	struct tier_list list = {.page = add_page, .arg = &l};
	int rc;

	*out = (struct backup_list){0};
	backup_key(&folder, tier_prefix(t), lake, "");
	if (buf_error(&folder))
		return buf_error(&folder);
	l.folder = folder.len;
	list.prefix = buf_str(&folder);
	rc = tier_list(t, &list, call);
	if (rc < 0)
		backup_list_release(out);
	else if (out->n)
		qsort(out->items, out->n, sizeof(*out->items), compare);
	return rc < 0 ? rc : 0;
}

int backup_choose(const struct backup_list *l, size_t *first, size_t *end)
{
	size_t at = l->n;

	while (at && !l->items[at - 1].snapshot)
		at--;
	if (!at)
		return -ENOENT;
	*first = at - 1;
	for (*end = at; *end < l->n && !strcmp(l->items[*end].generation, l->items[*first].generation);)
		(*end)++;
	/* What began before the snapshot may end after it. */
	while (*first && !strcmp(l->items[*first - 1].generation, l->items[*first].generation) &&
	       l->items[*first - 1].to > l->items[*first].to) {
		struct backup_item earlier = l->items[*first - 1];

		l->items[*first - 1] = l->items[*first];
		l->items[*first] = earlier;
		(*first)--;
	}
	return 0;
}

/* ---- how far it has come ---- */

void backup_state_read(int folderfd, struct backup_state *out)
{
	_cleanup_close_ int fd = openat(folderfd, STATE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct backup_state s = {0};
	char text[512] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	*out = s;
	if (n > 0 && sscanf(text,
			    "generation %25s\nsnapshot %" SCNx64 "\nend %" SCNx64 "\nsnapshot_bytes %" SCNu64
			    "\nchanges_bytes %" SCNu64 "\nchanges %" SCNu64 "\nconfig %" SCNx64 "\nfull %d\n",
			    s.generation, &s.snapshot, &s.end, &s.snapshot_bytes, &s.changes_bytes, &s.changes,
			    &s.config, &s.full) == 8)
		*out = s;
}

int backup_state_write(int folderfd, const struct backup_state *s)
{
	_cleanup_close_ int fd =
		openat(folderfd, STATE_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int n = fd < 0 ? -1
		       : dprintf(fd,
				 "generation %s\nsnapshot %" PRIx64 "\nend %" PRIx64 "\nsnapshot_bytes %" PRIu64
				 "\nchanges_bytes %" PRIu64 "\nchanges %" PRIu64 "\nconfig %" PRIx64 "\nfull %d\n",
				 s->generation, s->snapshot, s->end, s->snapshot_bytes, s->changes_bytes, s->changes,
				 s->config, s->full);

	if (n < 0 || renameat(folderfd, STATE_FILE ".new", folderfd, STATE_FILE) < 0)
		return -errno;
	return 0;
}

/* ---- zstd ---- */

int backup_squeeze(const void *bytes, size_t len, struct buf *out)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(len), n = 0;
	_cleanup_free_ char *to = malloc(room);

	if (!c || !to) {
		ZSTD_freeCCtx(c);
		return -ENOMEM;
	}
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(c, to, room, bytes, len);
	ZSTD_freeCCtx(c);
	if (ZSTD_isError(n))
		return -EIO;
	buf_add(out, to, n);
	return buf_error(out);
}

static int write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One piece of the input goes in, until all of it is taken. */
static int squeeze_part(ZSTD_CCtx *c, ZSTD_inBuffer in, bool last, void *room, int out, uint64_t *size)
{
	size_t left;

	do {
		ZSTD_outBuffer o = {room, ZSTD_CStreamOutSize(), 0};
		int rc;

		left = ZSTD_compressStream2(c, &o, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		rc = write_all(out, room, o.pos);
		if (rc < 0)
			return rc;
		*size += o.pos;
	} while (last ? left != 0 : in.pos < in.size);
	return 0;
}

int backup_squeeze_file(int in, int out, const struct tier_call *call, uint64_t *size)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	_cleanup_free_ char *from = malloc(ZSTD_CStreamInSize()), *room = malloc(ZSTD_CStreamOutSize());
	off_t at = 0;
	ssize_t n = 1;
	int rc = c && from && room ? 0 : -ENOMEM;

	*size = 0;
	if (!rc) {
		ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
		ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	}
	while (!rc && n > 0) {
		n = pread(in, from, ZSTD_CStreamInSize(), at);
		if (n < 0)
			rc = -errno;
		else if (call && call->stop && call->stop(call->arg))
			rc = -ECANCELED;
		else
			rc = squeeze_part(c, (ZSTD_inBuffer){from, (size_t)n, 0}, !n, room, out, size);
		at += n > 0 ? n : 0;
	}
	ZSTD_freeCCtx(c);
	return rc;
}

struct unsqueeze {
	int out;
	struct buf *to;
};

static int take(void *arg, const void *bytes, size_t len)
{
	struct unsqueeze *u = arg;

	if (!u->to)
		return write_all(u->out, bytes, len);
	buf_add(u->to, bytes, len);
	return buf_error(u->to);
}

int backup_fetch(struct tier *t, const char *key, const struct tier_call *call, int out, struct buf *to)
{
	struct unsqueeze u = {.out = out, .to = to};
	_cleanup_inflate_ struct inflate *z = NULL;
	struct tier_get get = {.key = key, .length = TIER_TO_END, .sink = inflate_take};
	int rc = inflate_new(take, &u, &z);

	get.arg = z;
	if (!rc)
		rc = tier_get(t, &get, call, NULL);
	return rc ? rc : inflate_end(z);
}
