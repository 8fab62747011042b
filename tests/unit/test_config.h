/* A lake of nothing but its settings, for the tests of config/. */
#ifndef TARN_TESTS_TEST_CONFIG_H
#define TARN_TESTS_TEST_CONFIG_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/settings.h"
#include "tap.h"

static char lake[64], settings_file[96];

/* False when there is no room for one. */
static inline bool lake_make(void)
{
	char path[80];

	snprintf(lake, sizeof(lake), "/tmp/test-config-XXXXXX");
	if (!mkdtemp(lake))
		return false;
	snprintf(path, sizeof(path), "%s/config", lake);
	snprintf(settings_file, sizeof(settings_file), "%s/config/settings.yaml", lake);
	return mkdir(path, 0700) == 0;
}

static inline void lake_remove(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/config", lake);
	unlink(settings_file);
	rmdir(path);
	rmdir(lake);
}

static inline void lake_put(const char *bytes, size_t len)
{
	FILE *f = fopen(settings_file, "w");

	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0) {
		puts("Bail out! cannot write a file for tests");
		exit(1);
	}
}

static inline void read_file(const char *name, struct buf *out)
{
	char chunk[4096];
	size_t n;
	FILE *f = fopen(name, "r");

	buf_clear(out);
	while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	if (f)
		fclose(f);
}

static inline const char *data_file(const char *name)
{
	static char path[4096];
	const char *source = getenv("TARN_SOURCE");

	snprintf(path, sizeof(path), "%s/tests/data/settings/%s", source ? source : ".", name);
	return path;
}

static inline int count_findings(const struct findings *f, enum finding_level level)
{
	int count = 0;

	for (int i = 0; i < f->n; i++)
		count += f->list[i].level == level;
	return count;
}

/* The first finding of the level without "LAKE/config/settings.yaml:"; "" when there is none. */
static inline const char *first_finding(const struct findings *f, enum finding_level level)
{
	size_t len = strlen(settings_file);

	for (int i = 0; i < f->n; i++) {
		const char *text = f->list[i].text;

		if (f->list[i].level == level)
			return strncmp(text, settings_file, len) == 0 ? text + len + 1 : text;
	}
	return "";
}

/* Loads TEXT: the settings, or NULL with its errors; shows findings that the test does not look at when it fails. */
static inline struct settings *load_text(const char *text, const char *env, struct findings *f)
{
	struct settings *s = NULL;

	*f = (struct findings){0};
	lake_put(text, strlen(text));
	settings_load(lake, env, &s, f);
	return s;
}

/* The point: TEXT has just this one error. */
static inline void is_error(const char *text, const char *wanted)
{
	struct findings f;
	struct settings *s = load_text(text, NULL, &f);

	ok(!s && count_findings(&f, FINDING_ERROR) == 1, "one error: %s", wanted);
	is_str(first_finding(&f, FINDING_ERROR), wanted, "and it says so");
	settings_unref(s);
	findings_release(&f);
}

/* The point: TEXT loads with just this warning ("": none). */
static inline void is_warning(const char *text, const char *wanted)
{
	struct findings f;
	struct settings *s = load_text(text, NULL, &f);

	ok(s && f.n == (wanted[0] != '\0'), "loads%s%s", wanted[0] ? " with the warning: " : "", wanted);
	is_str(first_finding(&f, FINDING_WARNING), wanted, "and says no more");
	settings_unref(s);
	findings_release(&f);
}

#endif
