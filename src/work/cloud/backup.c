/*
 * The thread that keeps the copy of the metadata at the remote.
 *
 * Every metadata_interval seconds it closes the file of changes that is being written, if anything is in it, and
 * uploads what is closed, the oldest first; what is there then goes from here. So what is lost with this machine is
 * what was changed since, and an idle lake costs nothing.
 *
 *	nothing to go on with, or a gap		a new generation: its snapshot first, then what was changed since it
 *	changes have grown beyond a share	a new snapshot in the same generation; what is older goes after it
 *	something was purged			a new generation, at once; older ones go, for they tell it still
 *
 * While the remote cannot be reached, files wait here, up to BACKLOG; then they are let go, and there is a gap. At the
 * end of the daemon what is left is uploaded if that takes no longer than LAST_CALL; it is no loss if it fails, for the
 * next daemon goes on with the files that are here.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fnv.h"
#include "base/full_io.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cloud/remote.h"
#include "meta/changes.h"
#include "work/cloud/backup_int.h"

#define CHANGES_SMALL (UINT64_C(16) << 20) /* compressed, since the snapshot: never too many */
#define CHANGES_MANY 4000		   /* objects: fetching them one by one takes its time */
#define BACKLOG (UINT64_C(512) << 20)
#define RETRY (60 * NSEC_PER_SEC)
#define LAST_CALL (5 * NSEC_PER_SEC)

struct backup {
	struct work *work;
	struct lake *lake;
	struct tier *tier;  /* during a tick */
	int dir;	    /* BACKUP_FOLDER; -1 */
	bool kept;	    /* changes are being kept… */
	bool command_lines; /* …with these */
	struct backup_state state;
	bool anew;		/* nothing is there that can be gone on with */
	unsigned era;		/* rises when that comes to be: a snapshot of before is of no use */
	int64_t snapshot_after; /* monotonic */
	struct snapshot snapshot;
	int error;
};

/* ---- files of changes ---- */

struct closed {
	uint64_t from, to, size;
};

struct closed_list {
	struct closed *list;
	size_t n, room;
};

static int add_closed(struct closed_list *l, const struct closed *c)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct closed *list = realloc(l->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->n++] = *c;
	return 0;
}

static int by_commit(const void *a, const void *b)
{
	const struct closed *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static int find_closed(int dir, struct closed_list *l)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;
	int rc = d ? 0 : -errno;

	while (!rc && d && (e = readdir(d))) {
		struct closed c;
		struct stat st;

		if (changes_parse_name(e->d_name, &c.from, &c.to) ||
		    fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		c.size = (uint64_t)st.st_size;
		rc = add_closed(l, &c);
	}
	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), by_commit);
	return rc;
}

static void remove_closed(struct backup *b, const struct closed *c)
{
	char name[CHANGES_NAME];

	changes_name(c->from, c->to, name);
	unlinkat(b->dir, name, 0);
}

static ssize_t read_buf(void *arg, void *bytes, size_t len, uint64_t offset)
{
	const struct buf *b = arg;

	if (offset >= b->len)
		return 0;
	if (len > b->len - offset)
		len = b->len - offset;
	memcpy(bytes, b->data + offset, len);
	return (ssize_t)len;
}

static int put_buf(struct backup *b, const char *key, struct buf *bytes, const struct tier_call *call)
{
	struct tier_put put = {.key = key, .source = {bytes->len, read_buf, bytes}};

	return tier_put(b->tier, &put, call, NULL);
}

/* -EBADMSG: what is here is not what was written. */
static int upload_closed(struct backup *b, const struct closed *c, const struct tier_call *call)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT, squeezed = BUF_INIT, key = BUF_INIT;
	struct backup_item item = {.from = c->from, .to = c->to};
	char name[CHANGES_NAME];
	int rc;

	if (!remote_is_held(b->lake))
		return -EAGAIN;
	changes_name(c->from, c->to, name);
	memcpy(item.generation, b->state.generation, sizeof(item.generation));
	rc = read_file_at(b->dir, name, &bytes);
	if (!rc && changes_check(bytes.data, bytes.len, c->from, c->to))
		rc = -EBADMSG;
	if (!rc)
		rc = backup_squeeze(bytes.data, bytes.len, &squeezed);
	backup_item_key(&key, tier_prefix(b->tier), b->lake->id, &item);
	if (!rc)
		rc = buf_error(&key);
	if (!rc)
		rc = put_buf(b, buf_str(&key), &squeezed, call);
	if (rc)
		return rc;
	b->state.end = c->to;
	b->state.changes++;
	b->state.changes_bytes += squeezed.len;
	rc = backup_state_write(b->dir, &b->state);
	if (!rc)
		remove_closed(b, c);
	return rc;
}

