#include "content/recall_caller.h"

#include <fnmatch.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/recall_walk.h"

#define CALLERS 64
#define WHILE_NS (60 * NSEC_PER_SEC)

struct caller_slot {
	uint64_t run;
	int64_t last; /* monotonic: when it opened the last one */
	unsigned opens;
	struct walk *walk; /* NULL: none yet; its own lock, not freed before the end */
};

struct recall_callers {
	pthread_mutex_t lock;
	struct caller_slot slots[CALLERS]; /* protected by lock */
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
