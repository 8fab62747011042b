/*
 * The table of verbs, and what is made from it: help, options, arguments.
 */
#include "cli/verb_list.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

const struct verb *const verbs[] = {
	&verb_init,   &verb_adopt,    &verb_mount,   &verb_umount,  &verb_reload, &verb_status,	      &verb_doctor,
	&verb_bucket, &verb_versions, &verb_restore, &verb_diff,    &verb_label,  &verb_publish,      &verb_gc,
	&verb_purge,  &verb_tier,     &verb_evict,   &verb_recall,  &verb_pin,	  &verb_unpin,	      &verb_import,
	&verb_tag,    &verb_find,     &verb_check,   &verb_catalog, &verb_sync,	  &verb_restore_lake, &verb_fsck,
	&verb_scrub,  &verb_sql,      &verb_lineage, &verb_why,	    NULL,
};

static const char overview[] =
	"tarn mounts a data lake as ordinary folders. Buckets are folders, files stay\n"
	"plain files on your disk, and what an overwrite or a delete took can be had\n"
	"back.\n"
	"\n"
	"usage: tarn VERB [OPTION]... [ARGUMENT]...\n"
	"       tarn help [VERB]\n"
	"\n"
	"verbs:\n";

static const char overview_end[] =
	"\n"
	"options of every verb:\n"
	"  -h, --help     say what the verb does, and end\n"
	"      --version  say which version this is, and end\n"
	"\n"
	"a first lake:\n"
	"  tarn init ~/lake          make it\n"
	"  tarn mount ~/lake         mount it, over ~/lake/buckets\n"
	"  tarn versions FILE        what an overwrite or a delete took\n"
	"  tarn umount ~/lake        and your files are plain files, as before\n"
	"\n"
	"exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, 75 try again,\n"
	"78 settings are wrong. More in tarn(1), tarn(7) and tarn.yaml(5).\n";

const struct verb *verb_named(const char *name)
{
	for (int i = 0; verbs[i]; i++) {
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	}
	return NULL;
}

/* Levenshtein distance of two short words. */
static int distance(const char *a, const char *b)
{
	int row[32];
	int n = (int)strlen(b);

	if (n >= 32)
		return n;
	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; a[i - 1]; i++) {
		int diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= n; j++) {
			int replace = diagonal + (a[i - 1] != b[j - 1]);
			int shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = replace < shift ? replace : shift;
		}
	}
	return row[n];
}

const struct verb *verb_nearest(const char *name)
{
	const struct verb *best = NULL;
	int nearest = 3;

	if (!strcmp(name, "unmount"))
		return verb_named("umount");
	for (int i = 0; verbs[i]; i++) {
		int d = distance(name, verbs[i]->name);

		if (d < nearest && d < (int)strlen(verbs[i]->name)) {
			nearest = d;
			best = verbs[i];
		}
	}
	return best;
}

void verb_help(const struct verb *v, FILE *to)
{
	fprintf(to, "usage: tarn %s %s\n\n%s", v->name, v->args, v->details);
}

void help_overview(FILE *to)
{
	fputs(overview, to);
	for (int i = 0; verbs[i]; i++)
		fprintf(to, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
	fputs(overview_end, to);
}

int verb_misuse(const struct verb *v, const char *fmt, ...)
{
	_cleanup_buf_ struct buf what = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&what, fmt, ap);
	va_end(ap);
	say("%s: %s (see `tarn help %s`)", v->name, buf_str(&what), v->name);
	return EXIT_USAGE;
}

#define LETTERS_MAX 32
#define OPTIONS_MAX 16

int verb_option(const struct verb *v, int argc, char **argv, const char *letters, const struct option *options)
{
	static const struct option common[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}};
	struct option all[OPTIONS_MAX + 3] = {{0}};
	char all_letters[LETTERS_MAX + 4];
	int n = 0, at = optind ? optind : 1, c;

	all[n++] = common[0];
	all[n++] = common[1];
	for (; options && options->name && n < OPTIONS_MAX + 2; options++)
		all[n++] = *options;
	snprintf(all_letters, sizeof(all_letters), ":h%s", letters);
	opterr = 0;
	c = getopt_long(argc, argv, all_letters, all, NULL);
	switch (c) {
	case 'h':
		verb_help(v, stdout);
		exit(EXIT_OK);
	case 'V':
		printf("tarn %s\n", PACKAGE_VERSION);
		exit(EXIT_OK);
	case ':':
		exit(verb_misuse(v, "option %s needs a value", argv[optind - 1]));
	case '?':
		if (optopt > 0 && optopt < OPTION_JSON && optopt != 'h' && optopt != 'V')
			exit(verb_misuse(v, "unknown option -%c", optopt));
		exit(verb_misuse(v, "option %s is unknown, or takes no value", argv[optind > at ? optind - 1 : at]));
	}
	return c;
}

int verb_arguments(const struct verb *v, int argc, char **argv, int min, int max)
{
	int n = argc - optind;

	if (n < min)
		exit(verb_misuse(v, n ? "arguments are missing, it takes %s" : "nothing was named, it takes %s",
				 v->args));
	if (n > max)
		exit(verb_misuse(v, "one argument too many: %s", argv[optind + max]));
	return n;
}