static void begin_anew(struct backup *b, const char *why)
{
	if (!b->anew && b->state.generation[0])
		log_info("the copy of the metadata begins anew: %s", why);
	b->anew = true;
	b->era++;
	b->state.generation[0] = '\0';
	backup_state_write(b->dir, &b->state);
}

/* Changes are let go: as many as are waiting now cannot be kept. */
static void let_go(struct backup *b, const struct closed_list *l)
{
	log_warning("the copy of the metadata: the remote has not taken changes for too long; they are let go");
	for (size_t i = 0; i < l->n; i++)
		remove_closed(b, &l->list[i]);
	begin_anew(b, "what was changed meanwhile is not there");
}

static int upload_changes(struct backup *b, const struct tier_call *call)
{
	struct closed_list l = {0};
	uint64_t waiting = 0;
	int rc = find_closed(b->dir, &l);

	for (size_t i = 0; i < l.n; i++)
		waiting += l.list[i].size;
	for (size_t i = 0; !rc && !b->anew && i < l.n; i++) {
		struct closed *c = &l.list[i];

		if (c->to <= b->state.end) {
			remove_closed(b, c);
		} else if (c->from > b->state.end) {
			begin_anew(b, "changes are missing");
		} else {
			rc = upload_closed(b, c, call);
			if (rc == -EBADMSG) {
				remove_closed(b, c);
				begin_anew(b, "a file of changes is damaged");
				rc = 0;
			}
		}
	}
	if (waiting > BACKLOG && (rc || b->anew))
		let_go(b, &l);
	free(l.list);
	return rc;
}

/* ---- snapshots ---- */

/* What is not needed once the newest snapshot is there: other generations, older snapshots, what ended before it. */
static bool is_old(const struct backup *b, const struct backup_item *item)
{
	return strcmp(item->generation, b->state.generation) != 0 || item->to < b->state.snapshot ||
	       (!item->snapshot && item->to == b->state.snapshot);
}

#define REMOVED_AT_ONCE 500

static int remove_keys(struct backup *b, struct buf *keys, int n, const struct tier_call *call)
{
	const char *list[REMOVED_AT_ONCE];
	const char *at = buf_str(keys);
	int rc = buf_error(keys);

	for (int i = 0; i < n && !rc; i++, at += strlen(at) + 1)
		list[i] = at;
	if (!rc && n)
		rc = tier_remove(b->tier, list, n, call, NULL);
	buf_clear(keys);
	return rc;
}

static int remove_old(struct backup *b, const struct tier_call *call)
{
	_cleanup_buf_ struct buf keys = BUF_INIT; /* each with its NUL */
	struct backup_list l;
	int rc = backup_list(b->tier, b->lake->id, call, &l), n = 0;

	for (size_t i = 0; !rc && i < l.n; i++) {
		if (!is_old(b, &l.items[i]))
			continue;
		backup_item_key(&keys, tier_prefix(b->tier), b->lake->id, &l.items[i]);
		buf_addc(&keys, '\0');
		if (++n == REMOVED_AT_ONCE) {
			rc = remove_keys(b, &keys, n, call);
			n = 0;
		}
	}
	if (!rc)
		rc = remove_keys(b, &keys, n, call);
	backup_list_release(&l);
	return rc;
}

static void start_snapshot(struct backup *b)
{
	struct snapshot *s = &b->snapshot;

	*s = (struct snapshot){
		.work = b->work, .tier = tier_ref(b->tier), .command_lines = b->command_lines, .era = b->era};
	if (b->anew)
		backup_new_generation(s->generation);
	else
		memcpy(s->generation, b->state.generation, sizeof(s->generation));
	if (snapshot_start(s) < 0) {
		tier_unref(s->tier);
		b->snapshot_after = clock_monotonic() + RETRY;
	}
}

