/*
 * What a publication has to do, found by going through both folders; and whether the caller may do it.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "content/outside.h"
#include "ns/publish/publish_int.h"

/* ---- growing lists ---- */

static struct publish_step *add_step(struct publishing *p, enum publish_kind kind)
{
	struct publish_step *s;

	if (p->n == PUBLISH_NAMES_MAX) {
		buf_addf(p->error, "more than %d names at once", PUBLISH_NAMES_MAX);
		return NULL;
	}
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		struct publish_step *grown = reallocarray(p->steps, room, sizeof(*grown));

		if (!grown)
			return NULL;
		p->steps = grown;
		p->room = room;
	}
	s = &p->steps[p->n++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->m.lake = p->lake;
	s->m.actor = p->actor;
	return s;
}

static void step_release(struct publishing *p, struct publish_step *s)
{
	inode_unref(p->lake, s->m.over);
	inode_unref(p->lake, s->m.inode);
	if (s->m.to.inode)
		real_folder_put(&s->m.to);
	if (s->m.from.inode)
		real_folder_put(&s->m.from);
	free(s->from);
	free(s->to);
}

static void drop_last_step(struct publishing *p)
{
	step_release(p, &p->steps[--p->n]);
}

/* Takes the reference. */
static int add_file(struct publishing *p, struct inode *inode)
{
	if (p->nfiles == p->files_room) {
		size_t room = p->files_room ? p->files_room * 2 : 64;
		struct inode **grown = reallocarray(p->files, room, sizeof(struct inode *));

		if (!grown) {
			inode_unref(p->lake, inode);
			return -ENOMEM;
		}
		p->files = grown;
		p->files_room = room;
	}
	p->files[p->nfiles++] = inode;
	return 0;
}

void publish_release(struct publishing *p)
{
	for (size_t i = 0; i < p->nfiles; i++)
		inode_unref(p->lake, p->files[i]);
	while (p->n)
		drop_last_step(p);
	free(p->files);
	free(p->steps);
	free(p->frozen);
	p->files = NULL;
	p->steps = NULL;
	p->frozen = NULL;
	p->nfiles = p->files_room = p->room = p->nfrozen = 0;
}

