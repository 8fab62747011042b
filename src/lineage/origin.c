/*
 * Resolving what a file was made from, and telling it.
 *
 * Candidates are collected with how sure they are: what the writer read, then over its pipes what those read who wrote
 * into them, and so on. Which of them count is decided when all are there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lineage/table_int.h"

#define MANY 8		/* where more was read, a copy is made from what has its name and size */
#define EDGES_MOST 1024 /* of one version */
#define OLD_MOST 256	/* of what was read for earlier jobs, so much is looked at */
#define TOLD_MOST 4096	/* edges that what was read once leads to, over many outputs */
#define SESSION_MOST 4	/* of those */
#define WALK_DEEP 64	/* processes that pipes lead to */

struct made_from {
	uint64_t version, node, run;
	enum edge_class class;
};

struct origin {
	struct made_from *list;
	size_t n, room;
};

struct candidate {
	struct read read;
	enum edge_class class;
};

struct candidates {
	struct candidate *list;
	size_t n, room;
};

/* ---- what may count ---- */

static void collect_reads(struct candidates *c, const struct process *p, enum edge_class class)
{
	for (size_t i = 0; i < p->n && !array_grow(&c->list, c->n, &c->room, sizeof(*c->list)); i++)
		c->list[c->n++] =
			(struct candidate){p->reads[i], p->reads[i].indirect && class > EDGE_PIPE ? EDGE_PIPE : class};
}

static unsigned pipes_of(const struct process *p)
{
	return p->npipes < PIPES_KEPT ? p->npipes : PIPES_KEPT;
}

static bool has_end(const struct process *p, uint64_t inode, bool writes)
{
	for (unsigned i = 0; i < pipes_of(p); i++)
		if (p->pipes[i].inode == inode && (writes ? p->pipes[i].writes : p->pipes[i].reads))
			return true;
	return false;
}

/* What may have come into P, and how sure that is: one walk, each process once. */
struct walk {
	struct lineage *l;
	struct candidates *found;
	unsigned mark;
	struct {
		struct process *p;
		enum edge_class class;
	} queue[WALK_DEEP];
	int n;
};

static void enqueue(struct walk *w, struct process *p, enum edge_class class)
{
	if (!p || p->mark == w->mark || w->n == WALK_DEEP)
		return;
	p->mark = w->mark;
	w->queue[w->n].p = p;
	w->queue[w->n++].class = class;
}

static bool follow_pipe(struct walk *w, const struct process *p, const struct proc_pipe *pipe, enum edge_class class)
{
	enum edge_class sure = pipe->input && p->n ? EDGE_SESSION : EDGE_PIPE;
	bool found = false;

	for (struct process *q = w->l->processes; q; q = q->hh.next)
		if (q != p && has_end(q, pipe->inode, true)) {
			enqueue(w, q, sure < class ? sure : class);
			found = true;
		}
	return found;
}

/* One that was forked, and executed nothing since, has what its parent had. */
static void follow(struct walk *w, struct process *p, enum edge_class class)
{
	bool fed = p->n;

	collect_reads(w->found, p, class);
	for (unsigned i = 0; i < pipes_of(p); i++)
		if (p->pipes[i].reads)
			fed |= follow_pipe(w, p, &p->pipes[i], class);
	if (!fed && p->forked)
		enqueue(w, processes_find(w->l, p->parent), class < EDGE_PIPE ? class : EDGE_PIPE);
}

static void collect_group(struct walk *w, const struct process *of)
{
	for (struct process *p = w->l->processes; p && of->group; p = p->hh.next)
		if (p != of && p->group == of->group)
			collect_reads(w->found, p, EDGE_DECLARED);
}

static void collect(struct lineage *l, struct process *p, struct candidates *found)
{
	struct walk w = {.l = l, .found = found, .mark = ++l->mark};

	enqueue(&w, p, EDGE_EXACT);
	for (int i = 0; i < w.n; i++)
		follow(&w, w.queue[i].p, w.queue[i].class);
	collect_group(&w, p);
}

/* ---- which of them count ---- */

static bool is_newer(const struct candidates *c, uint64_t than)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].read.at > than)
			return true;
	return false;
}

/* Has a later job read its own in place of READ? */
static bool is_replaced(const struct candidates *c, const struct read *read, uint64_t job)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct read *later = &c->list[i].read;

		if (later->at > job && (later->own || later->folder == read->folder ||
					(read->extension && later->extension == read->extension)))
			return true;
	}
	return false;
}

/* Only the last OLD_MOST of what was read up to JOB are looked at. */
static void forget_old(struct candidates *c, uint64_t job)
{
	size_t old = 0, kept = 0;

	for (size_t i = 0; i < c->n; i++)
		old += c->list[i].read.at <= job && c->list[i].class < EDGE_DECLARED;
	for (size_t i = 0; i < c->n; i++) {
		if (old > OLD_MOST && c->list[i].read.at <= job && c->list[i].class < EDGE_DECLARED) {
			old--;
			continue;
		}
		c->list[kept++] = c->list[i];
	}
	c->n = kept;
}

/* P has written before: what it read before that is likely of another job. */
static void judge_by_job(struct process *p, struct candidates *c)
{
	if (is_newer(c, p->wrote)) {
		p->began = p->wrote;
		p->told = 0;
	}
	forget_old(c, p->began);
	for (size_t i = 0; p->began && i < c->n; i++) {
		struct candidate *one = &c->list[i];

		if (one->read.at <= p->began && one->class < EDGE_DECLARED && one->class > EDGE_SESSION &&
		    is_replaced(c, &one->read, p->began))
			one->class = EDGE_SESSION;
	}
}