static int snapshot_ended(struct backup *b, const struct tier_call *call)
{
	struct snapshot *s = &b->snapshot;
	int rc;

	snapshot_end(s);
	tier_unref(s->tier);
	if (s->rc) {
		b->snapshot_after = clock_monotonic() + RETRY;
		return s->rc;
	}
	if (s->era != b->era)
		return 0; /* the next one removes it */
	if (b->anew) {
		memcpy(b->state.generation, s->generation, sizeof(b->state.generation));
		b->state.end = s->commit;
	}
	b->anew = false;
	b->state.snapshot = s->commit;
	b->state.snapshot_bytes = s->size;
	b->state.changes = b->state.changes_bytes = 0;
	rc = backup_state_write(b->dir, &b->state);
	return rc ? rc : remove_old(b, call);
}

static bool snapshot_due(const struct backup *b)
{
	uint64_t share = b->state.snapshot_bytes / 2;

	if (b->snapshot.running || clock_monotonic() < b->snapshot_after)
		return false;
	return b->anew || b->state.changes >= CHANGES_MANY ||
	       b->state.changes_bytes > (share > CHANGES_SMALL ? share : CHANGES_SMALL);
}

/* ---- the settings and declared tables ---- */

typedef int (*config_fn)(struct backup *b, int dir, const char *file, const char *name, void *arg);

/* Calls FN for each file of config/: FILE in DIR, NAME below the copy's folder. */
static int each_config(struct backup *b, config_fn fn, void *arg)
{
	_cleanup_close_ int config = openat(b->lake->fd, "config", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int tables = config < 0 ? -1 : openat(config, "tables", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = tables >= 0 ? fdopendir(tables) : NULL;
	struct dirent *e;
	int rc = config < 0 ? -errno : fn(b, config, "settings.yaml", "config/settings.yaml", arg);

	while (!rc && d && (e = readdir(d))) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		if (e->d_name[0] == '.')
			continue;
		buf_addf(&name, "config/tables/%s", e->d_name);
		rc = buf_error(&name) ? buf_error(&name) : fn(b, dirfd(d), e->d_name, buf_str(&name), arg);
	}
	return rc;
}

static int mix_config(struct backup *b, int dir, const char *file, const char *name, void *arg)
{
	uint64_t *hash = arg, one = fnv1a(0, name, strlen(name));
	struct stat st;

	(void)b;
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	one = fnv1a(one, &st.st_size, sizeof(st.st_size));
	one = fnv1a(one, &st.st_mtim, sizeof(st.st_mtim));
	*hash += one; /* in whatever order they are listed */
	return 0;
}

static int put_config(struct backup *b, int dir, const char *file, const char *name, void *arg)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT, key = BUF_INIT;
	int rc = read_file_at(dir, file, &bytes);

	if (rc == -ENOENT || rc == -EISDIR || rc == -ELOOP)
		return 0;
	backup_key(&key, tier_prefix(b->tier), b->lake->id, name);
	if (!rc)
		rc = buf_error(&key);
	return rc ? rc : put_buf(b, buf_str(&key), &bytes, arg);
}

static int upload_config(struct backup *b, const struct tier_call *call)
{
	uint64_t hash = 1;
	int rc = each_config(b, mix_config, &hash);

	if (rc || hash == b->state.config)
		return rc;
	rc = each_config(b, put_config, (void *)call);
	if (rc)
		return rc;
	b->state.config = hash;
	return backup_state_write(b->dir, &b->state);
}

/* ---- the thread ---- */

static bool stopping(void *arg)
{
	return work_stopping(arg);
}

/* Do the files that are here lead from what is there to LAST, the store's last commit when they began to be kept? */
static bool leads_to(struct backup *b, uint64_t last)
{
	struct closed_list l = {0};
	uint64_t end = b->state.end;

	if (find_closed(b->dir, &l) < 0)
		end = 0;
	for (size_t i = 0; i < l.n && l.list[i].from <= end; i++)
		end = l.list[i].to > end ? l.list[i].to : end;
	free(l.list);
	return end == last;
}

