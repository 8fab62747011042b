#include "content/xattrs.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

#define LIST_MAX 65536	/* XATTR_LIST_MAX */
#define VALUE_MAX 65536 /* XATTR_SIZE_MAX */
#define NAMES_MAX (LIST_MAX / 2)
#define PATH_ROOM 40

/* The xattr calls refuse an O_PATH descriptor, but take its name in /proc. */
static const char *proc_path(int fd, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "/proc/self/fd/%d", fd);
	return path;
}

bool xattr_is_kept(const char *name)
{
	return !strncmp(name, "user.", 5) || !strcmp(name, "system.posix_acl_access") ||
	       !strcmp(name, "system.posix_acl_default");
}

bool xattrs_have_acl(int fd)
{
	char path[PATH_ROOM];

	proc_path(fd, path);
	return getxattr(path, "system.posix_acl_access", NULL, 0) > 0 ||
	       getxattr(path, "system.posix_acl_default", NULL, 0) > 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The kept names of a list, sorted. */
static size_t sort_names(char *list, size_t len, const char **names)
{
	size_t n = 0;

	for (char *name = list; name < list + len; name += strlen(name) + 1)
		if (xattr_is_kept(name))
			names[n++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	return n;
}

static void add_one(struct buf *out, const char *name, const void *value, size_t size)
{
	uint8_t len[4];

	for (int i = 0; i < 4; i++)
		len[i] = (uint8_t)(size >> (8 * i));
	buf_add(out, name, strlen(name) + 1);
	buf_add(out, len, sizeof(len));
	buf_add(out, value, size);
}

static int add_all(struct buf *out, const char *path, const char **names, size_t n)
{
	_cleanup_free_ char *value = malloc(VALUE_MAX);

	if (!value)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		ssize_t size = getxattr(path, names[i], value, VALUE_MAX);

		if (size < 0 && errno != ENODATA) /* removed since */
			return -errno;
		if (size >= 0)
			add_one(out, names[i], value, (size_t)size);
	}
	return buf_error(out);
}

/* The list of all names, in memory of its own; its length or -errno. */
static ssize_t list_all(const char *path, char **list)
{
	ssize_t len = listxattr(path, NULL, 0);

	if (len <= 0)
		return len < 0 && errno != ENOTSUP ? -errno : 0;
	*list = malloc(LIST_MAX);
	if (!*list)
		return -ENOMEM;
	len = listxattr(path, *list, LIST_MAX);
	return len < 0 ? -errno : len;
}

int xattrs_read(int fd, struct buf *out)
{
	_cleanup_free_ char *list = NULL;
	_cleanup_free_ const char **names = NULL;
	char path[PATH_ROOM];
	ssize_t len = list_all(proc_path(fd, path), &list);
	size_t n;

	if (len <= 0)
		return (int)len;
	names = calloc((size_t)len, sizeof(*names));
	if (!names)
		return -ENOMEM;
	n = sort_names(list, (size_t)len, names);
	return n ? add_all(out, path, names, n) : 0;
}

static bool has(const char *encoded, size_t len, const char *name)
{
	const char *at = encoded;
	struct xattr x;

	while (xattrs_next(&at, encoded + len, &x))
		if (!strcmp(x.name, name))
			return true;
	return false;
}

static int remove_others(const char *path, const char *encoded, size_t len)
{
	_cleanup_free_ char *list = NULL;
	ssize_t n = list_all(path, &list);
	int err = n < 0 ? (int)n : 0;

	for (char *name = list; name && name < list + n; name += strlen(name) + 1)
		if (xattr_is_kept(name) && !has(encoded, len, name) && removexattr(path, name) < 0 && !err)
			err = -errno;
	return err;
}

int xattrs_write(int fd, const void *encoded, size_t len)
{
	const char *at = encoded ? encoded : "", *end = at + len;
	char path[PATH_ROOM];
	struct xattr x;
	int err = remove_others(proc_path(fd, path), at, len);

	while (xattrs_next(&at, end, &x))
		if (setxattr(path, x.name, x.value, x.size, 0) < 0 && !err)
			err = -errno;
	return err;
}
