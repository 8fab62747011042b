/*
 * tarn mount, and mount.tarn for mount(8) and fstab.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/mounting.h"
#include "cli/verb_list.h"

static int add_options(struct mounting *m, const char *text, bool sloppy, const char *who)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = mount_options_parse(&m->options, text, sloppy, &why);

	if (rc)
		say("%s: %s", who, why.len ? buf_str(&why) : strerror(-rc));
	return rc;
}

static int run_mount(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"foreground", no_argument, NULL, 'f'},
		{"options", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, OPTION_JSON},
		{"quiet", no_argument, NULL, 'q'},
		{0},
	};
	struct mounting m = {0};
	int c, n, code = EXIT_OK;

	mount_options_init(&m.options);
	while ((c = verb_option(v, argc, argv, "fo:q", options)) != -1) {
		m.foreground |= c == 'f';
		m.quiet |= c == 'q';
		m.json |= c == OPTION_JSON;
		if (c == 'o' && !code && add_options(&m, optarg, false, "mount"))
			code = EXIT_USAGE;
	}
	n = verb_arguments(v, argc, argv, 1, 2);
	if (!code && m.options.view && m.options.rw) { /* mount(8) says it unasked, so mount.tarn lets it be */
		say("mount: 'view=%s' with 'rw': what was cannot be written (leave out rw)", m.options.view);
		code = EXIT_USAGE;
	}
	if (!code)
		code = mounting_run(&m, argv[optind], n > 1 ? argv[optind + 1] : NULL);
	mount_options_release(&m.options);
	return code;
}

static int helper_usage(void)
{
	say("mount.tarn: usage: mount.tarn LAKE DIR [-sfnv] [-o OPTIONS] (mount(8) calls it; `tarn mount` is for "
	    "people)");
	return EXIT_USAGE;
}

/* -f is "fake" here, as mount(8) has it; -n (no mtab) and -N, -t are of no matter. */
int mount_helper(int argc, char **argv)
{
	struct mounting m = {.quiet = true};
	const char *texts[16];
	int c, ntexts = 0, code = EXIT_OK;
	bool sloppy = false;

	opterr = 0;
	while ((c = getopt(argc, argv, "sfnvo:N:t:")) != -1) {
		sloppy |= c == 's';
		m.fake |= c == 'f';
		if (c == 'v')
			m.quiet = false;
		if (c == '?' || (c == 'o' && ntexts == 16))
			return helper_usage();
		if (c == 'o')
			texts[ntexts++] = optarg;
	}
	if (argc - optind != 2)
		return helper_usage();
	mount_options_init(&m.options);
	for (int i = 0; !code && i < ntexts; i++)
		code = add_options(&m, texts[i], sloppy, argv[optind]) ? EXIT_USAGE : EXIT_OK;
	if (!code)
		code = mounting_run(&m, argv[optind], strcmp(argv[optind + 1], "none") ? argv[optind + 1] : NULL);
	mount_options_release(&m.options);
	return code;
}

const struct verb verb_mount = {
	.name = "mount",
	.args = "LAKE [DIR] [-f] [-o OPTIONS]",
	.summary = "mount a lake, over its own buckets or on DIR",
	.details =
		"Mounts the lake over LAKE/buckets itself, so that paths stay as they are, or\n"
		"on the empty folder DIR. Returns when the mount answers. Wrong settings are\n"
		"said with file, line and column, and nothing is mounted (exit code 78). What a\n"
		"killed daemon left mounted is cleaned up first.\n"
		"\n"
		"options:\n"
		"  -f, --foreground  stay, and log to standard error\n"
		"  -o, --options LIST\n"
		"      passthrough=on|off        let the kernel read and write local files itself\n"
		"                                where it can (on)\n"
		"      synth=hidden|visible|off  .catalog and F@v: found by name only, .catalog\n"
		"                                listed too, or not there at all (hidden)\n"
		"      stubs=recall|skip|fail    files that are only in the cloud are read from\n"
		"                                there, or give an error (recall)\n"
		"      view=TIME|LABEL|commit-N  the lake as it was, read-only, on DIR; beside\n"
		"                                the lake itself or without it\n"
		"      env=NAME                  the environment of settings.yaml, as TARN_ENV\n"
		"      allow_other, noallow_other\n"
		"                                may other users look in? (as root: yes)\n"
		"      nonempty                  DIR may have something in it, which is hidden\n"
		"      ro, suid, nosuid, dev, nodev, exec, noexec, noatime, sync, debug\n"
		"                                as in mount(8) and mount.fuse3(8)\n"
		"  -q, --quiet       do not print paths to try\n"
		"      --json        print what was mounted as JSON\n"
		"  -h, --help        say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn mount ~/lake\n"
		"  tarn mount /data/lake /mnt/lake -o ro,noexec\n"
		"  tarn mount ~/lake /mnt/monday -o view=2026-11-16\n"
		"  in /etc/fstab:  /data/lake  /data/lake/buckets  fuse.tarn  defaults  0  0\n",
	.run = run_mount,
};
