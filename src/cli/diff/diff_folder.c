/*
 * Folders: what was added, removed and changed below them, name by name. A folder that only one side has is one line. A
 * file is the same when its bytes are; checksums that the mount knows for both (user.tarn.sha256) save reading them.
 * Modes and times are not compared: earlier versions show none that can be written.
 */
#include "cli/diff/diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/human.h"

struct comparison {
	struct buf a, b;			       /* the folders that are looked at now */
	size_t root;				       /* where the part of B begins that both have */
	struct json_object *added, *removed, *changed; /* NULL: print */
	int64_t counts[3], same;
	bool trouble;
};

enum { ADDED, REMOVED, CHANGED };

/* ---- what is found ---- */

struct below {
	int64_t files, bytes;
};

static void count_below(int parent, const char *name, const struct stat *st, struct below *sum)
{
	int fd = S_ISDIR(st->st_mode) ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	struct stat inner;

	if (!S_ISDIR(st->st_mode)) {
		sum->files++;
		sum->bytes += st->st_size;
		return;
	}
	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    !fstatat(dirfd(d), e->d_name, &inner, AT_SYMLINK_NOFOLLOW))
			count_below(dirfd(d), e->d_name, &inner, sum);
	}
}

static const char *kind_name(mode_t mode)
{
	return S_ISDIR(mode) ? "folder" : S_ISREG(mode) ? "file" : S_ISLNK(mode) ? "link" : "other";
}

static void add_side(struct json_object *o, const char *when, const struct stat *st)
{
	struct json_object *side = json_object_new_object();

	json_object_object_add(side, "kind", json_object_new_string(kind_name(st->st_mode)));
	if (S_ISREG(st->st_mode))
		json_object_object_add(side, "size", json_object_new_int64(st->st_size));
	json_object_object_add(o, when, side);
}

static void add_found(struct comparison *c, int which, const char *path, const struct stat *a, const struct stat *b,
		      const struct below *sum)
{
	struct json_object *lists[] = {c->added, c->removed, c->changed}, *o = json_object_new_object();

	json_object_object_add(o, "path", json_object_new_string(path));
	if (a)
		add_side(o, "before", a);
	if (b)
		add_side(o, "after", b);
	if (sum) {
		json_object_object_add(o, "files", json_object_new_int64(sum->files));
		json_object_object_add(o, "bytes", json_object_new_int64(sum->bytes));
	}
	json_object_array_add(lists[which], o);
}

static void add_kind_and_size(struct buf *line, const struct stat *st, const struct below *sum)
{
	if (sum) {
		buf_addf(line, "%lld file%s, ", (long long)sum->files, sum->files == 1 ? "" : "s");
		human_size(line, (uint64_t)sum->bytes);
	} else if (S_ISREG(st->st_mode)) {
		human_size(line, (uint64_t)st->st_size);
	} else {
		buf_adds(line, kind_name(st->st_mode));
	}
}

static void print_found(int which, const char *path, const struct stat *a, const struct stat *b,
			const struct below *sum)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_addf(&line, "%c ", "+-~"[which]);
	human_name(&line, path);
	buf_adds(&line, sum ? "/ (" : " (");
	add_kind_and_size(&line, a ? a : b, sum);
	if (a && b) {
		buf_adds(&line, " -> ");
		add_kind_and_size(&line, b, NULL);
	}
	printf("%s)\n", buf_str(&line));
}

/* A or B is NULL where the name is not there. The name is the last part of the path. */
static void found(struct comparison *c, int which, const struct stat *a, const struct stat *b)
{
	const struct stat *only = which == ADDED ? b : which == REMOVED ? a : NULL;
	const char *path = buf_str(&c->b) + c->root;
	struct below sum = {0};
	bool folder = only && S_ISDIR(only->st_mode);

	c->counts[which]++;
	if (folder)
		count_below(AT_FDCWD, buf_str(which == ADDED ? &c->b : &c->a), only, &sum);
	if (c->added)
		add_found(c, which, path, a, b, folder ? &sum : NULL);
	else
		print_found(which, path, a, b, folder ? &sum : NULL);
}

static void trouble(struct comparison *c, const struct buf *path, int rc)
{
	say("%s: %s", buf_str(path), strerror(-rc));
	c->trouble = true;
}

/* ---- one name that both have ---- */

#define SHA256_HEX 64

/* 1 the same, 0 other bytes, -1 not known. */
static int compare_checksums(int a, int b)
{
	char x[SHA256_HEX + 1], y[SHA256_HEX + 1];
	ssize_t n = fgetxattr(a, "user.tarn.sha256", x, sizeof(x)), m;

	if (n != SHA256_HEX)
		return -1;
	m = fgetxattr(b, "user.tarn.sha256", y, sizeof(y));
	return m != n ? -1 : !memcmp(x, y, SHA256_HEX);
}