/* ---- names ---- */

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0 ? NULL : path;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted. The caller frees them with free_names(), also after an error. */
static int list_names(int fd, char ***names, size_t *n)
{
	int plain = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = plain < 0 ? NULL : fdopendir(plain);
	struct dirent *e;
	size_t room = 0;

	*names = NULL;
	*n = 0;
	if (!d && plain >= 0)
		close(plain);
	if (!d)
		return -errno;
	while ((errno = 0, e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (*n == room) {
			char **grown = reallocarray(*names, room = room ? room * 2 : 64, sizeof(char *));

			if (!grown)
				return -ENOMEM;
			*names = grown;
		}
		(*names)[*n] = strdup(e->d_name);
		if (!(*names)[*n])
			return -ENOMEM;
		(*n)++;
	}
	if (errno)
		return -errno;
	if (*n)
		qsort(*names, *n, sizeof(char *), by_bytes);
	return 0;
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static bool is_bucket_history(const struct inode *folder, const char *name)
{
	return atomic_load(&folder->in_root) && !strcmp(name, ".tarn-versions");
}

/* ---- going through the folders ---- */

/* What lies below a folder that goes as a whole: unknown files are taken in, and all must be settled. */
static int gather(struct publishing *p, struct inode *folder)
{
	_cleanup_folder_ struct folder_fd *fd = NULL;
	char **names = NULL;
	size_t n = 0;
	int rc = folder_get(p->lake, folder, &fd);

	if (!rc)
		rc = list_names(folder_fd(fd), &names, &n);
	for (size_t i = 0; i < n && !rc; i++) {
		struct inode *inode;
		struct stat st;

		rc = outside_look_up(p->lake, folder, folder_fd(fd), names[i], &inode, &st);
		if (rc == -ENOENT) {
			rc = 0;
			continue;
		}
		if (!rc && inode->kind == KIND_FILE)
			rc = add_file(p, inode);
		else if (!rc) {
			rc = inode->kind == KIND_FOLDER ? gather(p, inode) : 0;
			inode_unref(p->lake, inode);
		}
	}
	free_names(names, n);
	return rc;
}

static int merge(struct publishing *p, const char *from, uint64_t from_id, const char *to, uint64_t to_id);

static int refuse(struct publishing *p, int rc, const char *path, const char *why)
{
	buf_addf(p->error, "%s: %s", path, why);
	return rc;
}

static int complete(struct publishing *p, struct publish_step *s)
{
	struct rename *m = &s->m;

	if (m->inode->kind == KIND_FILE)
		return add_file(p, inode_ref(p->lake, m->inode));
	return m->inode->kind == KIND_FOLDER ? gather(p, m->inode) : 0;
}

/* One name of staging. */
static int plan_name(struct publishing *p, const char *from, uint64_t from_id, const char *to, uint64_t to_id,
		     const char *name, const char *to_name)
{
	struct publish_step *s = add_step(p, PUBLISH_MOVE);
	struct rename *m;
	int rc;

	if (!s)
		return p->error->len ? -E2BIG : -ENOMEM;
	m = &s->m;
	s->from = join(from, name);
	s->to = join(to, to_name);
	if (!s->from || !s->to)
		return -ENOMEM;
	m->name = last_name(s->from);
	m->to_name = last_name(s->to);
	rc = real_folder_get(p->lake, from_id, &m->from);
	if (!rc)
		rc = real_folder_get(p->lake, to_id, &m->to);
	if (!rc)
		rc = rename_find(m);
	if (!rc)
		rc = rename_check(m);
	if (rc)
		return rc == -ENOENT ? -EAGAIN : refuse(p, rc, s->to, strerror(-rc));
	if (m->inode->volume != m->to.inode->volume)
		return refuse(p, -EXDEV, s->to, "lies on another disk than what is published");
	if (m->over == m->inode) { /* two names of one file: nothing happens, says rename(2) */
		drop_last_step(p);
		return 0;
	}
	if (!m->over)
		return complete(p, s);
	if (m->inode->kind == KIND_FOLDER && m->over->kind == KIND_FOLDER) {
		struct inode *a = inode_ref(p->lake, m->inode), *b = inode_ref(p->lake, m->over);
		char *below_from = steal_ptr(&s->from), *below_to = steal_ptr(&s->to);

		drop_last_step(p);
		rc = merge(p, below_from, a->id, below_to, b->id);
		inode_unref(p->lake, a);
		inode_unref(p->lake, b);
		free(below_from);
		free(below_to);
		return rc;
	}
	if (m->inode->kind == KIND_FOLDER || m->over->kind == KIND_FOLDER)
		return refuse(p, -EISDIR, s->to, "a folder in one and not in the other");
	s->kind = PUBLISH_OVER;
	return complete(p, s);
}

/* Is staging FOLDER, or somewhere below it? */
static bool holds_staging(struct publishing *p, const struct inode *folder)
{
	struct inode *at = inode_ref(p->lake, p->staging);
	char name[NAME_BYTES + 1];
	bool holds = false;

	while (at && !(holds = at == folder)) {
		struct inode *above = inode_parent(p->lake, at, name);

		inode_unref(p->lake, at);
		at = above;
	}
	inode_unref(p->lake, at);
	return holds;
}

static int remove_all(struct publishing *p, const char *to, uint64_t to_id, char *const *keep, size_t nkeep);

/* A name that only the target has goes. */
static int plan_removal(struct publishing *p, const char *to, uint64_t to_id, const char *name)
{
	struct publish_step *s = add_step(p, PUBLISH_REMOVE);
	struct rename *m;
	struct inode *folder;
	char *below;
	int rc;

	if (!s)
		return p->error->len ? -E2BIG : -ENOMEM;
	m = &s->m;
	s->to = join(to, name);
	if (!s->to)
		return -ENOMEM;
	m->to_name = last_name(s->to);
	rc = real_folder_get(p->lake, to_id, &m->to);
	if (!rc)
		rc = outside_look_up(p->lake, m->to.inode, m->to.fd, m->to_name, &m->over, &m->over_raw);
	if (rc)
		return rc == -ENOENT ? -EAGAIN : rc;
	if (m->over->kind != KIND_FOLDER)
		return 0;
	if (holds_staging(p, m->over)) {
		drop_last_step(p);
		return 0;
	}
	/* first what is in it, then the folder */
	folder = inode_ref(p->lake, m->over);
	below = strdup(s->to);
	drop_last_step(p);
	rc = below ? remove_all(p, below, folder->id, NULL, 0) : -ENOMEM;
	s = rc ? NULL : add_step(p, PUBLISH_REMOVE_FOLDER);
	if (!rc && !s)
		rc = -ENOMEM;
	if (!rc) {
		s->to = steal_ptr(&below);
		s->m.to_name = last_name(s->to);
		rc = real_folder_get(p->lake, to_id, &s->m.to);
	}
	if (!rc)
		rc = outside_look_up(p->lake, s->m.to.inode, s->m.to.fd, s->m.to_name, &s->m.over, &s->m.over_raw);
	inode_unref(p->lake, folder);
	free(below);
	return rc;
}

static bool is_among(char *const *names, size_t n, const char *name)
{
	return n && bsearch(&name, names, n, sizeof(char *), by_bytes);
}

static int remove_all(struct publishing *p, const char *to, uint64_t to_id, char *const *keep, size_t nkeep)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	char **names = NULL;
	size_t n = 0;
	int rc = real_folder_get(p->lake, to_id, &f);

	if (!rc)
		rc = list_names(f.fd, &names, &n);
	for (size_t i = 0; i < n && !rc; i++) {
		if (!is_among(keep, nkeep, names[i]) && !is_bucket_history(f.inode, names[i]))
			rc = plan_removal(p, to, to_id, names[i]);
	}
	free_names(names, n);
	return rc;
}

static int merge(struct publishing *p, const char *from, uint64_t from_id, const char *to, uint64_t to_id)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	char **names = NULL;
	size_t n = 0;
	int rc = real_folder_get(p->lake, from_id, &f);

	if (!rc)
		rc = list_names(f.fd, &names, &n);
	for (size_t i = 0; i < n && !rc; i++) {
		if (!is_bucket_history(f.inode, names[i]))
			rc = plan_name(p, from, from_id, to, to_id, names[i], names[i]);
	}
	if (!rc && (p->flags & PUBLISH_REPLACE))
		rc = remove_all(p, to, to_id, names, n);
	free_names(names, n);
	return rc;
}