/* Changes are kept from now on, if they are not since the lake was opened. */
static int keep(struct backup *b, bool command_lines)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	bool from_the_start = b->lake->changes_kept && !b->error;
	uint64_t last = b->lake->changes_last;
	int rc = 0;

	buf_addf(&folder, "%s/" BACKUP_FOLDER, b->lake->path);
	if (!from_the_start)
		rc = store_changes_keep(b->lake->store, buf_str(&folder), command_lines, &last);
	b->lake->changes_kept = false;
	if (rc)
		return rc;
	b->dir = open(buf_str(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dir < 0)
		return -errno;
	b->kept = true;
	b->command_lines = command_lines;
	backup_state_read(b->dir, &b->state);
	b->anew = !b->state.generation[0];
	if (!from_the_start || !leads_to(b, last))
		begin_anew(b, "not all that was changed since is known");
	if (b->state.full != command_lines)
		begin_anew(b, "the settings want another one");
	b->state.full = command_lines;
	return 0;
}

static void keep_no_more(struct backup *b)
{
	if (!b->kept)
		return;
	store_changes_drop(b->lake->store);
	begin_anew(b, "it was switched off");
	close(b->dir);
	b->dir = -1;
	b->kept = false;
}

static int copy_changes(struct backup *b, const struct tier_call *call)
{
	int64_t now = clock_wall();
	int rc = store_changes_cut(b->lake->store);

	if (rc < 0) { /* what was changed since is known nowhere */
		close(b->dir);
		b->dir = -1;
		b->kept = false;
		return rc;
	}
	if (store_changes_forgot(b->lake->store))
		begin_anew(b, "something was erased for good");
	rc = upload_changes(b, call);
	if (!rc && !b->anew)
		atomic_store(&b->lake->backup_at, now);
	return rc;
}

static int copy_all(struct backup *b)
{
	const struct tier_call call = {.stop = stopping, .arg = b->work, .background = true};
	int rc = copy_changes(b, &call);

	if (!rc && !remote_is_held(b->lake))
		rc = -EAGAIN;
	if (!rc && b->snapshot.running && atomic_load(&b->snapshot.done))
		rc = snapshot_ended(b, &call);
	if (!rc)
		rc = upload_config(b, &call);
	if (b->kept && rc != -EAGAIN && snapshot_due(b))
		start_snapshot(b);
	return rc;
}

static void say_once(struct backup *b, int rc)
{
	if (rc == -EAGAIN) /* whose the remote is, is not known, or was said */
		return;
	if (rc && rc != b->error && rc != -ECANCELED)
		log_warning("the copy of the metadata cannot be kept up: %s", strerror(-rc));
	else if (!rc && b->error)
		log_info("the copy of the metadata is kept up again");
	b->error = rc;
	atomic_store(&b->lake->backup_error, rc);
}

/* Returns how long to wait. */
static int64_t tick(struct backup *b)
{
	struct settings *s = lake_settings(b->lake);
	bool wanted = s->metadata_backup, command_lines = s->metadata_full;
	int64_t interval = s->metadata_interval * NSEC_PER_SEC;
	int rc = 0;

	settings_unref(s);
	b->tier = wanted ? lake_tier(b->lake) : NULL;
	if (!b->tier || (b->kept && command_lines != b->command_lines))
		keep_no_more(b);
	if (b->tier && !b->kept)
		rc = keep(b, command_lines);
	if (b->kept)
		rc = copy_all(b);
	say_once(b, rc);
	if (b->tier)
		tier_unref(b->tier);
	b->tier = NULL;
	/* A snapshot that is ready need not wait. */
	return b->snapshot.running && interval > NSEC_PER_SEC ? NSEC_PER_SEC : interval;
}

/* What was changed last, while the daemon ends. */
static void last_call(struct backup *b)
{
	const struct tier_call call = {.deadline = clock_monotonic() + LAST_CALL, .patience = LAST_CALL};
	struct tier_stats stats;

	b->tier = lake_tier(b->lake);
	if (!b->tier)
		return;
	tier_stats(b->tier, &stats);
	if (!stats.unreachable_since && store_barrier(b->lake->store, 0) == 0)
		copy_changes(b, &call);
	tier_unref(b->tier);
}

void *backup_main(void *arg)
{
	struct work *w = arg;
	struct backup b = {.work = w, .lake = w->lake, .dir = -1};
	int64_t wait;

	work_be_nice(10);
	do
		wait = tick(&b);
	while (work_sleep(w, wait));
	if (b.kept)
		last_call(&b);
	if (b.snapshot.running) {
		snapshot_end(&b.snapshot);
		tier_unref(b.snapshot.tier);
	}
	if (b.dir >= 0)
		close(b.dir);
	return NULL;
}
