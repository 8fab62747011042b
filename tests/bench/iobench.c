// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does one kind of work in a folder and prints how fast it went: one number, and its unit.
 *
 *	iobench WORK DIR
 *
 * The same program measures a plain folder and every mount, so what differs is what lies below. Reads are warm: the
 * file is read once before the clock starts. Writes go to the page cache; nothing is fsynced in the measured time, and
 * the runner calls sync(1) before each run. Loops that can go on for ever do so for SECONDS_RUN; the others do COUNT
 * operations.
 *
 * How a file was opened decides which way a file system may serve it, so the random writes come in three kinds:
 *	rand-write-new      the handle that created the file (O_RDWR)
 *	rand-write-wronly   an O_WRONLY handle on a file that `prepare` made and closed some time ago
 *	rand-write-rdwr     the same with O_RDWR
 * Both of the latter use up their file: `prepare` makes it afresh.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB		(1024 * 1024)
#define BLOCK		4096
#define FILE_MIB	256
#define WRITE_PASSES	4
#define RANDOM_MIB	64
#define COUNT		5000
#define FOLDER_ENTRIES	100000
#define APPEND_BYTES	100
#define SECONDS_RUN	0.5
#define STAT_FILES	1000

static char buffer[MIB];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t random_below(uint64_t limit)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % limit;
}

static void report(const char *work, double count, double seconds, const char *unit)
{
	printf("%s %.1f %s\n", work, count / seconds, unit);
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

static void write_at(int fd, size_t size, off_t offset)
{
	if (pwrite(fd, buffer, size, offset) != (ssize_t)size)
		err(1, "write");
}

static void fill(const char *name, int mib)
{
	int fd = open_or_die(name, O_WRONLY | O_CREAT | O_EXCL);

	for (int i = 0; i < mib; i++)
		write_at(fd, MIB, (off_t)i * MIB);
	close_or_die(fd, name);
}

/* ---- one file ---- */

static void prepare(void)
{
	unlink("old-wronly");
	unlink("old-rdwr");
	fill("old-wronly", RANDOM_MIB);
	fill("old-rdwr", RANDOM_MIB);
	if (access("big", F_OK) < 0)
		fill("big", FILE_MIB);
}

static void read_all(int fd)
{
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		err(1, "lseek");
	while ((n = read(fd, buffer, MIB)) > 0)
		;
	if (n < 0)
		err(1, "read");
}

static void seq_read(const char *work)
{
	int fd = open_or_die("big", O_RDONLY);
	double start, took;
	int passes = 0;

	read_all(fd);
	start = now();
	do {
		read_all(fd);
		passes++;
		took = now() - start;
	} while (took < SECONDS_RUN);
	report(work, (double)passes * FILE_MIB, took, "MiB/s");
	close_or_die(fd, "big");
}

static double timed_fill(void)
{
	double start = now(), took;

	fill("written", FILE_MIB);
	took = now() - start;
	if (unlink("written") < 0)
		err(1, "unlink");
	return took;
}

static void seq_write(const char *work)
{
	double took = 0;

	/* Not counted: a virtual machine may have to get the memory from its host first. */
	timed_fill();
	for (int i = 0; i < WRITE_PASSES; i++)
		took += timed_fill();
	report(work, (double)WRITE_PASSES * FILE_MIB, took, "MiB/s");
}

static void rand_read(const char *work)
{
	int fd = open_or_die("big", O_RDONLY);
	double start, took;
	uint64_t n = 0;

	read_all(fd);
	start = now();
	do {
		for (int i = 0; i < 64; i++, n++) {
			off_t at = (off_t)random_below(FILE_MIB * (MIB / BLOCK)) * BLOCK;

			if (pread(fd, buffer, BLOCK, at) != BLOCK)
				err(1, "read");
		}
		took = now() - start;
	} while (took < SECONDS_RUN);
	report(work, (double)n, took, "/s");
	close_or_die(fd, "big");
}

static void rand_write_to(const char *work, int fd)
{
	double start = now(), took;
	uint64_t n = 0;

	do {
		for (int i = 0; i < 64; i++, n++)
			write_at(fd, BLOCK, (off_t)random_below(RANDOM_MIB * (MIB / BLOCK)) * BLOCK);
		took = now() - start;
	} while (took < SECONDS_RUN);
	report(work, (double)n, took, "/s");
}

static void rand_write_new(const char *work)
{
	int fd = open_or_die("new", O_RDWR | O_CREAT | O_EXCL);

	for (int i = 0; i < RANDOM_MIB; i++)
		write_at(fd, MIB, (off_t)i * MIB);
	rand_write_to(work, fd);
	close_or_die(fd, "new");
	unlink("new");
}

static void rand_write_old(const char *work, const char *name, int flags)
{
	int fd = open_or_die(name, flags);

	rand_write_to(work, fd);
	close_or_die(fd, name);
}

static void rand_write_wronly(const char *work)
{
	rand_write_old(work, "old-wronly", O_WRONLY);
}

static void rand_write_rdwr(const char *work)
{
	rand_write_old(work, "old-rdwr", O_RDWR);
}

static void append(const char *work)
{
	int fd = open_or_die("log", O_WRONLY | O_CREAT | O_APPEND | O_TRUNC);
	double start = now(), took;
	uint64_t n = 0;

	do {
		for (int i = 0; i < 64; i++, n++)
			if (write(fd, buffer, APPEND_BYTES) != APPEND_BYTES)
				err(1, "write");
		took = now() - start;
	} while (took < SECONDS_RUN);
	report(work, (double)n, took, "/s");
	close_or_die(fd, "log");
	unlink("log");
}

/* ---- many files: create, stat, open-read, rename, unlink; each on what the one before left ---- */

static const char *file_name(const char *prefix, int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s-%d", prefix, i);
	return name;
}

static void create(const char *work)
{
	double start;

	if (mkdir("many", 0755) < 0 || chdir("many") < 0)
		err(1, "many");
	start = now();
	for (int i = 0; i < COUNT; i++) {
		const char *name = file_name("file", i);
		int fd = open_or_die(name, O_WRONLY | O_CREAT | O_EXCL);

		write_at(fd, BLOCK, 0);
		close_or_die(fd, name);
	}
	report(work, COUNT, now() - start, "/s");
}

static void stat_cached(const char *work)
{
	double start = 0, took = 0;
	uint64_t n = 0;
	struct stat s;

	/* The first round is not counted: it fills the caches. */
	for (int round = 0; round == 0 || took < SECONDS_RUN; round++) {
		if (round == 1) {
			start = now();
			n = 0;
		}
		for (int i = 0; i < STAT_FILES; i++, n++)
			if (stat(file_name("many/file", i), &s) < 0)
				err(1, "stat");
		took = round ? now() - start : 0;
	}
	report(work, (double)n, took, "/s");
}

static void open_read_close(const char *work)
{
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		const char *name = file_name("many/file", i);
		int fd = open_or_die(name, O_RDONLY);

		if (read(fd, buffer, BLOCK) != BLOCK)
			err(1, "%s", name);
		close_or_die(fd, name);
	}
	report(work, COUNT, now() - start, "/s");
}

