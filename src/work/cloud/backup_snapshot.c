/*
 * A snapshot of the store on its way to the remote: in a thread of its own, for it may take minutes, and changes go on
 * being copied meanwhile.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "meta/changes.h"
#include "work/cloud/backup_int.h"

#define PLAIN "metadata-snapshot"
#define SQUEEZED "metadata-snapshot.zst"

static bool stopping(void *arg)
{
	struct snapshot *s = arg;

	return work_stopping(s->work);
}

/* The store's copy as a compressed file without a name: its descriptor, or -errno. */
static int make(struct snapshot *s, const struct tier_call *call)
{
	struct lake *lake = s->work->lake;
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int plain = -1, squeezed = -1;
	int rc;

	buf_addf(&path, "%s/temp/" PLAIN, lake->path);
	rc = buf_error(&path);
	if (!rc)
		rc = store_snapshot(lake->store, buf_str(&path), s->command_lines, stopping, s, &s->commit);
	if (rc < 0)
		return rc;
	plain = openat(lake->temp_fd, PLAIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	squeezed = openat(lake->temp_fd, SQUEEZED, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = plain < 0 || squeezed < 0 ? -errno : 0;
	unlinkat(lake->temp_fd, PLAIN, 0);
	unlinkat(lake->temp_fd, SQUEEZED, 0);
	if (!rc)
		rc = backup_squeeze_file(plain, squeezed, call, &s->size);
	return rc < 0 ? rc : steal_fd(&squeezed);
}

static int upload(struct snapshot *s, int fd, const struct tier_call *call)
{
	const struct backup_item item = {.snapshot = true, .from = s->commit, .to = s->commit};
	struct backup_item named = item;
	_cleanup_buf_ struct buf key = BUF_INIT;
	struct tier_put put = {.source = {s->size, tier_source_fd, &fd}};

	memcpy(named.generation, s->generation, sizeof(named.generation));
	backup_item_key(&key, tier_prefix(s->tier), s->work->lake->id, &named);
	if (buf_error(&key))
		return buf_error(&key);
	put.key = buf_str(&key);
	return tier_put(s->tier, &put, call, NULL);
}

static void *snapshot_main(void *arg)
{
	struct snapshot *s = arg;
	const struct tier_call call = {.stop = stopping, .arg = s, .background = true};
	_cleanup_close_ int fd = -1;

	work_be_nice(19);
	fd = make(s, &call);
	s->rc = fd < 0 ? fd : upload(s, fd, &call);
	atomic_store(&s->done, true);
	return NULL;
}

int snapshot_start(struct snapshot *s)
{
	int err;

	atomic_store(&s->done, false);
	err = pthread_create(&s->thread, NULL, snapshot_main, s);
	s->running = !err;
	if (!err)
		pthread_setname_np(s->thread, "tarn-snapshot");
	return -err;
}

void snapshot_end(struct snapshot *s)
{
	if (!s->running)
		return;
	pthread_join(s->thread, NULL);
	s->running = false;
}
