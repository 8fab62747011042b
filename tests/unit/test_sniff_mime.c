/* What a file is, by its bytes and, where they leave it open, by its name. */
#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "sniff/mime.h"
#include "tap.h"

#define HOSTILE_ROUNDS 400

static void is_mime(const char *name, const char *text, size_t len, const char *wanted)
{
	char mime[MIME_ROOM], what[200];

	snprintf(what, sizeof(what), "%s is %s", name ? name : "a file without a name", wanted);
	if (mime_of_bytes(text, len, name, mime))
		snprintf(mime, sizeof(mime), "an error");
	is_str(mime, wanted, what);
}

#define IS_MIME(name, text, wanted) is_mime(name, text, sizeof(text) - 1, wanted)

static void test_text(void)
{
	IS_MIME("a.csv", "id,name\n1,x\n2,y\n3,z\n", "text/csv");
	IS_MIME("one-column.csv", "id\n1\n2\n", "text/csv");
	IS_MIME("UPPER.CSV", "id\n1\n2\n", "text/csv");
	IS_MIME("a.tsv", "id\tname\n1\tx\n", "text/tab-separated-values");
	IS_MIME("a.jsonl", "{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson");
	IS_MIME("one-line.jsonl", "{\"a\":1}\n", "application/x-ndjson");
	IS_MIME("a.ndjson", "{\"a\":1}\nnot json\n", "application/x-ndjson");
	IS_MIME("a.json", "{\"a\": [1, 2]}\n", "application/json");
	IS_MIME("cut-off.json", "{\"a\": [1, 2", "application/json");
	IS_MIME("a.md", "# Title\n\nSome words.\n", "text/markdown");
	IS_MIME("a.yaml", "a: 1\nb:\n  - 2\n", "application/yaml");
	IS_MIME("a.yml", "a: 1\n", "application/yaml");
	IS_MIME("a.txt", "just words\n", "text/plain");
	IS_MIME("README", "just words\n", "text/plain");
	IS_MIME(".csv", "just words\n", "text/plain");
	IS_MIME("trailing.", "just words\n", "text/plain");
	IS_MIME(NULL, "just words\n", "text/plain");
	IS_MIME("a.html", "<!DOCTYPE html><html><body>x</body></html>", "text/html");
}

static void test_binary(void)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0";

	IS_MIME("a.parquet", "PAR1\x15\x04\x15\x10\x15\x14PAR1", "application/vnd.apache.parquet");
	IS_MIME("no-extension", "PAR1\x15\x04\x15\x10\x15\x14PAR1", "application/vnd.apache.parquet");
	IS_MIME("a.arrow", "ARROW1\0\0\xff\xff\xff\xff", "application/vnd.apache.arrow.file");
	IS_MIME("a.parquet", "\x01\x02\x03\x04", "application/octet-stream");
	IS_MIME("a.png", png, "image/png");
	IS_MIME("a-lie.csv", png, "image/png");
	IS_MIME("a-lie.md", png, "image/png");
	IS_MIME("a.gz", "\x1f\x8b\x08\0\0\0\0\0\0\x03", "application/gzip");
	IS_MIME("empty.csv", "", "inode/x-empty");
	IS_MIME("json-in.csv", "{\"a\": [1, 2]}\n", "application/json");
}

static void test_fd(void)
{
	char mime[MIME_ROOM] = "";
	FILE *f = tmpfile();

	if (!f)
		abort();
	is_int(mime_of_fd(fileno(f), "x.csv", mime), 0, "an empty file can be read");
	is_str(mime, "inode/x-empty", "and is that");
	for (int i = 0; i < 100000; i++)
		fprintf(f, "%d,some words\n", i);
	fflush(f);
	is_int(mime_of_fd(fileno(f), "x.csv", mime), 0, "a file longer than what is looked at");
	is_str(mime, "text/csv", "is still CSV");
	fclose(f);
	is_int(mime_of_fd(-1, "x", mime), -EBADF, "what cannot be read is an error");
}

/* Beginnings of formats that parsers follow into offsets and lengths, then noise. */
static void *test_hostile(void *arg)
{
	static const char *const starts[] = {"\177ELF\2\1\1",
					     "PK\3\4",
					     "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
					     "%PDF-1.7\n",
					     "RIFF\xff\xff\xff\xffWAVE",
					     "\x89PNG\r\n\x1a\n",
					     "II*\0",
					     "{\"a\":",
					     "<?xml ",
					     ""};
	static const char *const names[] = {"a.csv", "%s%n", "..", "a.", "", ".json", "x.\xff\xfe"};
	unsigned char bytes[4096];
	char mime[MIME_ROOM];
	bool *good = arg;

	for (int i = 0; i < HOSTILE_ROUNDS; i++) {
		const char *start = starts[i % 10];
		size_t len = (size_t)(1 + i * 37 % (int)sizeof(bytes));

		clock_source.random(bytes, sizeof(bytes));
		memcpy(bytes, start, strlen(start));
		memset(mime, 'x', sizeof(mime));
		if (mime_of_bytes(bytes, len, names[i % 7], mime) || !memchr(mime, '\0', sizeof(mime)) ||
		    !strchr(mime, '/'))
			*good = false;
	}
	return NULL;
}

static void test_threads(void)
{
	bool good[4] = {true, true, true, true};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, test_hostile, &good[i]))
			abort();
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ok(good[0] && good[1] && good[2] && good[3], "noise has a type, too, in four threads at once");
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_text();
	test_binary();
	test_fd();
	test_threads();
	return done();
}
