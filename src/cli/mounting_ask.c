/*
 * A lake has one daemon. Who wants another mount of it, a view of its past or the lake itself beside one, asks that.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/mounting.h"

#define MOUNT_SECONDS 60

static void add_flag(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static struct json_object *make_request(const struct mounting *m, const char *point)
{
	const struct mount_options *o = &m->options;
	struct json_object *request = json_object_new_object();

	json_add_text(request, "verb", "mount");
	json_add_text(request, "mountpoint", point);
	json_add_text(request, "view", o->view);
	json_add_text(request, "options", buf_str(&o->for_fuse));
	add_flag(request, "read_only", o->read_only);
	add_flag(request, "passthrough", o->passthrough);
	add_flag(request, "allow_other", o->allow_other);
	json_object_object_add(request, "stubs", json_object_new_int(o->stubs));
	json_object_object_add(request, "synth", json_object_new_int(o->synth));
	return request;
}

int mounting_ask(const struct mounting *m, const char *lake, const char *point)
{
	_cleanup_json_ struct json_object *request = make_request(m, point), *reply = NULL;
	int rc = control_call(lake, request, MOUNT_SECONDS, &reply);
	const char *why = json_text(reply, "error");

	if (!rc)
		return EXIT_OK;
	if (rc == -ENOTCONN || (rc == -EBUSY && !m->options.view && !why))
		return -1;
	if (rc == -EACCES && !why)
		say("%s: only its owner or root may mount it", lake);
	else
		say("%s: not mounted: %s", lake, why ? why : strerror(-rc));
	return rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : EXIT_FAILED;
}
