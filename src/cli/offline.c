#include "cli/offline.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/daemon/daemon.h"
#include "cli/facts.h"
#include "cli/lock.h"
#include "cli/mounts.h"
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

/* While what a killed daemon left is mounted over the buckets, nobody sees these. */
static bool is_left_mounted(const char *lake, struct buf *error)
{
	const struct mount_entry *e;
	struct mounts m;
	bool is;

	if (mounts_load(&m))
		return false;
	e = mounts_of_lake(&m, lake);
	is = e && mount_is_dead(e);
	if (is)
		buf_addf(error,
			 "its daemon is gone and left %s mounted (run `tarn mount %s` to go on, or `tarn umount %s`)",
			 e->point, lake, lake);
	mounts_release(&m);
	return is;
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
	rc = is_left_mounted(path, &error) ? -ENOTCONN : open_lake(path, &lake, &error);
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
