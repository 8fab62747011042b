// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What one change of a file costs, for tests/bench/history. Prints lines of "WORK VALUE UNIT".
 *
 *	histbench make FILE MIB			a file of that size, of bytes that do not compress
 *	histbench rewrite FILE			open with O_TRUNC, write 1 MiB, close
 *	histbench replace FILE			rename a new file of 1 MiB over it
 *	histbench unlink FILE
 *	histbench append FILE BYTES COUNT	open with O_APPEND, write, close: the median of COUNT times
 *	histbench log FILE BYTES COUNT		the same through one handle, without open and close
 *	histbench first FILE wronly|rdwr	open, overwrite 4 KiB in the middle, which is durable afterwards
 *	histbench sequential FILE wronly|rdwr	overwrite all of it in place, in blocks of 1 MiB
 *	histbench random FILE wronly|rdwr	overwrite blocks of 4 KiB in place, for some seconds
 *	histbench fdatasync FILE		what the disk itself takes for 64 KiB: the median of 21
 *
 * Times are those of the calls named, and nothing else is in them; the runner makes the machine quiet before each run.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define BLOCK 4096
#define EXTENT 65536
#define SECONDS_RUN 3.0

static char buffer[MIB];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(void)
{
	static uint64_t state;

	if (!state)
		state = (uint64_t)(now() * 1e9) | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill_buffer(void)
{
	for (size_t i = 0; i < sizeof(buffer); i += sizeof(uint64_t)) {
		uint64_t r = next_random();

		memcpy(buffer + i, &r, sizeof(r));
	}
}

static int open_or_die(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void close_or_die(int fd, const char *name)
{
	if (close(fd) < 0)
		err(1, "close %s", name);
}

static void write_all(int fd, size_t size)
{
	if (write(fd, buffer, size) != (ssize_t)size)
		err(1, "write");
}

static void write_at(int fd, size_t size, off_t at)
{
	if (pwrite(fd, buffer, size, at) != (ssize_t)size)
		err(1, "write");
}

static void report_ms(const char *work, double seconds)
{
	printf("%s %.4f ms\n", work, seconds * 1000);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static size_t number(const char *text, size_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > max)
		errx(2, "%s: not a number from 1 to %zu", text, max);
	return n;
}

static int mode_of(const char *text)
{
	if (!strcmp(text, "wronly"))
		return O_WRONLY;
	if (!strcmp(text, "rdwr"))
		return O_RDWR;
	errx(2, "%s: neither wronly nor rdwr", text);
}

static void make(const char *file, size_t mib)
{
	int fd = open_or_die(file, O_WRONLY | O_CREAT | O_TRUNC);

	for (size_t i = 0; i < mib; i++) {
		fill_buffer();
		write_all(fd, MIB);
	}
	close_or_die(fd, file);
}

static void rewrite(const char *file)
{
	double start = now();
	int fd = open_or_die(file, O_WRONLY | O_TRUNC);

	write_all(fd, MIB);
	close_or_die(fd, file);
	report_ms("rewrite", now() - start);
}

static void replace(const char *file)
{
	char new[4096];
	double start;

	snprintf(new, sizeof(new), "%s.new", file);
	make(new, 1);
	sync();
	start = now();
	if (rename(new, file) < 0)
		err(1, "rename");
	report_ms("replace", now() - start);
}

static void remove_file(const char *file)
{
	double start = now();

	if (unlink(file) < 0)
		err(1, "unlink");
	report_ms("unlink", now() - start);
}

static void append(const char *file, size_t bytes, size_t count)
{
	double *took = calloc(count, sizeof(*took));

	if (!took)
		err(1, "calloc");
	for (size_t i = 0; i < count; i++) {
		double start = now();
		int fd = open_or_die(file, O_WRONLY | O_CREAT | O_APPEND);

		write_all(fd, bytes);
		close_or_die(fd, file);
		took[i] = now() - start;
	}
	printf("append-%zu %.4f ms\n", bytes, median(took, count) * 1000);
	free(took);
}

static void append_held(const char *file, size_t bytes, size_t count)
{
	int fd = open_or_die(file, O_WRONLY | O_CREAT | O_APPEND);
	double start = now();

	for (size_t i = 0; i < count; i++)
		write_all(fd, bytes);
	printf("log-%zu %.4f ms\n", bytes, (now() - start) * 1000 / (double)count);
	close_or_die(fd, file);
}

static off_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		err(1, "fstat");
	if (st.st_size < MIB)
		errx(1, "the file is smaller than 1 MiB");
	return st.st_size;
}

static void first(const char *file, const char *mode)
{
	int flags = mode_of(mode), fd;
	double start = now(), opened, written;

	fd = open_or_die(file, flags);
	opened = now();
	write_at(fd, BLOCK, size_of(fd) / 2 / BLOCK * BLOCK);
	written = now();
	if (fdatasync(fd) < 0)
		err(1, "fdatasync");
	printf("first-%s-open %.4f ms\n", mode, (opened - start) * 1000);
	printf("first-%s-write %.4f ms\n", mode, (written - opened) * 1000);
	printf("first-%s-durable %.4f ms\n", mode, (now() - start) * 1000);
	close_or_die(fd, file);
}

static void sequential(const char *file, const char *mode)
{
	int fd = open_or_die(file, mode_of(mode));
	off_t size = size_of(fd);
	double start = now();

	for (off_t at = 0; at + MIB <= size; at += MIB)
		write_at(fd, MIB, at);
	printf("sequential-%s %.1f MiB/s\n", mode, (double)(size / MIB) / (now() - start));
	close_or_die(fd, file);
}

static void random_blocks(const char *file, const char *mode)
{
	int fd = open_or_die(file, mode_of(mode));
	uint64_t blocks = (uint64_t)size_of(fd) / BLOCK, n = 0;
	double start = now(), took;

	do {
		for (int i = 0; i < 64; i++, n++)
			write_at(fd, BLOCK, (off_t)(next_random() % blocks) * BLOCK);
		took = now() - start;
	} while (took < SECONDS_RUN);
	printf("random-%s %.1f /s\n", mode, (double)n / took);
	close_or_die(fd, file);
}

static void disk(const char *file)
{
	double took[21];
	int fd = open_or_die(file, O_WRONLY | O_CREAT | O_TRUNC);

	for (size_t i = 0; i < sizeof(took) / sizeof(*took); i++) {
		double start = now();

		write_all(fd, EXTENT);
		if (fdatasync(fd) < 0)
			err(1, "fdatasync");
		took[i] = now() - start;
	}
	report_ms("fdatasync", median(took, sizeof(took) / sizeof(*took)));
	close_or_die(fd, file);
	unlink(file);
}

int main(int argc, char **argv)
{
	const char *work = argc > 2 ? argv[1] : "", *file = argc > 2 ? argv[2] : "";

	fill_buffer();
	if (argc == 3 && !strcmp(work, "rewrite"))
		rewrite(file);
	else if (argc == 3 && !strcmp(work, "replace"))
		replace(file);
	else if (argc == 3 && !strcmp(work, "unlink"))
		remove_file(file);
	else if (argc == 3 && !strcmp(work, "fdatasync"))
		disk(file);
	else if (argc == 4 && !strcmp(work, "make"))
		make(file, number(argv[3], 1 << 20));
	else if (argc == 4 && !strcmp(work, "first"))
		first(file, argv[3]);
	else if (argc == 4 && !strcmp(work, "sequential"))
		sequential(file, argv[3]);
	else if (argc == 4 && !strcmp(work, "random"))
		random_blocks(file, argv[3]);
	else if (argc == 5 && !strcmp(work, "append"))
		append(file, number(argv[3], MIB), number(argv[4], 1 << 20));
	else if (argc == 5 && !strcmp(work, "log"))
		append_held(file, number(argv[3], MIB), number(argv[4], 1 << 20));
	else
		errx(2, "usage: histbench WORK FILE …, as the head of its source says");
	return 0;
}
