/* tarn pin, tarn unpin: the extended attribute user.tarn.pin, and for pin what it promises. */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "cli/place.h"
#include "cli/tier_ask.h"
#include "cli/verb_list.h"

#define ATTRIBUTE "user.tarn.pin"

static int set_pin(const char *given, bool pin)
{
	_cleanup_place_ struct place p = {0};
	char now[16] = "";
	int rc = place_on_mount(given, &p);

	if (rc < 0)
		return rc;
	if (setxattr(p.path, ATTRIBUTE, pin ? "1" : "0", 1, 0) < 0) {
		rc = -errno;
		say("%s: %m", p.path);
		return rc;
	}
	if (!pin && getxattr(p.path, ATTRIBUTE, now, sizeof(now) - 1) > 0 && !strcmp(now, "above"))
		say("%s: a folder above it, or its bucket, is pinned still", p.path);
	return 0;
}

static int run_pin(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"no-recall", no_argument, NULL, OPTION_FIRST}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	bool pin = !strcmp(v->name, "pin"), recall = pin, json = false;
	int c, n, failed = 0;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		recall &= c != OPTION_FIRST;
		json |= c == OPTION_JSON;
	}
	n = verb_arguments(v, argc, argv, 1, 1 << 20);
	for (int i = 0; i < n; i++)
		failed += set_pin(argv[optind + i], pin) < 0;
	if (failed == n)
		return EXIT_FAILED;
	if (recall && !failed)
		return recall_paths(argv + optind, n, json);
	return failed ? EXIT_PARTLY : EXIT_OK;
}

const struct verb verb_pin = {
	.name = "pin",
	.args = "PATH... [--no-recall] [--json]",
	.summary = "keep the bytes of files on the local disk",
	.details =
		"The bytes of the files, and of all that lies in the folders now and later,\n"
		"stay on the local disk however full it gets; what is only in the cloud comes\n"
		"back. The same as setting the extended attribute user.tarn.pin to 1, which\n"
		"whoever may write a file may do.\n"
		"\n"
		"options:\n"
		"      --no-recall  what is only in the cloud stays there until it is opened\n"
		"      --json       as JSON\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn pin ml-models/current\n"
		"  setfattr -n user.tarn.pin -v 1 ml-models/current\n",
	.run = run_pin,
};

const struct verb verb_unpin = {
	.name = "unpin",
	.args = "PATH...",
	.summary = "let files leave for the cloud again",
	.details =
		"Takes the pin of `tarn pin` away. A file stays pinned while a folder above it\n"
		"is, or its bucket's tier is `pinned`.\n"
		"\n"
		"options:\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn unpin ml-models/current\n",
	.run = run_pin,
};
