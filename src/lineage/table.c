#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/fnv.h"
#include "lineage/patience.h"
#include "lineage/table_int.h"

int lineage_new(struct lineage **out)
{
	struct lineage *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return 0;
}

static void forget(struct lineage *l, struct process *p)
{
	HASH_DELETE(hh, l->processes, p);
	if (p->run)
		HASH_DELETE(by_run, l->runs, p);
	l->reads -= p->n;
	free(p->reads);
	free(p);
}

void processes_release(struct lineage *l)
{
	struct process *p, *next;

	HASH_ITER (hh, l->processes, p, next)
		forget(l, p);
}

void lineage_free(struct lineage *l)
{
	if (!l)
		return;
	patience_end();
	processes_release(l);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* The table is in the order of use: what is used goes to its end. */
static struct process *used(struct lineage *l, struct process *p)
{
	if (p && HASH_CNT(hh, l->processes) > LINEAGE_PROCESSES / 8) {
		HASH_DELETE(hh, l->processes, p);
		HASH_ADD(hh, l->processes, key, sizeof(p->key), p);
	}
	return p;
}

struct process *processes_find(struct lineage *l, struct process_key key)
{
	struct process_key plain;
	struct process *p;

	memset(&plain, 0, sizeof(plain)); /* it is hashed with what is between its members */
	plain.pid = key.pid;
	plain.start = key.start;
	HASH_FIND(hh, l->processes, &plain, sizeof(plain), p);
	return p;
}

struct process *processes_find_run(struct lineage *l, uint64_t run)
{
	struct process *p;

	HASH_FIND(by_run, l->runs, &run, sizeof(run), p);
	return used(l, p);
}

struct process *processes_get(struct lineage *l, struct process_key key)
{
	struct process *p = processes_find(l, key);

	if (p)
		return used(l, p);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	if (HASH_CNT(hh, l->processes) >= LINEAGE_PROCESSES)
		forget(l, l->processes);
	p->key.pid = key.pid;
	p->key.start = key.start;
	HASH_ADD(hh, l->processes, key, sizeof(p->key), p);
	return p;
}

static uint64_t hash_text(const char *text)
{
	uint64_t h = text ? fnv1a(FNV1A_START, text, strlen(text)) : FNV1A_START;

	return h ? h : 1;
}

uint32_t extension_hash(const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;

	return dot && dot != name ? (uint32_t)hash_text(dot) : 0;
}

/* Of rsync's temporary ".NAME.XXXXXX" it is that of NAME. */
uint32_t name_hash(const char *name)
{
	size_t len = name ? strlen(name) : 0;
	char plain[256];

	if (len > 8 && len < sizeof(plain) && name[0] == '.' && name[len - 7] == '.') {
		snprintf(plain, sizeof(plain), "%.*s", (int)(len - 8), name + 1);
		return (uint32_t)hash_text(plain);
	}
	return (uint32_t)hash_text(name);
}

void lineage_meet(struct lineage *l, uint64_t run, pid_t pid, uint64_t start, pid_t parent, const char *group)
{
	struct process_key key = {pid, start};
	struct process *p;

	pthread_mutex_lock(&l->lock);
	p = processes_get(l, key);
	if (p && !p->run) {
		p->run = run;
		HASH_ADD(by_run, l->runs, run, sizeof(p->run), p);
	}
	if (p)
		p->group = group ? hash_text(group) : 0;
	pthread_mutex_unlock(&l->lock);
	pipes_look(l, key, parent);
}

/* ---- what is read ---- */

#define REPEATED 256 /* so far back a version is looked for that is read again */

static bool read_again(struct process *p, const struct read *read)
{
	size_t least = p->n > REPEATED ? p->n - REPEATED : 0;

	for (size_t i = p->n; i-- > least;)
		if (p->reads[i].version == read->version) {
			p->reads[i].at = read->at;
			return true;
		}
	return false;
}

/* Room for one more; the older half of what one process read goes, or all of one that did nothing for long. */
static bool make_room(struct lineage *l, struct process *p)
{
	if (p->n == LINEAGE_READS) {
		l->dropped += LINEAGE_READS / 2;
		l->reads -= LINEAGE_READS / 2;
		p->n -= LINEAGE_READS / 2;
		memmove(p->reads, p->reads + LINEAGE_READS / 2, p->n * sizeof(*p->reads));
	}
	while (l->reads >= LINEAGE_ALL_READS && l->processes != p) {
		l->dropped += l->processes->n;
		forget(l, l->processes);
	}
	return !array_grow(&p->reads, p->n, &p->room, sizeof(*p->reads));
}

void processes_add_read(struct lineage *l, struct process *p, const struct read *read)
{
	if (read_again(p, read))
		return;
	if (!make_room(l, p)) {
		l->dropped++;
		return;
	}
	p->reads[p->n++] = *read;
	l->reads++;
}

struct process *processes_reader(struct lineage *l, uint64_t run)
{
	struct process *p = run > RUN_TARN ? processes_find_run(l, run) : NULL;

	if (p && p->wrote > p->began)
		p->began = p->wrote;
	return p;
}

void lineage_read(struct lineage *l, uint64_t run, const struct lineage_input *in)
{
	struct read read = {.version = in->version,
			    .node = in->node,
			    .folder = in->folder,
			    .size = in->size,
			    .name = name_hash(in->name),
			    .extension = extension_hash(in->name),
			    .own = in->own};
	SCOPED_LOCK(&l->lock);
	struct process *p = processes_reader(l, run);

	if (!p || !in->version)
		return;
	read.at = ++l->clock;
	processes_add_read(l, p, &read);
}

void lineage_count(struct lineage *l, struct lineage_counts *out)
{
	SCOPED_LOCK(&l->lock);

	*out = (struct lineage_counts){HASH_CNT(hh, l->processes), l->reads, l->dropped};
}
