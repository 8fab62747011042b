/*
 * Cleanup attributes for locals, after systemd's: what a scope opened is released on every way out of it.
 *
 *	_cleanup_free_ char *name = strdup(x);
 *	_cleanup_close_ int fd = open(...);
 *	SCOPED_LOCK(&inode->lock);
 */
#ifndef TARN_BASE_CLEANUP_H
#define TARN_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}

static inline void cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void cleanup_unlockp(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
}

static inline pthread_mutex_t *cleanup_lock(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	return m;
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)
#define _cleanup_closedir_ _cleanup_(cleanup_closedirp)

#define SCOPED_LOCK_JOIN2(a, b) a##b
#define SCOPED_LOCK_JOIN(a, b) SCOPED_LOCK_JOIN2(a, b)
#define SCOPED_LOCK(m)                                                                                                 \
	_cleanup_(cleanup_unlockp) __attribute__((unused)) pthread_mutex_t *SCOPED_LOCK_JOIN(scoped_lock_, __LINE__) = \
		cleanup_lock(m)

/* The descriptor changes hands: the local no longer closes it. */
static inline int steal_fd(int *fd)
{
	int was = *fd;

	*fd = -1;
	return was;
}

static inline void *steal_ptr(void *pp)
{
	void **p = pp, *was = *p;

	*p = NULL;
	return was;
}

#endif
