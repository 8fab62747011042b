/*
 * Node, version and run numbers are given out without asking the database: a block is reserved ahead by
 * writing "the next is at least N" durably. When half of it is used up, the next group reserves more. After a crash the
 * rest of a block is never used; after a clean end the reservation is taken back.
 */
#include "base/cleanup.h"
#include "meta/writer_int.h"

uint64_t writer_number(struct writer *w, enum counter_id id)
{
	struct counter *c = &w->counters[id];
	uint64_t number = atomic_fetch_add(&c->next, 1);

	if (number + NUMBERS_RESERVED / 2 < c->limit)
		return number;
	pthread_mutex_lock(&w->lock);
	w->want_numbers = true;
	writer_wake(w);
	while (number >= c->limit) {
		w->want_numbers = true;
		writer_wake(w);
		pthread_cond_wait(&w->done, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return number;
}

void writer_number_at_least(struct writer *w, enum counter_id id, uint64_t next)
{
	struct counter *c = &w->counters[id];
	SCOPED_LOCK(&w->lock);

	if (atomic_load(&c->next) < next)
		atomic_store(&c->next, next);
	if (next + NUMBERS_RESERVED / 2 >= c->limit) {
		w->want_numbers = true;
		writer_wake(w);
	}
}