/* 1 the same, 0 not, or -errno. */
static int same_file(struct comparison *c, const struct stat *a, const struct stat *b)
{
	_cleanup_close_ int x = -1, y = -1;
	struct diff_side from = {.path = buf_str(&c->a), .st = *a}, to = {.path = buf_str(&c->b), .st = *b};
	off_t first;
	int rc;

	if (a->st_size != b->st_size)
		return 0;
	if (!a->st_size || (a->st_dev == b->st_dev && a->st_ino == b->st_ino))
		return 1;
	from.fd = x = open(from.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	to.fd = y = x < 0 ? -1 : open(to.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (x < 0 || y < 0)
		return -errno;
	rc = compare_checksums(x, y);
	if (rc >= 0)
		return rc;
	first = diff_first_difference(&from, &to);
	return first < -1 ? (int)(first + 1) : first == -1;
}

static int same_link(struct comparison *c)
{
	char x[PATH_MAX], y[PATH_MAX];
	ssize_t n = readlink(buf_str(&c->a), x, sizeof(x)), m = readlink(buf_str(&c->b), y, sizeof(y));

	if (n < 0 || m < 0)
		return -errno;
	return n == m && !memcmp(x, y, (size_t)n);
}

static void compare_folders(struct comparison *c);

static void compare_both(struct comparison *c, const struct stat *a, const struct stat *b)
{
	int same = 1;

	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		same = 0;
	else if (S_ISDIR(a->st_mode))
		return compare_folders(c);
	else if (S_ISREG(a->st_mode))
		same = same_file(c, a, b);
	else if (S_ISLNK(a->st_mode))
		same = same_link(c);
	if (same < 0)
		trouble(c, &c->b, same);
	else if (same)
		c->same++;
	else
		found(c, CHANGED, a, b);
}

/* ---- the names of two folders, side by side ---- */

static int is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void go_to(struct buf *path, size_t len, const char *name)
{
	path->len = len;
	if (path->data)
		path->data[len] = '\0';
	if (name)
		buf_addf(path, "%s%s", len && path->data[len - 1] == '/' ? "" : "/", name);
}

static void compare_name(struct comparison *c, const char *name, bool in_a, bool in_b)
{
	size_t a_len = c->a.len, b_len = c->b.len;
	struct stat a, b;

	go_to(&c->a, a_len, name);
	go_to(&c->b, b_len, name);
	if (in_a && lstat(buf_str(&c->a), &a) < 0)
		trouble(c, &c->a, -errno);
	else if (in_b && lstat(buf_str(&c->b), &b) < 0)
		trouble(c, &c->b, -errno);
	else if (in_a && in_b)
		compare_both(c, &a, &b);
	else
		found(c, in_b ? ADDED : REMOVED, in_a ? &a : NULL, in_b ? &b : NULL);
	go_to(&c->a, a_len, NULL);
	go_to(&c->b, b_len, NULL);
}

static void compare_lists(struct comparison *c, struct dirent **a, int n, struct dirent **b, int m)
{
	for (int i = 0, j = 0; i < n || j < m;) {
		int order = i == n ? 1 : j == m ? -1 : strcmp(a[i]->d_name, b[j]->d_name);

		compare_name(c, order <= 0 ? a[i]->d_name : b[j]->d_name, order <= 0, order >= 0);
		i += order <= 0;
		j += order >= 0;
	}
}

static void free_list(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void compare_folders(struct comparison *c)
{
	struct dirent **a = NULL, **b = NULL;
	int n = scandir(buf_str(&c->a), &a, is_entry, by_bytes), m = -1;

	if (n < 0)
		trouble(c, &c->a, -errno);
	else
		m = scandir(buf_str(&c->b), &b, is_entry, by_bytes);
	if (n >= 0 && m < 0)
		trouble(c, &c->b, -errno);
	if (n >= 0 && m >= 0)
		compare_lists(c, a, n, b, m);
	free_list(a, n);
	free_list(b, m);
}

static void add_facts(struct comparison *c, struct json_object *facts)
{
	json_object_object_add(facts, "kind", json_object_new_string("folders"));
	json_object_object_add(facts, "added", c->added);
	json_object_object_add(facts, "removed", c->removed);
	json_object_object_add(facts, "changed", c->changed);
	json_object_object_add(facts, "unchanged", json_object_new_int64(c->same));
}

int diff_folder(const struct diff_side *a, const struct diff_side *b, struct json_object *facts)
{
	struct comparison c = {0};
	bool differ;

	buf_adds(&c.a, a->path);
	buf_adds(&c.b, b->path);
	c.root = c.b.len + (c.b.len && c.b.data[c.b.len - 1] != '/');
	if (facts) {
		c.added = json_object_new_array();
		c.removed = json_object_new_array();
		c.changed = json_object_new_array();
	}
	compare_folders(&c);
	differ = c.counts[ADDED] || c.counts[REMOVED] || c.counts[CHANGED];
	if (facts)
		add_facts(&c, facts);
	else if (differ)
		printf("%lld added, %lld removed, %lld changed, %lld same\n", (long long)c.counts[ADDED],
		       (long long)c.counts[REMOVED], (long long)c.counts[CHANGED], (long long)c.same);
	buf_release(&c.a);
	buf_release(&c.b);
	return c.trouble ? DIFF_TROUBLE : differ ? DIFF_DIFFERENT : DIFF_SAME;
}
