/* Inside content/pack_*.c: whole reads and writes, and the numbers in a pack, which are little-endian. */
#ifndef TARN_CONTENT_PACK_PACK_IO_H
#define TARN_CONTENT_PACK_PACK_IO_H

#include <stddef.h>
#include <stdint.h>

/* All of LEN bytes. 0; -EBADMSG when the file ends before; -errno. */
int pack_pread(int fd, void *to, size_t len, uint64_t at);
/* All of them. 0 or -errno. */
int pack_pwrite(int fd, const void *bytes, size_t len, uint64_t at);
int pack_fsync(int fd);

void pack_put32(uint8_t *to, uint32_t n);
void pack_put64(uint8_t *to, uint64_t n);
uint32_t pack_get32(const uint8_t *from);
uint64_t pack_get64(const uint8_t *from);

/* Only for tests: after AFTER more writes and fsyncs of packs, COUNT of them fail with ERR (-ENOSPC, -EIO). */
void pack_fail_writes(int after, int count, int err);

#endif