static void rename_all(const char *work)
{
	double start = now();
	char to[64];

	for (int i = 0; i < COUNT; i++) {
		snprintf(to, sizeof(to), "many/renamed-%d", i);
		if (rename(file_name("many/file", i), to) < 0)
			err(1, "rename to %s", to);
	}
	report(work, COUNT, now() - start, "/s");
}

static void unlink_all(const char *work)
{
	struct stat s;
	double start;

	/* The runner let the kernel forget them: removing is measured warm, like all else. */
	for (int i = 0; i < COUNT; i++)
		if (stat(file_name("many/renamed", i), &s) < 0)
			err(1, "stat");
	start = now();
	for (int i = 0; i < COUNT; i++)
		if (unlink(file_name("many/renamed", i)) < 0)
			err(1, "unlink");
	report(work, COUNT, now() - start, "/s");
	if (rmdir("many") < 0)
		err(1, "rmdir");
}

static void prepare_folder(void)
{
	if (mkdir("folder", 0755) < 0 || chdir("folder") < 0)
		err(1, "folder");
	for (int i = 0; i < FOLDER_ENTRIES; i++) {
		const char *name = file_name("entry", i);

		close_or_die(open_or_die(name, O_WRONLY | O_CREAT), name);
	}
}

static int list_folder(void)
{
	DIR *d = opendir("folder");
	int n = 0;

	if (!d)
		err(1, "folder");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void read_folder(const char *work)
{
	double start, took;
	uint64_t n = 0;

	list_folder();
	start = now();
	do {
		n += (uint64_t)list_folder();
		took = now() - start;
	} while (took < SECONDS_RUN);
	report(work, (double)n, took, "/s");
}

static const struct work {
	const char *name;
	void (*run)(const char *work);
} works[] = {
	{ "seq-read", seq_read },
	{ "seq-write", seq_write },
	{ "rand-read", rand_read },
	{ "rand-write-new", rand_write_new },
	{ "rand-write-wronly", rand_write_wronly },
	{ "rand-write-rdwr", rand_write_rdwr },
	{ "append", append },
	{ "create", create },
	{ "stat", stat_cached },
	{ "open-read", open_read_close },
	{ "rename", rename_all },
	{ "unlink", unlink_all },
	{ "readdir", read_folder },
};

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: iobench WORK DIR");
	if (chdir(argv[2]) < 0)
		err(1, "%s", argv[2]);
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (char)random_below(256);
	if (!strcmp(argv[1], "prepare")) {
		prepare();
		return 0;
	}
	if (!strcmp(argv[1], "prepare-folder")) {
		prepare_folder();
		return 0;
	}
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++) {
		if (!strcmp(argv[1], works[i].name)) {
			works[i].run(works[i].name);
			return 0;
		}
	}
	errx(2, "%s: no such work", argv[1]);
}
