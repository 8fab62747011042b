/*
 * Log lines. One line per message, lower case, no full stop, with the object's name and the last error, so that a
 * message can be grepped. Before log_open() lines go to standard error, prefixed "tarn: ".
 *
 * Threads: every function may be called from any thread; a line is written with one write(2), so lines never mix.
 */
#ifndef TARN_BASE_LOG_H
#define TARN_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * Send lines to FILE (appended, mode 0600), each "2026-11-20T09:00:00.123Z LEVEL message". NULL: back to standard
 * error. Returns 0 or -errno; on failure the old destination stays.
 */
int log_open(const char *file);
/* Reopen the file by its name (after logrotate). */
void log_reopen(void);
void log_set_level(enum log_level level);
/* "ERROR", "WARNING", "INFO", "DEBUG" in any case; -EINVAL for another word. */
int log_level_parse(const char *word, enum log_level *level);

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
