#include "content/recall/recall_walk.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/recall/recall_version.h"

#define NAMES_MAX 100000 /* of a folder; what follows is not fetched ahead */
#define STEP 32		 /* as many are looked up for one that is opened */
#define JUMP 64		 /* the walk may leave out so many: files that are here */

struct coming {
	size_t at; /* where its name stands in the order of the walk */
	struct recall *recall;
	uint64_t size;
};

struct walk {
	pthread_mutex_t lock;
	/* protected by lock */
	uint64_t folder; /* 0: none yet */
	char **names;	 /* of what may be stubs, as the folder lists them, or sorted */
	size_t n;
	bool sorted;
	size_t next; /* the first that was not looked at */
	size_t last; /* the one that was opened last */
	struct coming coming[WALK_FILES];
	size_t ncoming;
	uint64_t bytes; /* in those */
};

int walk_new(struct walk **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	pthread_mutex_init(&(*out)->lock, NULL);
	return 0;
}

/* Those before the name at AT were passed. */
static void let_go(struct walk *w, size_t at)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->ncoming; i++) {
		if (w->coming[i].at >= at) {
			w->coming[kept++] = w->coming[i];
			continue;
		}
		recall_close(w->coming[i].recall);
		w->bytes -= w->coming[i].size;
	}
	w->ncoming = kept;
}

static void forget(struct walk *w)
{
	let_go(w, SIZE_MAX);
	for (size_t i = 0; i < w->n; i++)
		free(w->names[i]);
	free(w->names);
	w->names = NULL;
	w->n = w->next = w->last = 0;
	w->sorted = false;
}

void walk_free(struct walk *w)
{
	if (!w)
		return;
	forget(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the folder ---- */

static int add_name(struct walk *w, const char *name)
{
	char **more;

	if (w->n % 256 == 0) {
		more = reallocarray(w->names, w->n + 256, sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->names = more;
	}
	w->names[w->n] = strdup(name);
	return w->names[w->n] ? (int)!++w->n : -ENOMEM;
}

/* Placeholders are symlinks. */
static void list_folder(struct lake *lake, struct walk *w, struct inode *folder)
{
	int fd = inode_open(lake, folder, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	forget(w);
	w->folder = folder->id;
	while (d && w->n < NAMES_MAX && (e = readdir(d)))
		if ((e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) && add_name(w, e->d_name) < 0)
			break;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Where NAME stands; n: nowhere. */
static size_t find(const struct walk *w, const char *name, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < w->n; i++)
		if (!strcmp(w->names[i], name))
			return i;
	return w->n;
}

/* The place of NAME, near the one before; where that is not so, the walk goes by names, or nobody knows. */
static size_t place_of(struct walk *w, const char *name)
{
	size_t at = find(w, name, w->last, w->last + JUMP);

	if (at < w->n)
		return at;
	if (!w->sorted && w->n) {
		let_go(w, SIZE_MAX);
		qsort(w->names, w->n, sizeof(*w->names), by_name);
		w->sorted = true;
	}
	at = find(w, name, 0, w->n);
	let_go(w, SIZE_MAX);
	w->next = at;
	return at;
}

/* ---- fetching ---- */

/* The stub NAME of the walk's folder: its recall, begun; NULL: it is no small stub. */
static struct recall *begin(struct lake *lake, const struct walk *w, const char *name, uint64_t *size)
{
	struct recall *r = NULL;
	struct version_row v;
	struct node_row row;

	if (store_entry(lake->store, w->folder, name, &row) || !row.stub || !row.version || row.size > WALK_SMALL ||
	    store_version(lake->store, row.version, &v) || recall_open_version(lake, &v, &r))
		return NULL;
	recall_fetch_ahead(r, 0, v.size);
	*size = v.size;
	return r;
}

static void fetch_on(struct lake *lake, struct walk *w)
{
	for (int i = 0; i < STEP && w->next < w->n && w->ncoming < WALK_FILES && w->bytes < WALK_BYTES; i++) {
		struct coming *c = &w->coming[w->ncoming];

		c->at = w->next++;
		c->recall = begin(lake, w, w->names[c->at], &c->size);
		if (!c->recall)
			continue;
		w->bytes += c->size;
		w->ncoming++;
	}
}

void walk_on(struct lake *lake, struct walk *w, struct inode *inode)
{
	char name[NAME_BYTES + 1];
	struct inode *folder = inode_parent(lake, inode, name);

	if (!folder)
		return;
	if (!pthread_mutex_trylock(&w->lock)) {
		if (w->folder != folder->id)
			list_folder(lake, w, folder);
		w->last = place_of(w, name);
		let_go(w, w->last);
		if (w->next <= w->last)
			w->next = w->last + 1;
		fetch_on(lake, w);
		pthread_mutex_unlock(&w->lock);
	}
	inode_unref(lake, folder);
}
