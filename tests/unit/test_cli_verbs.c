/* Help and the manual know the same verbs, help fits a terminal, and completion can read it. */
#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/verb_list.h"
#include "tap.h"

#define COLUMNS 80

static void read_source(const char *name, struct buf *text)
{
	const char *source = getenv("TARN_SOURCE");
	struct buf path = BUF_INIT;
	char part[4096];
	FILE *f;
	size_t n;

	buf_addf(&path, "%s/%s", source ? source : ".", name);
	f = fopen(buf_str(&path), "r");
	ok(f != NULL, "%s is there", name);
	while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(text, part, n);
	if (f)
		fclose(f);
	buf_release(&path);
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p++) {
		bool begins = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '-');

		if (begins && !isalnum((unsigned char)p[len]) && p[len] != '-')
			return true;
	}
	return false;
}

static void check_width(const char *text, const char *what)
{
	int widest = 0, column = 0;

	for (; *text; text++) {
		column = *text == '\n' ? 0 : column + ((*text & 0xc0) != 0x80);
		widest = column > widest ? column : widest;
	}
	ok(widest <= COLUMNS, "%s fits %d columns (%d)", what, COLUMNS, widest);
}

static char *printed_help(const struct verb *v)
{
	static char *text; /* not a local: gcc takes what open_memstream() put there for a dangling pointer */
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (v)
		verb_help(v, f);
	else
		help_overview(f);
	fclose(f);
	return text;
}

static void test_table(void)
{
	for (int i = 0; verbs[i]; i++) {
		const struct verb *v = verbs[i];
		_cleanup_free_ char *help = printed_help(v);

		ok(verb_named(v->name) == v, "%s is found by its name", v->name);
		ok(v->run && v->summary[0] && !isupper((unsigned char)v->summary[0]), "%s has a summary", v->name);
		ok(has_word(help, "--help") && strstr(help, "options:"), "%s says its options", v->name);
		check_width(help, v->name);
	}
	ok(!verb_named("nonsense") && !verb_named("") && !verb_named("moun"), "what is no verb is not found");
}

static void test_overview(void)
{
	_cleanup_free_ char *help = printed_help(NULL);

	check_width(help, "the overview");
	for (int i = 0; verbs[i]; i++)
		ok(strstr(help, verbs[i]->summary) != NULL, "the overview has %s", verbs[i]->name);
}

static void test_source(const char *name)
{
	struct buf text = BUF_INIT;

	read_source(name, &text);
	for (int i = 0; verbs[i]; i++)
		ok(has_word(buf_str(&text), verbs[i]->name), "%s knows %s", name, verbs[i]->name);
	buf_release(&text);
}

/* The completions take verbs and options out of help: "  VERB  summary" between "verbs:" and an empty line. */
static void test_completion_source(void)
{
	_cleanup_free_ char *help = printed_help(NULL);
	char *list = strstr(help, "\nverbs:\n"), *end = list ? strstr(list, "\n\n") : NULL, *line;
	int n = 0;

	ok(list && end, "help has a list of verbs, with an empty line behind");
	if (!list || !end)
		return;
	*end = '\0';
	list += strlen("\nverbs:\n");
	while ((line = strsep(&list, "\n"))) {
		char name[32] = "", summary[2] = "";

		ok(sscanf(line, "  %31[a-z-] %1s", name, summary) == 2 && verbs[n] && !strcmp(name, verbs[n]->name),
		   "line %d of it: %s", n + 1, line);
		n++;
	}
	ok(n > 0 && !verbs[n], "all of them are in it");
}

static void test_nearest(void)
{
	ok(verb_nearest("unmount") == verb_named("umount"), "unmount means umount");
	ok(verb_nearest("moutn") == verb_named("mount"), "moutn means mount");
	ok(verb_nearest("version") == verb_named("versions"), "version means versions");
	ok(!verb_nearest("frobnicate"), "frobnicate means nothing");
	ok(!verb_nearest("a-very-long-word-that-has-more-than-thirty-two-letters"), "nor does a long word");
}

int main(void)
{
	test_table();
	test_overview();
	test_source("man/tarn.1");
	test_completion_source();
	test_nearest();
	return done();
}
