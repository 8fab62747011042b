/*
 * tarn: one program for the command line, the daemon (cli/daemon/daemon.c, started by `tarn mount`), the helper that
 * mount(8) calls for fstab's type fuse.tarn, and the one by which the daemon looks into files (sniff/worker.h).
 */
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "sniff/worker.h"
#include "tier/s3/credentials.h"

static int help(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 3) {
		help_overview(stdout);
		return EXIT_OK;
	}
	v = verb_named(argv[2]);
	if (!v) {
		say("%s: no such verb (see `tarn help`)", argv[2]);
		return EXIT_USAGE;
	}
	verb_help(v, stdout);
	return EXIT_OK;
}

static int run_verb(int argc, char **argv)
{
	const struct verb *v = verb_named(argv[1]);
	const struct verb *meant;

	if (v)
		return v->run(v, argc - 1, argv + 1);
	meant = verb_nearest(argv[1]);
	if (argv[1][0] == '-')
		say("%s: no such option (see `tarn help`)", argv[1]);
	else if (meant)
		say("%s: no such verb (did you mean `tarn %s`?)", argv[1], meant->name);
	else
		say("%s: no such verb (see `tarn help`)", argv[1]);
	return EXIT_USAGE;
}

/* What was printed must have arrived: a full disk is an error of the verb. */
static int end(int code)
{
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
		say("standard output: %m");
		return EXIT_FAILED;
	}
	return code;
}

int main(int argc, char **argv)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : argc ? argv[0] : "tarn";
	if (!strcmp(name, WORKER_NAME))
		worker_main();
	worker_program = "/proc/self/exe"; /* also when another version was installed meanwhile */
	credentials_take_environment();
	setlocale(LC_CTYPE, "");
	if (!strcmp(name, "mount.tarn") || !strcmp(name, "mount.fuse.tarn"))
		return end(mount_helper(argc, argv));
	if (argc < 2) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return end(help(argc, argv));
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tarn %s\n", PACKAGE_VERSION);
		return end(EXIT_OK);
	}
	return end(run_verb(argc, argv));
}
