/*
 * Listing a folder in the order of the keys' bytes. The names of one folder are read whole and sorted, a folder's with
 * the slash behind it: so "a.txt" comes before what is in "a", as their keys do. A stack of such folders is where the
 * listing is, and is kept from page to page.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tier/dir/dir_int.h"

struct name {
	char *part; /* of the key; a folder's ends in a slash */
	char *path; /* below the folder it was read from */
	bool folder;
};

struct level {
	struct name *names;
	size_t n, room, next;
	size_t key_len, path_len; /* of the walk's buffers, without its names */
};

struct found {
	char *key;
	struct tier_entry entry;
};

struct dir_walk {
	struct dir_op op;
	char *prefix, *after;
	bool folders;
	struct buf key, path; /* where it is: the key's beginning, and the folder's path with a slash behind it */
	struct level *levels;
	int depth, deepest;
	struct found *found;
	int nfound, max;
};

static void level_release(struct level *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->names[i].part);
		free(l->names[i].path);
	}
	free(l->names);
	*l = (struct level){0};
}

static void forget_found(struct dir_walk *w)
{
	while (w->nfound)
		free(w->found[--w->nfound].key);
}

static void walk_release(struct dir_op *op)
{
	struct dir_walk *w = (struct dir_walk *)op;

	while (w->depth)
		level_release(&w->levels[--w->depth]);
	forget_found(w);
	free(w->found);
	free(w->levels);
	free(w->prefix);
	free(w->after);
	buf_release(&w->key);
	buf_release(&w->path);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->part, ((const struct name *)b)->part);
}

static int add_name(struct level *l, const struct buf *part, const struct buf *path, bool folder)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct name *names = realloc(l->names, room * sizeof(*names));

		if (!names)
			return -ENOMEM;
		l->names = names;
		l->room = room;
	}
	l->names[l->n] = (struct name){strdup(buf_str(part)), strdup(buf_str(path)), folder};
	l->n++;
	return l->names[l->n - 1].part && l->names[l->n - 1].path ? 0 : -ENOMEM;
}

/* 1: a folder, 0: a plain file, -ENOENT: something else. */
static int kind_of(int dirfd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type == DT_DIR || e->d_type == DT_REG)
		return e->d_type == DT_DIR;
	if (e->d_type != DT_UNKNOWN || fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -ENOENT;
	return S_ISDIR(st.st_mode) ? 1 : S_ISREG(st.st_mode) ? 0 : -ENOENT;
}

static int read_names(struct dir_walk *w, struct level *l, const char *head, const char *below);

/* One name. HEAD: of the component, where it goes on here; BELOW: the path to here from the level's folder. */
static int take_name(struct dir_walk *w, struct level *l, int dirfd, const struct dirent *e, const char *head,
		     const char *below)
{
	_cleanup_buf_ struct buf part = BUF_INIT, path = BUF_INIT;
	int kind, folder;

	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return 0;
	buf_adds(&part, head);
	kind = dir_part_of_name(&part, e->d_name);
	folder = kind ? kind_of(dirfd, e) : -ENOENT;
	if (folder < 0)
		return 0;
	buf_addf(&path, "%s%s", below, e->d_name);
	if (kind == 2) {
		buf_addc(&path, '/');
		return folder ? read_names(w, l, buf_str(&part), buf_str(&path)) : 0;
	}
	if (folder)
		buf_addc(&part, '/');
	if (buf_error(&part) || buf_error(&path))
		return -ENOMEM;
	return add_name(l, &part, &path, folder);
}

static int read_names(struct dir_walk *w, struct level *l, const char *head, const char *below)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int fd, r = 0;

	buf_addf(&path, "%s%s", buf_str(&w->path), below);
	if (buf_error(&path))
		return -ENOMEM;
	while (path.len && path.data[path.len - 1] == '/')
		path.data[--path.len] = '\0';
	fd = dir_open_folder(w->op.root, buf_str(&path));
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	/* What cannot be read must not look as if it were not there. */
	errno = 0;
	while (r == 0 && (e = readdir(dir))) {
		r = take_name(w, l, fd, e, head, below);
		errno = 0;
	}
	return r == 0 && errno ? -errno : r;
}

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Into the folder that w->key and w->path name now. */
static int descend(struct dir_walk *w, size_t key_len, size_t path_len)
{
	struct level *l;
	int r;

	if (w->depth == w->deepest) {
		int deepest = w->deepest ? 2 * w->deepest : 16;
		struct level *levels = realloc(w->levels, (size_t)deepest * sizeof(*levels));

		if (!levels)
			return -ENOMEM;
		w->levels = levels;
		w->deepest = deepest;
	}
	l = &w->levels[w->depth++];
	*l = (struct level){.key_len = key_len, .path_len = path_len};
	r = read_names(w, l, "", "");
	if (l->n)
		qsort(l->names, l->n, sizeof(*l->names), compare);
	return r;
}

