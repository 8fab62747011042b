#include "cli/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/unmount.h"

/* The kernel writes space, tab, newline and backslash as \ooo. */
static char *unescape(const char *s)
{
	char *out = malloc(strlen(s) + 1), *to = out;

	if (!out)
		return NULL;
	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	return out;
}

static void entry_release(struct mount_entry *e)
{
	free(e->root);
	free(e->point);
	free(e->type);
	free(e->source);
}

/* "36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw": 1 parsed, 0 not of the form, -ENOMEM. */
static int parse_line(char *line, struct mount_entry *e)
{
	char *fields[9] = {NULL}, *rest = line, *word;
	int n = 0;
	bool tail = false;

	line[strcspn(line, "\n")] = '\0';
	while (n < 8 && (word = strsep(&rest, " "))) {
		if (n < 5)
			fields[n++] = word;
		else if (tail)
			fields[n++] = word;
		else if (!strcmp(word, "-"))
			tail = true;
	}
	if (n < 7)
		return 0;
	e->device = fields[2][strcspn(fields[2], ":")] ? (unsigned)atoi(strchr(fields[2], ':') + 1) : 0;
	e->root = unescape(fields[3]);
	e->point = unescape(fields[4]);
	e->type = unescape(fields[5]);
	e->source = unescape(fields[6]);
	if (e->root && e->point && e->type && e->source)
		return 1;
	entry_release(e);
	return -ENOMEM;
}

int mounts_parse(FILE *f, struct mounts *out)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	*out = (struct mounts){0};
	while (getline(&line, &room, f) >= 0) {
		struct mount_entry e = {0}, *grown;
		int rc = parse_line(line, &e);

		if (!rc)
			continue;
		grown = rc > 0 ? reallocarray(out->list, (size_t)out->n + 1, sizeof(e)) : NULL;
		if (!grown) {
			if (rc > 0)
				entry_release(&e);
			mounts_release(out);
			return -ENOMEM;
		}
		out->list = grown;
		out->list[out->n++] = e;
	}
	if (ferror(f)) {
		mounts_release(out);
		return -EIO;
	}
	return 0;
}

int mounts_load(struct mounts *out)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");

	*out = (struct mounts){0};
	return f ? mounts_parse(f, out) : -errno;
}

void mounts_release(struct mounts *m)
{
	for (int i = 0; i < m->n; i++)
		entry_release(&m->list[i]);
	free(m->list);
	*m = (struct mounts){0};
}

bool mount_is_tarn(const struct mount_entry *e)
{
	return !strcmp(e->type, "fuse.tarn");
}

bool mount_is_view(const struct mount_entry *e)
{
	return !strcmp(e->type, "fuse.tarn-view");
}

static bool lies_in(const char *path, const char *point)
{
	size_t len = strlen(point);

	if (!strcmp(point, "/"))
		return true;
	return !strncmp(path, point, len) && (path[len] == '/' || !path[len]);
}

const struct mount_entry *mounts_at(const struct mounts *m, const char *path)
{
	const struct mount_entry *best = NULL;

	for (int i = 0; i < m->n; i++) {
		const struct mount_entry *e = &m->list[i];

		if (lies_in(path, e->point) && (!best || strlen(e->point) >= strlen(best->point)))
			best = e;
	}
	return best;
}

const struct mount_entry *mounts_of_lake(const struct mounts *m, const char *lake)
{
	for (int i = m->n - 1; i >= 0; i--) {
		if (mount_is_tarn(&m->list[i]) && !strcmp(m->list[i].source, lake))
			return &m->list[i];
	}
	return NULL;
}

const struct mount_entry *mounts_any_of_lake(const struct mounts *m, const char *lake)
{
	for (int i = m->n - 1; i >= 0; i--) {
		const struct mount_entry *e = &m->list[i];

		if ((mount_is_tarn(e) || mount_is_view(e)) && !strcmp(e->source, lake))
			return e;
	}
	return NULL;
}

bool mount_is_dead(const struct mount_entry *e)
{
	struct statfs fs;

	/* Not stat(2): the kernel answers that from its cache, for as long as the daemon once said. */
	return statfs(e->point, &fs) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

/* By the file that its owner may write, where that file system is mounted; else as `umount -f` does. */
int mount_abort(const struct mount_entry *e)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", e->device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) == 1)
		return 0;
	return !umount2(e->point, UMOUNT_NOFOLLOW | MNT_FORCE) || errno == EBUSY ? 0 : -errno;
}

int unmount_dead(const char *lake)
{
	struct mounts m;
	int rc = mounts_load(&m), n = 0;

	for (int i = m.n - 1; !rc && i >= 0; i--) {
		const struct mount_entry *e = &m.list[i];

		if ((!mount_is_tarn(e) && !mount_is_view(e)) || strcmp(e->source, lake) || !mount_is_dead(e))
			continue;
		rc = unmount(e->point, true);
		n++;
	}
	mounts_release(&m);
	return rc ? rc : n;
}