/* A line that a shell adds to a log has nothing of what other programs sent to it before it wrote something else. */
static void judge_append(const struct process *p, struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].class == EDGE_PIPE && p->wrote && c->list[i].read.at <= p->wrote)
			c->list[i].class = EDGE_SESSION;
}

static bool is_original(const struct candidate *c, uint32_t name, uint64_t size)
{
	return c->read.name == name && c->read.size == size;
}

/* What has the name and size of what was written is what it was copied from, when it was read last; or, of what came
 * over pipes or was much, whenever that was. */
static bool has_original(const struct candidates *c, uint32_t name, uint64_t size)
{
	const struct candidate *last = NULL;
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		if (!last || c->list[i].read.at > last->read.at)
			last = &c->list[i];
		any |= is_original(&c->list[i], name, size) && (c->n > MANY || c->list[i].class == EDGE_PIPE);
	}
	return any || (last && is_original(last, name, size));
}

static void judge_by_name(struct candidates *c, const char *name, uint64_t size)
{
	uint32_t hash = name_hash(name);
	size_t kept = 0;

	if (c->n < 2 || !name || !size || !has_original(c, hash, size))
		return;
	for (size_t i = 0; i < c->n; i++)
		if (is_original(&c->list[i], hash, size) || c->list[i].class == EDGE_DECLARED)
			c->list[kept++] = c->list[i];
	c->n = kept;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? 1 : -1;
	return x->read.at < y->read.at ? 1 : x->read.at > y->read.at ? -1 : 0;
}

void origin_add(struct origin **o, uint64_t input, uint64_t node, enum edge_class class, uint64_t run)
{
	struct origin *of = *o;

	if (!of)
		of = *o = calloc(1, sizeof(*of));
	if (!of || !input)
		return;
	for (size_t i = of->n; i-- > 0;)
		if (of->list[i].version == input) {
			if (class > of->list[i].class)
				of->list[i] = (struct made_from){input, node, run, class};
			return;
		}
	if (of->n < EDGES_MOST && !array_grow(&of->list, of->n, &of->room, sizeof(*of->list)))
		of->list[of->n++] = (struct made_from){input, node, run, class};
}

static void take_over(struct candidates *c, uint64_t run, struct origin **o)
{
	int session = 0;

	qsort(c->list, c->n, sizeof(*c->list), compare_candidates);
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].class > EDGE_SESSION || session++ < SESSION_MOST)
			origin_add(o, c->list[i].read.version, c->list[i].read.node, c->list[i].class, run);
}

/* Who reads much and then writes many files makes no N x M edges of all that: only the first of them get any. */
static void judge_by_number(struct process *p, struct candidates *c)
{
	size_t kept = 0;

	p->told += c->n;
	if (p->told <= TOLD_MOST)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].class == EDGE_DECLARED)
			c->list[kept++] = c->list[i];
	c->n = kept;
}

/* The same is known before all is looked at: it has told enough of what it read, and read nothing since. */
static bool has_told_all(const struct process *p)
{
	return p->told > TOLD_MOST && !p->npipes && !p->forked && !p->group && p->n &&
	       p->reads[p->n - 1].at <= p->wrote;
}

static void resolve(struct lineage *l, struct process *p, uint64_t as, const char *name, uint64_t size, bool appends,
		    struct origin **o)
{
	struct candidates c = {0};

	collect(l, p, &c);
	if (c.n) {
		judge_by_job(p, &c);
		if (appends)
			judge_append(p, &c);
		judge_by_name(&c, name, size);
		judge_by_number(p, &c);
		take_over(&c, as, o);
	}
	free(c.list);
}

void lineage_wrote(struct lineage *l, uint64_t run, uint64_t as, const char *name, uint64_t size, bool appends,
		   struct origin **o)
{
	struct process *p;
	SCOPED_LOCK(&l->lock);

	p = run > RUN_TARN ? processes_find_run(l, run) : NULL;
	if (!p)
		return;
	if (!has_told_all(p))
		resolve(l, p, as, name, size, appends, o);
	if (!appends)
		p->wrote = ++l->clock;
}

bool lineage_has_read(struct lineage *l, uint64_t run)
{
	SCOPED_LOCK(&l->lock);
	struct process *p = run > RUN_TARN ? processes_find_run(l, run) : NULL;

	return p && (p->n || p->npipes || p->forked || p->group);
}

void lineage_read_unversioned(struct lineage *l, uint64_t run, const struct origin *of)
{
	SCOPED_LOCK(&l->lock);
	struct process *p = of && of->n ? processes_reader(l, run) : NULL;

	if (!p)
		return;
	l->clock++;
	for (size_t i = 0; i < of->n; i++)
		if (of->list[i].class > EDGE_SESSION)
			processes_add_read(l, p,
					   &(struct read){.version = of->list[i].version,
							  .node = of->list[i].node,
							  .at = l->clock,
							  .indirect = true});
}

void lineage_cut(struct record *r, uint64_t version, const struct origin *of)
{
	uint64_t run = 0;

	for (size_t i = 0; i < of->n; i++) {
		record_edge(r, &(struct edge_row){.output = version,
						  .input = of->list[i].version,
						  .input_node = of->list[i].node,
						  .class = of->list[i].class,
						  .run = of->list[i].run});
		if (of->list[i].run > RUN_TARN && of->list[i].run != run)
			record_run_wrote(r, run = of->list[i].run);
	}
}

void origin_free(struct origin **o)
{
	if (*o)
		free((*o)->list);
	free(*o);
	*o = NULL;
}
