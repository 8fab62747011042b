#include "cli/reload.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define RELOAD_SECONDS 60

int reload_lake(const char *lake)
{
	_cleanup_json_ struct json_object *reply = NULL;
	struct json_object *findings = NULL;
	int rc = control_ask(lake, "reload", RELOAD_SECONDS, &reply);
	const char *why = json_text(reply, "error");

	if (reply && json_object_object_get_ex(reply, "findings", &findings))
		findings_say_json(findings);
	if (rc && rc != -ENOTCONN)
		say("%s: not reloaded: %s", lake, why ? why : strerror(-rc));
	return rc;
}

static int run_reload(const struct verb *v, int argc, char **argv)
{
	_cleanup_free_ char *lake = NULL;
	int n, rc;

	while (verb_option(v, argc, argv, "", NULL) != -1)
		;
	n = verb_arguments(v, argc, argv, 0, 1);
	if (lake_around(n ? argv[optind] : NULL, &lake))
		return EXIT_FAILED;
	rc = reload_lake(lake);
	switch (rc) {
	case 0:
		printf("settings of %s applied\n", lake);
		return EXIT_OK;
	case -EINVAL:
		return EXIT_SETTINGS;
	case -ENOTCONN:
		say("%s: not mounted (its settings are read when it is)", lake);
		return EXIT_FAILED;
	default:
		return rc == -ETIMEDOUT || rc == -EAGAIN ? EXIT_TRY_AGAIN : EXIT_FAILED;
	}
}

const struct verb verb_reload = {
	.name = "reload",
	.args = "[LAKE|DIR]",
	.summary = "apply settings.yaml to the mounted lake",
	.details =
		"Reads config/settings.yaml again and applies it without unmounting. When it is\n"
		"wrong, that is said with file, line and column, the old settings stay, and the\n"
		"exit code is 78. Without an argument it is the lake around the current folder.\n"
		"\n"
		"options:\n"
		"  -h, --help   say this, and end\n",
	.run = run_reload,
};
