/*
 * Who has which ends of pipes: of a process that is met, and of those around it, over which its pipes may lead on. A
 * process that has one of the pipes found so far is looked around in turn, so that the middle of a pipeline is found
 * though it never touches the lake.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lineage/patience.h"
#include "lineage/table_int.h"

#define LOOKS 6		      /* at most so often at once… */
#define LOOK_GAP NSEC_PER_SEC /* …and later once in this time */
#define AROUND 64	      /* processes that are looked at for one that is met */
#define PIPES_AT_ONCE 32

/* One that was looked at. */
struct seen {
	pid_t pid;
	struct proc_stat stat;
	struct proc_pipe pipes[PIPES_AT_ONCE];
	int npipes;
	bool linked; /* it has a pipe of one that is linked */
	bool around; /* those around it were looked at */
};

struct look {
	struct seen *list;
	int n;
};

static bool look_at(struct look *k, pid_t pid)
{
	struct seen *s = &k->list[k->n];

	if (k->n == AROUND || pid <= 1)
		return false;
	for (int i = 0; i < k->n; i++)
		if (k->list[i].pid == pid)
			return false;
	*s = (struct seen){.pid = pid};
	if (proc_stat(pid, &s->stat) < 0)
		return false;
	s->npipes = proc_pipes(pid, s->pipes, PIPES_AT_ONCE);
	k->n++;
	return true;
}

static void look_around(struct look *k, const struct seen *s)
{
	pid_t children[AROUND], parent = s->stat.parent, self = s->pid;
	int n;

	look_at(k, parent);
	n = parent > 1 ? proc_children(parent, children, AROUND) : 0;
	for (int i = 0; i < n; i++)
		look_at(k, children[i]);
	n = proc_children(self, children, AROUND);
	for (int i = 0; i < n; i++)
		look_at(k, children[i]);
}

static bool shares_pipe(const struct seen *a, const struct seen *b)
{
	for (int i = 0; i < a->npipes; i++)
		for (int j = 0; j < b->npipes; j++)
			if (a->pipes[i].inode == b->pipes[j].inode)
				return true;
	return false;
}

static void link_all(struct look *k)
{
	for (int i = 0; i < k->n; i++)
		for (int j = 0; j < k->n && !k->list[i].linked; j++)
			k->list[i].linked = j != i && k->list[j].linked && shares_pipe(&k->list[i], &k->list[j]);
}

/* From the first one on, over pipes, as far as they lead. */
static void look_along(struct look *k)
{
	bool more = k->n && k->list[0].npipes;

	while (more) {
		more = false;
		for (int i = 0; i < k->n && !more; i++) {
			more = k->list[i].linked && !k->list[i].around;
			k->list[i].around |= more;
			if (more)
				look_around(k, &k->list[i]);
		}
		link_all(k);
	}
}

static const struct seen *parent_of(const struct look *k, const struct seen *s)
{
	for (int i = 0; i < k->n; i++)
		if (k->list[i].pid == s->stat.parent)
			return &k->list[i];
	return NULL;
}

static bool reads_from(const struct seen *s, uint64_t inode)
{
	for (int i = 0; s && i < s->npipes; i++)
		if (s->pipes[i].inode == inode && s->pipes[i].reads)
			return true;
	return false;
}

static void note_pipe(struct process *p, const struct proc_pipe *pipe)
{
	unsigned n = p->npipes < PIPES_KEPT ? p->npipes : PIPES_KEPT;

	for (unsigned i = 0; i < n; i++)
		if (p->pipes[i].inode == pipe->inode && p->pipes[i].reads == pipe->reads)
			return;
	p->pipes[p->npipes++ % PIPES_KEPT] = *pipe;
}

/* `input` says in the table that an end is the standard input of a loop, which the parent has, too. */
static void note(struct lineage *l, const struct look *k, const struct seen *s)
{
	struct process *p = processes_get(l, (struct process_key){s->pid, s->stat.start});
	const struct seen *parent = parent_of(k, s);

	if (!p)
		return;
	p->forked = s->stat.forked;
	if (parent)
		p->parent = (struct process_key){parent->pid, parent->stat.start};
	for (int i = 0; i < s->npipes; i++) {
		struct proc_pipe pipe = s->pipes[i];

		pipe.input = pipe.input && pipe.reads && reads_from(parent, pipe.inode);
		note_pipe(p, &pipe);
	}
}

static void look(struct lineage *l, struct process_key key)
{
	struct look k = {.list = calloc(AROUND, sizeof(*k.list))};

	if (!k.list)
		return;
	if (look_at(&k, key.pid) && k.list[0].stat.start == key.start) {
		k.list[0].linked = true;
		look_along(&k);
		pthread_mutex_lock(&l->lock);
		for (int i = 0; i < k.n; i++)
			if (k.list[i].linked)
				note(l, &k, &k.list[i]);
		pthread_mutex_unlock(&l->lock);
	}
	free(k.list);
}

/* Process KEY, whose PARENT is to be noted unless that is 0. */
struct looking {
	struct lineage *l;
	struct process_key key;
	pid_t parent;
};

static void note_parent(struct looking *k)
{
	struct proc_stat st;
	struct process *p;

	if (proc_stat(k->parent, &st) < 0)
		return;
	SCOPED_LOCK(&k->l->lock);
	p = processes_find(k->l, k->key);
	if (p)
		p->parent = (struct process_key){k->parent, st.start};
}

static void look_now(void *arg)
{
	struct looking *k = arg;

	if (k->parent > 1)
		note_parent(k);
	look(k->l, k->key);
}

void pipes_look(struct lineage *l, struct process_key key, pid_t parent)
{
	struct looking *k = malloc(sizeof(*k));

	if (!k)
		return;
	*k = (struct looking){l, key, parent};
	patience_do(look_now, k);
}

void lineage_look_again(struct lineage *l, uint64_t run)
{
	int64_t now = clock_monotonic();
	struct process_key key = {0};
	struct process *p;

	pthread_mutex_lock(&l->lock);
	p = processes_find_run(l, run);
	if (p && (p->looks < LOOKS || now - p->looked > LOOK_GAP)) {
		key = p->key;
		p->looks++;
		p->looked = now;
	}
	pthread_mutex_unlock(&l->lock);
	if (key.pid)
		pipes_look(l, key, 0);
}
