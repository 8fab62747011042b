/*
 * What goes through the kernel is in order: no request names a file handle before the reply that gave it out, and
 * RELEASE comes after the replies to all others. ThreadSanitizer does not see that, so it is told; other builds do
 * nothing. P is what the handle points to. It is only a name here, and may have been freed.
 */
#ifndef TARN_BASE_KERNEL_ORDER_H
#define TARN_BASE_KERNEL_ORDER_H

#include <unistd.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* At the start of a request about P. */
static inline void order_after_request(void *p)
{
#ifdef __SANITIZE_THREAD__
	__tsan_acquire(p);
#endif
	(void)p;
}

/* Before a reply, after the last use of P. */
static inline void order_before_reply(void *p)
{
#ifdef __SANITIZE_THREAD__
	__tsan_release(p);
#endif
	(void)p;
}

/*
 * What a READ was about is closed at its RELEASE. libfuse reads the file inside the reply, after order_before_reply(),
 * so this has a name of its own for tests/tsan.supp. FD -1: nothing.
 */
__attribute__((noinline, unused)) static void close_after_replies(int fd)
{
	if (fd >= 0)
		close(fd);
}

#endif
