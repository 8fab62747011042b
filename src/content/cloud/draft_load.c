/* Drafts that the last daemon left. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cut.h"
#include "content/cloud/draft_int.h"
#include "content/recover.h"

enum fate {
	DRAFT_STAYS,
	DRAFT_GOES,
	DRAFT_ENDED, /* its file is there, and the record that says so was lost */
};

static enum fate fate_of(struct lake *lake, const struct draft_key *of, const struct node_row *node)
{
	struct fhandle now;
	struct stat st;

	if (node->version != of->version)
		return DRAFT_GOES;
	if (!node->stub && recover_look_at_path(lake, of->node, &now, &st) && S_ISREG(st.st_mode) &&
	    fhandle_equal(&now, &node->handle))
		return DRAFT_ENDED;
	return DRAFT_STAYS;
}

static int record_end(struct lake *lake, const struct draft_key *of)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, of->node, 0, NULL);
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	cut_keep(r, of->version, HOW_CLOUD);
	record_node_writing(r, of->node, true);
	rc = store_submit(lake->store, r, &commit);
	return rc < 0 ? rc : store_sync(lake->store, commit);
}

static int go_on(struct lake *lake, struct draft *d, uint64_t node)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, node, 0, NULL);

	draft_add(d);
	if (!r)
		return -ENOMEM;
	record_job_add(r, JOB_RECALL, node, clock_wall());
	return store_submit(lake->store, r, NULL);
}

static void remove_file(int cachefd, const char *name)
{
	log_info("cache/%s: removed: what was written is elsewhere, or its file is gone", name);
	unlinkat(cachefd, name, 0);
}

static int load(struct lake *lake, int cachefd, const char *name)
{
	struct draft_key of;
	struct version_row v;
	struct node_row node;
	struct draft *d;
	int rc;

	if (!draft_file_parse(name, &of.node, &of.version) || draft_is_in_use(lake, of.node))
		return 0;
	if (store_node(lake->store, of.node, &node) || store_version(lake->store, of.version, &v)) {
		remove_file(cachefd, name);
		return 0;
	}
	of.size = v.size;
	rc = draft_open_files(lake->drafts, &of, cachefd, &d);
	if (rc < 0)
		return rc;
	switch (draft_is_empty(d) ? DRAFT_GOES : fate_of(lake, &of, &node)) {
	case DRAFT_STAYS:
		return go_on(lake, d, of.node);
	case DRAFT_ENDED:
		rc = record_end(lake, &of);
		break;
	case DRAFT_GOES:
		break;
	}
	draft_discard(d);
	return rc;
}

int drafts_load(struct lake *lake)
{
	int rc = 0;

	for (int i = 0; !rc && i < LAKE_VOLUMES; i++) {
		struct volume *volume = lake_volume(lake, i);
		_cleanup_closedir_ DIR *dir = NULL;
		struct dirent *e;
		int fd;

		if (!volume || volume->cachefd < 0)
			continue;
		fd = openat(volume->cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		dir = fd < 0 ? NULL : fdopendir(fd);
		if (!dir) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		while (!rc && (e = readdir(dir)))
			rc = load(lake, volume->cachefd, e->d_name);
	}
	return rc;
}
