/*
 * What the verbs of the command line share: the shape of a verb, exit codes, options, messages.
 *
 * Each verb is one file that ends with its `const struct verb verb_<name>`; cli/verb.c lists them. That list drives
 * `tarn help`, `tarn --help` and the test that compares completion and manual with it.
 *
 * Messages go to standard error as "tarn: OBJECT: what (what to do)", lower case, without a full stop. Facts go to
 * standard output, as text for people or, with --json, as one JSON value.
 */
#ifndef TARN_CLI_CLI_H
#define TARN_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PARTLY = 3,     /* some of it was done; the messages say what was not */
	EXIT_TRY_AGAIN = 75, /* it may work later (EX_TEMPFAIL) */
	EXIT_SETTINGS = 78   /* settings.yaml is wrong (EX_CONFIG) */
};

struct verb {
	const char *name;
	const char *args;    /* "LAKE [DIR] [-f] [-o OPTIONS]" */
	const char *summary; /* one line, lower case */
	const char *details; /* what --help says below the usage line; lines of at most 78 columns */
	int (*run)(const struct verb *v, int argc, char **argv); /* argv[0] is the verb; returns an exit code */
};

/* ---- verb.c ---- */

extern const struct verb *const verbs[];	/* in the order of help; NULL ends it */
const struct verb *verb_named(const char *name); /* NULL when there is none */
/* The verb that a mistyped one was most likely meant to be, or NULL. */
const struct verb *verb_nearest(const char *name);
void verb_help(const struct verb *v, FILE *to);
void help_overview(FILE *to);

/*
 * getopt_long() for verbs. OPTIONS need not list --help, --version: those are answered here, and exit(0). A wrong
 * option is named, and exit(EXIT_USAGE). Otherwise as getopt_long(): the option's val, -1 at the end.
 */
int verb_option(const struct verb *v, int argc, char **argv, const char *letters, const struct option *options);
/* How many arguments are left after the options; unless that is MIN to MAX, says so and exit(EXIT_USAGE). */
int verb_arguments(const struct verb *v, int argc, char **argv, int min, int max);
/* "tarn VERB: message (see `tarn help VERB`)"; returns EXIT_USAGE. */
int verb_misuse(const struct verb *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum { OPTION_JSON = 1000, OPTION_FIRST }; /* values for long options without a letter */

/* ---- message.c ---- */

/* One line on standard error, with "tarn: " in front. Control characters in it are shown as \xNN. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- mount.c ---- */

/* tarn started as mount.tarn by mount(8): mount.tarn LAKE DIR [-sfnv] [-o OPTIONS]. */
int mount_helper(int argc, char **argv);

#endif
