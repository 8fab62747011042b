#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/cloud/backup.h"
#include "content/cloud/rebuild.h"
#include "meta/changes.h"

static void remove_store(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-lock", "-reserve"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		buf_addf(&name, "%s%s", path, suffixes[i]);
		unlink(buf_str(&name));
	}
}

static int fetch_snapshot(struct tier *t, uint64_t lake, const struct backup_item *item, const struct tier_call *call,
			  const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	_cleanup_buf_ struct buf key = BUF_INIT;

	if (fd < 0)
		return -errno;
	backup_item_key(&key, tier_prefix(t), lake, item);
	return buf_error(&key) ? buf_error(&key) : backup_fetch(t, buf_str(&key), call, fd, NULL);
}

static int replay(struct tier *t, uint64_t lake, const struct backup_item *item, const struct tier_call *call,
		  struct store *s)
{
	_cleanup_buf_ struct buf key = BUF_INIT, bytes = BUF_INIT;
	int rc;

	backup_item_key(&key, tier_prefix(t), lake, item);
	rc = buf_error(&key) ? buf_error(&key) : backup_fetch(t, buf_str(&key), call, -1, &bytes);
	return rc ? rc : store_replay(s, bytes.data, bytes.len);
}

static int replay_all(struct tier *t, uint64_t lake, const struct backup_list *l, size_t first, size_t end,
		      const struct tier_call *call, struct store *s)
{
	int rc = 0;

	for (size_t i = first + 1; !rc && i < end; i++) {
		if (l->items[i].snapshot || l->items[i].to <= l->items[first].to)
			continue;
		rc = replay(t, lake, &l->items[i], call, s);
		if (rc == -EILSEQ)
			return 0; /* what comes after a gap is of no use; what came before is whole */
	}
	return rc ? rc : store_barrier(s, 0);
}

int rebuild_store(struct tier *t, uint64_t lake, const struct tier_call *call, const char *path, uint64_t *commit,
		  int64_t *time, struct buf *why)
{
	struct backup_list l = {0};
	struct store *s = NULL;
	const char *words = NULL;
	size_t first, end;
	int rc = backup_list(t, lake, call, &l), closed;

	remove_store(path);
	if (!rc)
		rc = backup_choose(&l, &first, &end);
	if (!rc)
		rc = fetch_snapshot(t, lake, &l.items[first], call, path);
	if (!rc)
		rc = store_open(path, STORE_WRITE, &s, &words);
	if (!rc)
		rc = replay_all(t, lake, &l, first, end, call, s);
	if (!rc) {
		*commit = store_visible(s);
		if (store_commit_time(s, COMMIT_LIVE, time))
			*time = 0;
	}
	closed = store_close(s);
	if (!rc)
		rc = closed;
	if (rc)
		buf_addf(why, "the record of changes: %s",
			 words			  ? words
			 : rc == -EPROTONOSUPPORT ? "another tarn wrote it; use that one"
			 : rc == -EBADMSG	  ? "what lies there is damaged"
			 : rc == -ENOENT	  ? "no copy of it lies there"
						  : strerror(-rc));
	backup_list_release(&l);
	return rc;
}
