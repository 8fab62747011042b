/* tarn restore-lake --all: the bytes of every stub of a lake that is not mounted. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/lock.h"
#include "cli/progress.h"
#include "cli/restore/restore_lake.h"
#include "content/lake.h"
#include "content/reach.h"
#include "content/cloud/stub.h"

#define THREADS 8
#define TOLD 20

struct wanted {
	uint64_t node, size;
};

struct bringing {
	struct lake *lake;
	struct wanted *list;
	size_t n, room;
	pthread_mutex_t lock;
	/* protected by lock */
	size_t next;
	struct restored_data *out;
	struct progress progress;
};

static int add_stub(void *arg, const struct asset_row *a)
{
	struct bringing *b = arg;

	if (!a->node->stub)
		return 0;
	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : 1024;
		struct wanted *list = realloc(b->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		b->list = list;
		b->room = room;
	}
	b->list[b->n++] = (struct wanted){a->node->id, a->node->size};
	b->out->wanted++;
	b->out->to_come += a->node->size;
	return 0;
}

static bool take(struct bringing *b, struct wanted *w)
{
	SCOPED_LOCK(&b->lock);

	if (b->next == b->n)
		return false;
	*w = b->list[b->next++];
	return true;
}

static void ended(struct bringing *b, const struct wanted *w, int rc)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	SCOPED_LOCK(&b->lock);

	progress_add(&b->progress, w->size);
	if (!rc) {
		b->out->files++;
		b->out->bytes += w->size;
		return;
	}
	if (b->out->failed++ >= TOLD)
		return;
	if (store_path(b->lake->store, w->node, &path) < 0)
		buf_adds(&path, "?");
	say("%s: %s", buf_str(&path), strerror(-rc));
}

static void *bring(void *arg)
{
	struct bringing *b = arg;
	struct wanted w;

	while (take(b, &w)) {
		struct inode *inode = NULL;
		int rc = reach_node(b->lake, w.node, &inode);

		if (!rc) {
			rc = stub_recall(b->lake, inode, NULL);
			inode_unref(b->lake, inode);
		}
		ended(b, &w, rc);
	}
	return NULL;
}

static int bring_all(struct bringing *b)
{
	pthread_t threads[THREADS];
	int n = 0, rc = store_assets(b->lake->store, NULL, add_stub, b);

	if (rc < 0) {
		say("%s: %s", b->lake->path, strerror(-rc));
		return EXIT_FAILED;
	}
	progress_start(&b->progress, "bytes", b->out->to_come);
	while (n < THREADS && !pthread_create(&threads[n], NULL, bring, b))
		n++;
	if (!n)
		bring(b);
	while (n)
		pthread_join(threads[--n], NULL);
	progress_end(&b->progress);
	free(b->list);
	return b->out->failed ? EXIT_PARTLY : EXIT_OK;
}

static int open_lake(const char *path, struct lake **lake)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct findings findings = {0};
	struct settings *settings;
	int rc = settings_load(path, NULL, &settings, &findings);

	if (rc)
		findings_say(&findings);
	findings_release(&findings);
	if (rc)
		return rc;
	caller_prepare_process();
	rc = lake_open(path, settings, lake, &error);
	if (rc)
		say("%s", error.len ? buf_str(&error) : strerror(-rc));
	return rc;
}

int restore_data(const char *path, struct restored_data *out)
{
	struct bringing b = {.lock = PTHREAD_MUTEX_INITIALIZER, .out = out};
	_cleanup_close_ int lock = lake_lock(path, 0);
	int code, rc;

	if (lock < 0) {
		say("%s: %s", path,
		    lock == -EWOULDBLOCK ? "is mounted (`tarn recall` brings the bytes of files of a mounted lake)"
					 : strerror(-lock));
		return lock == -EWOULDBLOCK ? EXIT_TRY_AGAIN : EXIT_FAILED;
	}
	rc = open_lake(path, &b.lake);
	if (rc)
		return rc == -EINVAL ? EXIT_SETTINGS : EXIT_FAILED;
	code = bring_all(&b);
	rc = lake_close(b.lake);
	return rc && !code ? EXIT_FAILED : code;
}