static int tell(struct dir_walk *w, const struct tier_head *head, bool folder)
{
	struct found *f = &w->found[w->nfound];

	*f = (struct found){.key = strdup(buf_str(&w->key))};
	if (!f->key)
		return -ENOMEM;
	f->entry = (struct tier_entry){.key = f->key, .folder = folder};
	if (head)
		f->entry.head = *head;
	/* As S3 has it. */
	f->entry.head.facts = (struct tier_facts){0};
	w->nfound++;
	return 0;
}

static int look_at_file(struct dir_walk *w)
{
	const char *key = buf_str(&w->key);
	_cleanup_close_ int fd = -1;
	struct tier_head head;
	struct stat st;
	int r;

	if (!begins_with(key, w->prefix) || (w->after && strcmp(key, w->after) <= 0))
		return 0;
	fd = dir_open_plain(w->op.root, buf_str(&w->path), &st);
	if (fd == -ENAMETOOLONG)
		fd = dir_open_file(w->op.root, key, &st);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = dir_facts_read(w->op.root, key, fd, &st, &head);
	return r < 0 ? r : tell(w, &head, false);
}

/* 1: its names are to be looked at. */
static int look_at_folder(struct dir_walk *w)
{
	const char *key = buf_str(&w->key);

	if (!begins_with(key, w->prefix) && !begins_with(w->prefix, key))
		return 0;
	if (w->folders && begins_with(key, w->prefix) && strlen(key) > strlen(w->prefix))
		return w->after && (strcmp(key, w->after) <= 0 || begins_with(w->after, key)) ? 0 : tell(w, NULL, true);
	return !w->after || strcmp(key, w->after) >= 0 || begins_with(w->after, key);
}

static void cut_to(struct buf *b, size_t len)
{
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

/* The next name of the deepest folder. */
static int advance(struct dir_walk *w)
{
	struct level *l = &w->levels[w->depth - 1];
	size_t key_len = w->key.len, path_len = w->path.len;
	const struct name *name;
	int r;

	if (l->next == l->n) {
		cut_to(&w->key, l->key_len);
		cut_to(&w->path, l->path_len);
		level_release(l);
		w->depth--;
		return 0;
	}
	name = &l->names[l->next++];
	buf_adds(&w->key, name->part);
	buf_adds(&w->path, name->path);
	if (buf_error(&w->key) || buf_error(&w->path))
		return -ENOMEM;
	r = name->folder ? look_at_folder(w) : look_at_file(w);
	if (r == 1) {
		buf_addc(&w->path, '/');
		return descend(w, key_len, path_len);
	}
	cut_to(&w->key, key_len);
	cut_to(&w->path, path_len);
	return r;
}

static int page_step(struct dir_op *op)
{
	struct dir_walk *w = (struct dir_walk *)op;
	int r = 0;

	forget_found(w);
	if (!w->levels)
		r = descend(w, 0, 0);
	while (r == 0 && w->depth && w->nfound < w->max)
		r = advance(w);
	return r;
}

static struct dir_walk *walk_new(struct dir *d, const struct tier_page *page)
{
	struct dir_walk *w = dir_op_new(d, sizeof(*w), walk_release);
	struct dir_op *op = w ? &w->op : NULL;

	if (!w)
		return NULL;
	w->folders = page->folders;
	w->max = page->max;
	w->prefix = strdup(page->prefix);
	w->after = page->after ? strdup(page->after) : NULL;
	w->found = calloc((size_t)page->max, sizeof(*w->found));
	if (!w->prefix || !w->found || (page->after && !w->after)) {
		dir_op_freep(&op);
		return NULL;
	}
	return w;
}

int dir_list(void *engine, struct tier_page *page, struct tier_try *t)
{
	struct dir_walk *w = page->cursor ? page->cursor : walk_new(engine, page);
	struct dir_op *op = w ? &w->op : NULL;
	int r = w ? dir_step(&op, page_step, t) : -ENOMEM;

	page->cursor = NULL;
	for (int i = 0; r == 0 && i < w->nfound; i++)
		r = page->add(page->arg, &w->found[i].entry);
	if (r != 0) {
		dir_op_freep(&op);
		return r;
	}
	page->more = w->depth > 0;
	page->cursor = w;
	return 0;
}

void dir_list_end(void *engine, struct tier_page *page)
{
	struct dir_op *op = page->cursor;

	(void)engine;
	page->cursor = NULL;
	dir_op_freep(&op);
}
