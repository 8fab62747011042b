#include "content/recall/recall_caller.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/recall/recall_walk.h"

#define CALLERS 64
#define WHILE_NS (60 * NSEC_PER_SEC)
#define HOUR_NS (3600 * NSEC_PER_SEC)
#define PROGRAM_MAX 64

struct caller_slot {
	uint64_t run;
	int64_t last; /* monotonic: when it opened the last one */
	unsigned opens;
	struct walk *walk; /* NULL: none yet; its own lock, not freed before the end */
};

/* What one user's runs of one program opened since an hour began for them. */
struct budget_slot {
	char program[PROGRAM_MAX];
	uid_t uid;
	int64_t begun; /* monotonic; 0: nobody's */
	uint64_t bytes;
};

struct recall_callers {
	pthread_mutex_t lock;
	struct caller_slot slots[CALLERS]; /* protected by lock, as the next */
	struct budget_slot budgets[CALLERS];
};

int recall_callers_new(struct recall_callers **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	pthread_mutex_init(&(*out)->lock, NULL);
	return 0;
}

void recall_callers_free(struct recall_callers *c)
{
	if (!c)
		return;
	for (struct caller_slot *s = c->slots; s < c->slots + CALLERS; s++)
		walk_free(s->walk);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The program's name, as `ps` knows it; "" when it is gone. */
static void program_of(pid_t pid, char name[256])
{
	char path[64], exe[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	snprintf(name, 256, "%.255s", strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe);
}

bool recall_is_allowed(struct lake *lake, const struct frontend *front, const struct actor *actor)
{
	struct settings *settings;
	char name[256];
	bool denied = false;

	if (front->stubs != STUBS_RECALL)
		return false;
	program_of(actor->caller.pid, name);
	settings = lake_settings(lake);
	for (char **g = settings->recall_deny; name[0] && g && *g && !denied; g++)
		denied = !fnmatch(*g, name, 0);
	settings_unref(settings);
	return !denied;
}

/* The slot of RUN, or that of who was longest away. The lock is held. */
static struct caller_slot *find_slot(struct recall_callers *c, uint64_t run)
{
	struct caller_slot *oldest = c->slots;

	for (struct caller_slot *s = c->slots; s < c->slots + CALLERS; s++) {
		if (s->run == run)
			return s;
		if (s->last < oldest->last)
			oldest = s;
	}
	*oldest = (struct caller_slot){.run = run, .walk = oldest->walk};
	return oldest;
}

bool recall_is_one_of_many(struct lake *lake, const struct actor *actor)
{
	SCOPED_LOCK(&lake->recall_callers->lock);
	struct caller_slot *s = find_slot(lake->recall_callers, actor->run);
	int64_t now = clock_monotonic();

	if (now - s->last > WHILE_NS)
		*s = (struct caller_slot){.run = actor->run, .walk = s->walk};
	s->last = now;
	return ++s->opens > CALLER_MANY;
}

/* That of NAME and UID, or the one that began longest ago, begun anew. The lock is held. */
static struct budget_slot *find_budget(struct recall_callers *c, const char *program, uid_t uid)
{
	struct budget_slot *oldest = c->budgets;
	int64_t now = clock_monotonic();

	for (struct budget_slot *b = c->budgets; b < c->budgets + CALLERS; b++) {
		if (b->begun && b->uid == uid && !strcmp(b->program, program)) {
			oldest = b;
			break;
		}
		if (b->begun < oldest->begun)
			oldest = b;
	}
	if (oldest->begun && now - oldest->begun < HOUR_NS && oldest->uid == uid && !strcmp(oldest->program, program))
		return oldest;
	*oldest = (struct budget_slot){.uid = uid, .begun = now};
	snprintf(oldest->program, sizeof(oldest->program), "%s", program);
	return oldest;
}

static uint64_t budget_of(struct lake *lake)
{
	struct settings *settings = lake_settings(lake);
	struct statvfs fs;
	uint64_t disk = fstatvfs(lake->fd, &fs) ? UINT64_MAX : (uint64_t)fs.f_blocks * fs.f_frsize;
	uint64_t budget = settings_recall_budget(settings, disk);

	settings_unref(settings);
	return budget;
}

bool recall_is_over_budget(struct lake *lake, const struct actor *actor, uint64_t size)
{
	uint64_t budget = budget_of(lake);
	char name[256], program[PROGRAM_MAX];
	struct budget_slot *b;

	program_of(actor->caller.pid, name);
	snprintf(program, sizeof(program), "%.63s", name);
	SCOPED_LOCK(&lake->recall_callers->lock);
	b = find_budget(lake->recall_callers, program, actor->caller.uid);
	if (size > budget || b->bytes > budget - size)
		return true;
	b->bytes += size;
	return false;
}

void recall_follow(struct lake *lake, const struct actor *actor, struct inode *inode)
{
	struct caller_slot *s;
	struct walk *walk;

	pthread_mutex_lock(&lake->recall_callers->lock);
	s = find_slot(lake->recall_callers, actor->run);
	if (!s->walk && walk_new(&s->walk) < 0)
		s->walk = NULL;
	walk = s->walk;
	pthread_mutex_unlock(&lake->recall_callers->lock);
	if (walk)
		walk_on(lake, walk, inode);
}
