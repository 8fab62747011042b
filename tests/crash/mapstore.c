// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Holds a writable mapping of a file whose descriptor is closed, as databases and linkers do, and obeys lines:
 *
 *	mapstore FILE
 *
 *	store OFFSET TEXT	puts TEXT there, through the mapping
 *	sync			msync(MS_SYNC)
 *	count OFFSET		stores a rising number there until the next line arrives
 *
 * Each line is answered by "ok" once it is done (`count`: once it has begun). The end of the input ends the mapping.
 * A store that the file system cannot take any more (SIGBUS) ends the program with status 7.
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *map;
static size_t size;

static void on_sigbus(int signal_number)
{
	(void)signal_number;
	_exit(7);
}

static void map_file(const char *name)
{
	int fd = open(name, O_RDWR);
	struct stat s;

	if (fd < 0 || fstat(fd, &s) < 0)
		err(1, "%s", name);
	size = (size_t)s.st_size;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "mmap %s", name);
	if (close(fd) < 0)
		err(1, "close %s", name);
}

static void store(size_t offset, const char *text)
{
	if (offset + strlen(text) > size)
		errx(2, "store at %zu: beyond the end of the mapping (%zu)", offset, size);
	memcpy(map + offset, text, strlen(text));
}

static void count(size_t offset)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned long n = 0;
	char text[24];

	do {
		snprintf(text, sizeof(text), "%016lx", ++n);
		store(offset, text);
	} while (!poll(&input, 1, 1));
}

static void obey(char *line)
{
	char *rest = strchr(line, ' ');
	size_t offset = rest ? strtoul(rest + 1, &rest, 10) : 0;

	line[strcspn(line, "\n")] = 0;
	if (!strncmp(line, "store ", 6) && rest && *rest == ' ') {
		store(offset, rest + 1);
	} else if (!strcmp(line, "sync")) {
		if (msync(map, size, MS_SYNC) < 0)
			err(1, "msync");
	} else if (strncmp(line, "count ", 6)) {
		errx(2, "%s: not understood", line);
	}
	puts("ok");
	if (!strncmp(line, "count ", 6))
		count(offset);
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc != 2)
		errx(2, "usage: mapstore FILE");
	signal(SIGBUS, on_sigbus);
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	map_file(argv[1]);
	puts("ok");
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	munmap(map, size);
	return 0;
}
