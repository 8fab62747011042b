/*
 * sniff SECONDS SEED FILE...: changes the files at random, each time a little, and looks into what comes out. Nothing
 * may crash; with sanitizers, nothing may be read or written where it must not be. The files are what it learns from.
 */
#include "sniff/sniff.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"

#define BYTES_MAX (256 * 1024)

static uint64_t chance;

static size_t below(size_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return n ? chance % n : 0;
}

static size_t load(const char *path, char *to)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_full_at(fd, to, BYTES_MAX, 0);

	return n < 0 ? 0 : (size_t)n;
}

/* One change: a byte, a bit, a piece that is doubled, cut out, or made of one byte; or the end goes. */
static size_t change(char *bytes, size_t len)
{
	static const char odd[] = "\"',;|\t\n\r[]{}:\\\0\xff\x7f\x80-+.eE09";
	size_t at = below(len), n = 1 + below(below(8) ? 16 : 4096);

	if (n > len - at)
		n = len - at;
	switch (below(7)) {
	case 0:
		bytes[at] = (char)below(256);
		break;
	case 1:
		bytes[at] ^= (char)(1 << below(8));
		break;
	case 2:
		bytes[at] = odd[below(sizeof(odd) - 1)];
		break;
	case 3:
		memmove(bytes + at, bytes + at + n, len - at - n);
		len -= n;
		break;
	case 4:
		if (len + n <= BYTES_MAX) {
			memmove(bytes + at + n, bytes + at, len - at);
			len += n;
		}
		break;
	case 5:
		memset(bytes + at, odd[below(sizeof(odd) - 1)], n);
		break;
	case 6:
		len = below(4) ? len : at;
	}
	return len;
}

static void look(const char *name, const char *bytes, size_t len)
{
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_description_ struct description d, again;
	_cleanup_buf_ struct buf json = BUF_INIT;

	description_init(&d);
	description_init(&again);
	if (fd < 0 || write_full_at(fd, bytes, len, 0) < 0 || sniff_file(fd, name, false, &d))
		return;
	description_add_json(&json, &d, true);
	if (json.len < DESCRIPTION_JSON_MAX && description_parse(&again, buf_str(&json), json.len)) {
		printf("Bail out! what is said of %s cannot be read: %.2000s\n", name, buf_str(&json));
		abort();
	}
}

int main(int argc, char **argv)
{
	int64_t end = clock_monotonic() + (argc > 1 ? atoll(argv[1]) : 1) * NSEC_PER_SEC;
	_cleanup_free_ char *bytes = malloc(BYTES_MAX);
	uint64_t looks = 0;

	if (argc < 4 || !bytes)
		return 2;
	chance = strtoull(argv[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	sniff_prepare();
	while (clock_monotonic() < end) {
		const char *path = argv[3 + below((size_t)argc - 3)], *slash = strrchr(path, '/');
		size_t len = load(path, bytes);

		for (size_t i = 1 + below(8); i && len; i--)
			len = change(bytes, len);
		look(slash ? slash + 1 : path, bytes, len);
		looks++;
	}
	printf("ok 1 - %llu changed files were looked into\n1..1\n", (unsigned long long)looks);
	return 0;
}
