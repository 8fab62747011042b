#include "content/pack/pack_io.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/full_io.h"

static atomic_int fail_after = INT_MAX, fail_count, fail_err;

void pack_fail_writes(int after, int count, int err)
{
	atomic_store(&fail_err, err);
	atomic_store(&fail_count, count);
	atomic_store(&fail_after, count ? after : INT_MAX);
}

static int injected(void)
{
	if (atomic_load(&fail_after) == INT_MAX || atomic_fetch_sub(&fail_after, 1) > 0)
		return 0;
	return atomic_fetch_sub(&fail_count, 1) > 0 ? atomic_load(&fail_err) : 0;
}

int pack_pread(int fd, void *to, size_t len, uint64_t at)
{
	ssize_t n = read_full_at(fd, to, len, at);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EBADMSG;
}

int pack_pwrite(int fd, const void *bytes, size_t len, uint64_t at)
{
	int err = injected();

	return err ? err : write_full_at(fd, bytes, len, at);
}

int pack_fsync(int fd)
{
	int err = injected();

	return err ? err : fsync(fd) < 0 ? -errno : 0;
}

void pack_put32(uint8_t *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (8 * i));
}

void pack_put64(uint8_t *to, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(n >> (8 * i));
}

uint32_t pack_get32(const uint8_t *from)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n |= (uint32_t)from[i] << (8 * i);
	return n;
}

uint64_t pack_get64(const uint8_t *from)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n |= (uint64_t)from[i] << (8 * i);
	return n;
}
