/* Settings that are wrong: each file of tests/data/settings/broken has its one line in expected.txt there. */
#include "test_config.h"

#include <dirent.h>
#include <errno.h>

/* LINE is "NAME.yaml:LINE:COL: message". */
static void test_file(char *line)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct settings *s = NULL;
	struct findings f = {0};
	char *colon = strchr(line, ':'), name[128];

	line[strcspn(line, "\n")] = '\0';
	if (!colon)
		return;
	*colon = '\0';
	snprintf(name, sizeof(name), "broken/%.100s", line);
	read_file(data_file(name), &text);
	lake_put(buf_str(&text), text.len);
	ok(settings_load(lake, NULL, &s, &f) == -EINVAL && !s && count_findings(&f, FINDING_ERROR) == 1,
	   "%s is one error", line);
	is_str(first_finding(&f, FINDING_ERROR), colon + 1, "that says where and what");
	settings_unref(s);
	findings_release(&f);
}

static void test_files(void)
{
	FILE *f = fopen(data_file("broken/expected.txt"), "r");
	int files = 0, lines = 0;
	struct dirent *e;
	char line[1024];
	DIR *d;

	while (f && fgets(line, sizeof(line), f)) {
		test_file(line);
		lines++;
	}
	if (f)
		fclose(f);
	d = opendir(data_file("broken"));
	while (d && (e = readdir(d)))
		files += strstr(e->d_name, ".yaml") != NULL;
	if (d)
		closedir(d);
	ok(lines >= 30, "there are %d such files", lines);
	is_int(lines, files, "each has its line in expected.txt");
}

/* HEAD, COUNT times C, TAIL. */
static void is_long_error(const char *head, char c, size_t count, const char *tail, const char *wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_adds(&text, head);
	for (size_t i = 0; i < count; i++)
		buf_addc(&text, c);
	buf_adds(&text, tail);
	is_error(buf_str(&text), wanted);
}

static void test_long_lines(void)
{
	const size_t mb = 1 << 20;

	is_long_error(
		"buckets:\n  a:\n    tier: ", 'x', mb, "\n",
		"3:11: buckets.a.tier: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not "
		"one of local, pinned, mirror, cloud, hybrid");
	is_long_error("buckets:\n  a:\n    purpose: ", 'x', mb, "\n",
		      "3:14: buckets.a.purpose: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is "
		      "longer than 4095 bytes");
	is_long_error(
		"storage:\n  local_capacity_gb: ", '9', mb, "\n",
		"2:22: storage.local_capacity_gb: "
		"\"999999999999999999999999999999999999999999999999999999999999...\" is out of range (more than 0, at "
		"most 1000000000)");
	is_long_error(
		"storage:\n  ", 'k', mb, ": 1\n",
		"2:1048579: not YAML: mapping values are not allowed in this context (wrong indentation, or a colon "
		"that needs quotes)");
	is_long_error("a: ", '[', mb, "\n", "1:35: nested more than 32 deep");
	is_long_error("", 'x', mb, "", "1:1: sections with keys and values are expected, not one value");
	is_long_error("# ", 'x', 5 * mb, "\nstorage: {}\n", "1:1: larger than 4 MiB");
}

static void test_long_comment(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_adds(&text, "storage: {min_age: 60} # ");
	for (int i = 0; i < 1 << 20; i++)
		buf_addc(&text, 'x');
	buf_addc(&text, '\n');
	is_warning(buf_str(&text), "");
}

/* A fixed sequence of noise: the same on each machine. */
static uint32_t noise(void)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void test_noise(void)
{
	int once = 0, placed = 0;

	for (int i = 0; i < 200; i++) {
		struct settings *s = NULL;
		struct findings f = {0};
		char bytes[512];
		unsigned line, col;

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (char)noise();
		lake_put(bytes, sizeof(bytes));
		once += settings_load(lake, NULL, &s, &f) == -EINVAL && f.n == 1;
		placed += sscanf(first_finding(&f, FINDING_ERROR), "%u:%u: ", &line, &col) == 2;
		settings_unref(s);
		findings_release(&f);
	}
	is_int(once, 200, "200 files of noise: one error each");
	is_int(placed, 200, "with line and column");
}

static void test_many_findings(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct findings f = {0};
	struct settings *s;

	buf_adds(&text, "storage:\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "  key%d: 1\n", i);
	buf_adds(&text, "  min_age: soon\n");
	s = load_text(buf_str(&text), NULL, &f);
	ok(!s, "1000 warnings hide no error");
	is_int(f.n, 102, "and are 100, and a last one that says so");
	settings_unref(s);
	findings_release(&f);
}

static void test_unreadable(void)
{
	struct settings *s = NULL;
	struct findings f = {0};

	unlink(settings_file);
	is_int(settings_load(lake, NULL, &s, &f), -ENOENT, "no file");
	is_str(first_finding(&f, FINDING_ERROR), " cannot open the settings: No such file or directory", "says so");
	findings_release(&f);
	is_int(mkfifo(settings_file, 0600), 0, "a FIFO in its place");
	is_int(settings_load(lake, NULL, &s, &f), -EINVAL, "does not make it wait");
	is_int(f.n, 1, "and is one error");
	findings_release(&f);
	unlink(settings_file);
}

int main(void)
{
	if (!lake_make())
		return skip_all("no folder for temporary files");
	test_files();
	test_long_lines();
	test_long_comment();
	test_noise();
	test_many_findings();
	test_unreadable();
	lake_remove();
	return done();
}
