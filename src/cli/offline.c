#include "cli/offline.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/daemon.h"
#include "cli/facts.h"
#include "cli/lock.h"
#include "content/lake.h"

static int read_settings(const char *path, struct settings **settings)
{
	struct findings findings = {0};
	int rc = settings_load(path, NULL, settings, &findings);

	if (rc)
		findings_say(&findings);
	findings_release(&findings);
	return rc;
}

/* As the daemon does it before it mounts. */
static int open_lake(const char *path, struct lake **lake, struct buf *error)
{
	struct settings *settings;
	int rc = read_settings(path, &settings);

	if (!rc)
		rc = lake_open(path, settings, lake, error);
	return rc ? rc : daemon_begin_lake(*lake, error);
}

static int answer_ourselves(const char *path, struct json_object *request, offline_fn answer, struct json_object *reply)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	_cleanup_close_ int lock = lake_lock(path, 0);
	struct lake *lake = NULL;
	int rc, closed = 0;

	if (lock < 0)
		return lock == -EWOULDBLOCK ? -EAGAIN : lock;
	log_set_level(LOG_LEVEL_WARNING);
	caller_prepare_process();
	umask(0);
	rc = open_lake(path, &lake, &error);
	if (!rc)
		rc = answer(lake, request, reply);
	if (lake)
		closed = lake_close(lake);
	if (rc && error.len)
		json_object_object_add(reply, "error", json_object_new_string(buf_str(&error)));
	return rc ? rc : closed;
}

int offline_call(const char *lake, struct json_object *request, int seconds, offline_fn answer,
		 struct json_object **reply)
{
	int rc = control_call(lake, request, seconds, reply);

	if (rc != -ENOTCONN)
		return rc;
	json_object_put(*reply);
	*reply = json_object_new_object();
	return *reply ? answer_ourselves(lake, request, answer, *reply) : -ENOMEM;
}