/* The inode at a path below buckets/, with a reference. */
static int walk(struct lake *lake, const char *path, struct inode **out)
{
	_cleanup_free_ char *copy = strdup(path);
	struct inode *at = inode_find(lake, NODE_ROOT), *next;
	char *save, *name;
	struct stat st;
	int rc = copy && at ? 0 : -ENOMEM;

	for (name = rc ? NULL : strtok_r(copy, "/", &save); !rc && name; name = strtok_r(NULL, "/", &save)) {
		_cleanup_folder_ struct folder_fd *folder = NULL;

		rc = at->kind == KIND_FOLDER ? folder_get(lake, at, &folder) : -ENOTDIR;
		if (!rc)
			rc = outside_look_up(lake, at, folder_fd(folder), name, &next, &st);
		if (!rc) {
			inode_unref(lake, at);
			at = next;
		}
	}
	if (rc)
		inode_unref(lake, at);
	else
		*out = at;
	return rc;
}

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

/* The target is not there: staging becomes it. */
static int plan_new(struct publishing *p, const char *from, const char *to)
{
	const char *slash = strrchr(to, '/'), *from_slash = strrchr(from, '/');
	_cleanup_free_ char *above = slash ? strndup(to, (size_t)(slash - to)) : NULL;
	_cleanup_free_ char *from_above = from_slash ? strndup(from, (size_t)(from_slash - from)) : NULL;
	struct inode *a = NULL, *b = NULL;
	int rc;

	if (!slash)
		return refuse(p, -ENOENT, to,
			      "there is no such bucket (make it first, as a folder at the root of the mount)");
	if (!from_slash)
		return refuse(p, -EINVAL, from, "a bucket cannot become a folder, only what is in it is published");
	if (!above || !from_above)
		return -ENOMEM;
	rc = walk(p->lake, from_above, &a);
	if (!rc)
		rc = walk(p->lake, above, &b);
	if (!rc && b->kind != KIND_FOLDER)
		rc = -ENOTDIR;
	if (rc)
		refuse(p, rc, to, strerror(-rc));
	else
		rc = plan_name(p, from_above, a->id, above, b->id, from_slash + 1, slash + 1);
	inode_unref(p->lake, a);
	inode_unref(p->lake, b);
	return rc;
}

