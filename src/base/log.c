#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define MESSAGE_MAX 8192 /* two paths and some words; what is longer is cut */

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "ERROR",
	[LOG_LEVEL_WARNING] = "WARNING",
	[LOG_LEVEL_INFO] = "INFO",
	[LOG_LEVEL_DEBUG] = "DEBUG",
};

static atomic_int current_level = LOG_LEVEL_INFO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1; /* protected by log_lock; -1: standard error */
static char *log_file;	/* protected by log_lock */

static int open_log(const char *file)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	return fd < 0 ? -errno : fd;
}

static void swap_destination_locked(int fd)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = fd;
}

int log_open(const char *file)
{
	char *copy = NULL;
	int fd = -1;

	if (file) {
		copy = strdup(file);
		if (!copy)
			return -ENOMEM;
		fd = open_log(file);
		if (fd < 0) {
			free(copy);
			return fd;
		}
	}
	SCOPED_LOCK(&log_lock);
	swap_destination_locked(fd);
	free(log_file);
	log_file = copy;
	return 0;
}

static int reopen(void)
{
	int fd;

	SCOPED_LOCK(&log_lock);
	if (!log_file)
		return 0;
	fd = open_log(log_file);
	if (fd < 0)
		return fd;
	swap_destination_locked(fd);
	return 0;
}

void log_reopen(void)
{
	int r = reopen();

	if (r < 0)
		log_warning("cannot reopen the log file: %s", strerror(-r));
}

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

int log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcasecmp(word, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A name may hold a newline or an escape sequence; a log line may not. */
static void add_visible(struct buf *line, const char *message)
{
	for (const unsigned char *p = (const unsigned char *)message; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			buf_addf(line, "\\x%02x", *p);
		else
			buf_addc(line, (char)*p);
	}
}

static void write_line(enum log_level level, const char *message)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	ssize_t written;

	SCOPED_LOCK(&log_lock);
	if (log_fd >= 0) {
		buf_add_time_ms(&line, clock_wall());
		buf_addf(&line, " %s ", level_names[level]);
	} else {
		buf_adds(&line, "tarn: ");
	}
	add_visible(&line, message);
	buf_addc(&line, '\n');
	if (buf_error(&line))
		return;
	do
		written = write(log_fd >= 0 ? log_fd : STDERR_FILENO, line.data, line.len);
	while (written < 0 && errno == EINTR);
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	int saved = errno;
	va_list ap;
	int n;

	if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);
	if (n >= 0)
		write_line(level, message);
	errno = saved;
}
