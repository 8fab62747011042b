#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

static int64_t fixed_wall(void)
{
	return 1795168800 * NSEC_PER_SEC + 5 * NSEC_PER_MSEC;
}

static char *slurp(const char *file)
{
	static char text[65536];
	FILE *f = fopen(file, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void *write_many(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_info("thread %d line %d of a message that is long enough to be torn", *(int *)arg, i);
	return NULL;
}

static void test_threads(const char *file)
{
	pthread_t threads[4];
	int ids[4], lines = 0;
	char *save, *text;
	bool whole = true;

	for (int i = 0; i < 4; i++) {
		ids[i] = i;
		pthread_create(&threads[i], NULL, write_many, &ids[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	text = malloc(1 << 20);
	save = text;
	text[0] = '\0';
	for (FILE *f = fopen(file, "r"); f; fclose(f), f = NULL)
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
	for (char *line = strsep(&text, "\n"); line && text; line = strsep(&text, "\n")) {
		lines++;
		whole = whole && strncmp(line, "2026-11-20T10:00:00.005Z INFO thread ", 37) == 0 &&
			strstr(line, "torn");
	}
	free(save);
	is_int(lines, 800, "800 lines from 4 threads");
	ok(whole, "each of them whole");
}

int main(void)
{
	char dir[] = "/tmp/test-log-XXXXXX", file[64], moved[64];
	enum log_level level = LOG_LEVEL_INFO;
	struct stat st;

	clock_source.wall = fixed_wall;
	is_int(log_level_parse("debug", &level), 0, "debug is a level");
	is_int(level, LOG_LEVEL_DEBUG, "and the right one");
	is_int(log_level_parse("Warning", &level), 0, "in any case");
	is_int(log_level_parse("loud", &level), -EINVAL, "loud is none");
	is_int(level, LOG_LEVEL_WARNING, "and changes nothing");

	if (!mkdtemp(dir))
		return skip_all("no folder for temporary files");
	snprintf(file, sizeof(file), "%s/tarn.log", dir);
	snprintf(moved, sizeof(moved), "%s/tarn.log.1", dir);
	is_int(log_open(dir), -EISDIR, "a folder is no log file");
	is_int(log_open(file), 0, "opened");
	stat(file, &st);
	is_int(st.st_mode & 07777, 0600, "for the owner only");
	log_info("one %d", 1);
	log_debug("not shown");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("a\nb\x1b[31m\x7f");
	is_str(slurp(file),
	       "2026-11-20T10:00:00.005Z INFO one 1\n2026-11-20T10:00:00.005Z DEBUG a\\x0ab\\x1b[31m\\x7f\n",
	       "levels, times, and no control bytes");
	errno = ENOSPC;
	log_warning("keeps errno");
	is_int(errno, ENOSPC, "errno survives");

	rename(file, moved);
	log_error("before");
	log_reopen();
	log_error("after");
	is_str(slurp(file), "2026-11-20T10:00:00.005Z ERROR after\n", "reopened by its name");
	ok(strstr(slurp(moved), "ERROR before") != NULL, "the line before stays in the old file");
	unlink(file);
	log_reopen();
	test_threads(file);
	is_int(log_open(NULL), 0, "back to standard error");
	unlink(file);
	unlink(moved);
	rmdir(dir);
	return done();
}