static int plan_both(struct publishing *p, const char *from, const char *to, struct inode *target)
{
	if (p->staging->kind != KIND_FOLDER || target->kind != KIND_FOLDER)
		return refuse(p, -ENOTDIR, p->staging->kind == KIND_FOLDER ? to : from, "not a folder");
	if (target == p->staging || lies_in(to, from))
		return refuse(p, -EINVAL, to, "lies in what is published");
	return merge(p, from, p->staging->id, to, target->id);
}

int publish_plan(struct publishing *p, const char *from, const char *to)
{
	struct inode *target = NULL;
	int rc = walk(p->lake, from, &p->staging);

	if (rc)
		return refuse(p, rc, from, strerror(-rc));
	rc = walk(p->lake, to, &target);
	if (rc == -ENOENT && p->staging->kind == KIND_FOLDER && !lies_in(to, from))
		rc = plan_new(p, from, to);
	else if (!rc)
		rc = plan_both(p, from, to, target);
	else
		refuse(p, rc, to, strerror(-rc));
	inode_unref(p->lake, target);
	inode_unref(p->lake, p->staging);
	p->staging = NULL;
	return rc;
}

/* ---- may the caller? ---- */

struct check {
	struct publishing *p;
	const char *from, *to;
};

static int may(int fd, int mode)
{
	return syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* The folders on the way, which the kernel asks for the right to pass. */
static int may_reach(struct lake *lake, const char *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	const char *rest = path + strcspn(path, "/");
	int start = lake->buckets_fd;
	_cleanup_close_ int fd = -1;
	struct bucket *b;

	buf_add(&name, path, (size_t)(rest - path));
	if (!lake_bucket(lake, buf_str(&name), &b) && b->fd >= 0) {
		start = b->fd;
		path = *rest ? rest + 1 : ".";
	}
	fd = openat(start, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 && errno != ENOENT ? -errno : 0;
}

/* In a folder with the sticky bit only one's own may be moved or removed. */
static int may_take(const struct caller *c, int fd, const char *name)
{
	struct stat folder, st;

	if (fstat(fd, &folder) < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return (folder.st_mode & S_ISVTX) && st.st_uid != c->uid && folder.st_uid != c->uid ? -EPERM : 0;
}

static int check_step(struct publishing *p, const struct publish_step *s)
{
	const struct caller *c = &p->actor->caller;
	int rc = may(s->m.to.fd, W_OK | X_OK);

	if (!rc && s->from)
		rc = may(s->m.from.fd, R_OK | W_OK | X_OK);
	if (!rc && s->from)
		rc = may_take(c, s->m.from.fd, s->m.name);
	if (!rc && s->m.over)
		rc = may_take(c, s->m.to.fd, s->m.to_name);
	if (!rc && s->m.inode && s->m.inode->kind == KIND_FOLDER && s->m.from.inode != s->m.to.inode) {
		/* its ".." changes */
		_cleanup_close_ int fd = openat(s->m.from.fd, s->m.name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		rc = fd < 0 ? -errno : may(fd, W_OK);
	}
	return rc;
}

static int check_all(void *arg)
{
	struct check *c = arg;
	int rc = may_reach(c->p->lake, c->from);

	if (rc)
		return refuse(c->p, rc, c->from, strerror(-rc));
	rc = may_reach(c->p->lake, c->to);
	if (rc)
		return refuse(c->p, rc, c->to, strerror(-rc));
	for (size_t i = 0; i < c->p->n && !rc; i++) {
		rc = check_step(c->p, &c->p->steps[i]);
		if (rc)
			refuse(c->p, rc, c->p->steps[i].to, strerror(-rc));
	}
	return rc;
}

int publish_check(struct publishing *p, const char *from, const char *to)
{
	struct check c = {p, from, to};

	if (p->actor->caller.uid == 0)
		return 0;
	return caller_run(&p->actor->caller, check_all, &c);
}
