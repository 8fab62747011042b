/* The remote of a lake: is one configured, can it be reached, are there credentials; and the copy of the
 * record there. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/doctor/doctor.h"
#include "config/settings.h"
#include "content/cloud/backup.h"
#include "content/cloud/mark.h"
#include "tier/tier.h"

#define PATIENCE_NS (10 * NSEC_PER_SEC)

/* Buckets that want to be in the cloud, in words; "" when none does. */
static void add_wanting(const struct settings *s, struct buf *names)
{
	for (int i = 0; i < s->nbuckets; i++)
		if (s->buckets[i].tier == TIER_MIRROR || s->buckets[i].tier == TIER_CLOUD)
			buf_addf(names, "%s%s", names->len ? ", " : "", s->buckets[i].name);
}

static void check_none(struct doctor *d, const struct settings *s)
{
	_cleanup_buf_ struct buf names = BUF_INIT;

	add_wanting(s, &names);
	if (names.len)
		doctor_add(d, HEALTH_WARNING, "cloud", "their files stay on this disk",
			   "set hybrid_storage: cloud_provider, see tarn.yaml(5)",
			   "none is configured, and these buckets want one: %s", buf_str(&names));
	else if (s->cloud_burst_enabled)
		doctor_add(d, HEALTH_OK, "cloud", "", "", "none is configured: all files stay on this disk");
}

static const char *advice(int rc)
{
	switch (rc) {
	case -EACCES:
		return "look at the credentials (environment, ~/.aws), the bucket's rights, the region and the clock";
	case -ENOENT:
		return "make the bucket or folder, or name another";
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return "look at the network, cloud_endpoint, or whether the folder is mounted";
	default:
		return "see hybrid_storage in tarn.yaml(5)";
	}
}

/* Is it another lake's, or a copy's of this one? */
static void check_mark(struct doctor *d, struct tier *t, const struct tier_call *call)
{
	const struct mark_of m = {.lakefd = d->lake_fd, .tier = t, .call = call};
	_cleanup_buf_ struct buf who = BUF_INIT;

	if (mark_look(&m, &who) == -EBUSY)
		doctor_add(d, HEALTH_ERROR, "cloud", "nothing is uploaded or removed there, and no file leaves",
			   "set another hybrid_storage.cloud_prefix, or, when that lake is gone, `tarn tier take-over`",
			   "%s is used by %s", tier_url(t), buf_str(&who));
}

static void check_one(struct doctor *d, struct tier *t)
{
	const struct tier_call call = {.deadline = clock_monotonic() + PATIENCE_NS};
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = tier_check(t, &call, &why);

	if (rc)
		doctor_add(d, HEALTH_ERROR, "cloud",
			   "nothing leaves this disk, and files that have left cannot be read", advice(rc),
			   "%s cannot be used: %s", tier_url(t), why.len ? buf_str(&why) : strerror(-rc));
	else
		doctor_add(d, HEALTH_OK, "cloud", "", "", "%s can be used", tier_url(t));
	if (!rc)
		check_mark(d, t, &call);
}

/* Could `tarn restore-lake` bring the lake back? */
static void check_copy(struct doctor *d, const struct settings *s)
{
	_cleanup_close_ int folder = openat(d->lake_fd, BACKUP_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct backup_state state = {0};

	if (!s->cloud_provider || !strcmp(s->cloud_provider, "none"))
		return;
	if (!s->metadata_backup) {
		doctor_add(d, HEALTH_WARNING, "record in the cloud", "`tarn restore-lake` could not bring it back",
			   "set hybrid_storage.metadata_backup: true", "is not copied");
		return;
	}
	if (folder >= 0)
		backup_state_read(folder, &state);
	if (state.generation[0])
		doctor_add(d, HEALTH_OK, "record in the cloud", "", "", "copied up to commit %llu",
			   (unsigned long long)state.end);
	else
		doctor_add(d, HEALTH_WARNING, "record in the cloud",
			   "if the disk were lost now, `tarn restore-lake` could not bring the lake back",
			   "mount the lake for some minutes while the cloud can be reached", "not copied yet");
}

void doctor_cloud(struct doctor *d)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings findings = {0};
	struct settings *s = NULL;
	struct tier *t = NULL;
	int rc = settings_load(d->lake, NULL, &s, &findings);

	findings_release(&findings);
	if (rc < 0) /* told where the settings are looked at */
		return;
	rc = tier_open(s, NULL, d->lake, &t, &why);
	if (rc == -ENODEV)
		check_none(d, s);
	else if (rc < 0)
		doctor_add(d, HEALTH_ERROR, "cloud",
			   "nothing leaves this disk, and files that have left cannot be read", advice(rc),
			   "it cannot be used: %s", why.len ? buf_str(&why) : strerror(-rc));
	else
		check_one(d, t);
	check_copy(d, s);
	if (t)
		tier_unref(t);
	settings_unref(s);
}
