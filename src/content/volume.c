#include "content/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fhandle.h"

/*
 * ext4 puts new folders near the one that they are in, new files near their folder, and passes over each inode that was
 * given back less than 5 s ago. Where thousands of placeholders are made in a second, in the place of as many files
 * that go (content/cloud/stub_evict.c), that takes three times as long as all else. With this flag (chattr(1): T) the
 * folders are spread over the disk.
 */
static void spread(int versionsfd)
{
	unsigned int flags = 0;

	if (ioctl(versionsfd, FS_IOC_GETFLAGS, &flags) < 0 || (flags & FS_TOPDIR_FL))
		return;
	flags |= FS_TOPDIR_FL;
	ioctl(versionsfd, FS_IOC_SETFLAGS, &flags);
}

static int make_fan(int versionsfd)
{
	char name[3];

	spread(versionsfd);
	for (int i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "%02x", i);
		if (mkdirat(versionsfd, name, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int open_packs(int versionsfd)
{
	if (!mkdirat(versionsfd, "packs", 0700))
		fsync(versionsfd);
	else if (errno != EEXIST)
		return -1;
	return openat(versionsfd, "packs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int volume_open(int index, int rootfd, int versionsfd, struct volume **out)
{
	_cleanup_close_ int owned = versionsfd;
	_cleanup_close_ int mountfd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct volume *v;
	struct stat st;
	int rc;

	if (mountfd < 0 || fstat(mountfd, &st) < 0)
		return -errno;
	rc = make_fan(versionsfd);
	if (rc < 0)
		return rc;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->index = index;
	v->cachefd = -1;
	v->packsfd = open_packs(owned);
	v->dev = st.st_dev;
	v->handles = fhandle_usable(mountfd);
	v->mountfd = steal_fd(&mountfd);
	v->versionsfd = steal_fd(&owned);
	*out = v;
	return 0;
}

static int read_id(int versionsfd, char id[VOLUME_ID_LEN + 1])
{
	_cleanup_close_ int fd = openat(versionsfd, "volume", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, id, VOLUME_ID_LEN);
	if (n < 0)
		return -errno;
	id[n] = '\0';
	return n == VOLUME_ID_LEN && strspn(id, "0123456789abcdef") == VOLUME_ID_LEN ? 0 : -EUCLEAN;
}

int volume_identify(int versionsfd, char id[VOLUME_ID_LEN + 1])
{
	_cleanup_close_ int fd = -1;
	uint8_t bytes[VOLUME_ID_LEN / 2];
	int rc = read_id(versionsfd, id);

	if (rc != -ENOENT)
		return rc;
	clock_source.random(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	fd = openat(versionsfd, "volume", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, id, VOLUME_ID_LEN) != VOLUME_ID_LEN || fsync(fd) < 0)
		return -errno;
	return 0;
}

void volume_close(struct volume *v)
{
	if (!v)
		return;
	close(v->mountfd);
	close(v->versionsfd);
	if (v->packsfd >= 0)
		close(v->packsfd);
	if (v->cachefd >= 0)
		close(v->cachefd);
	free(v);
}

static void name_with(uint64_t node, uint64_t version, const char *suffix, char name[VERSION_NAME_MAX])
{
	snprintf(name, VERSION_NAME_MAX, "%02x/%" PRIx64 ".%" PRIx64 "%s", (unsigned)(node & 0xff), node, version,
		 suffix);
}

void version_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX])
{
	name_with(node, version, "", name);
}

void undo_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX])
{
	name_with(node, version, ".undo", name);
}

void copy_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX])
{
	name_with(node, version, ".copy", name);
}

void stub_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX])
{
	name_with(node, version, ".stub", name);
}

void recall_name(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX])
{
	name_with(node, version, ".recall", name);
}

bool staged_name_parse(const char *name, uint64_t *node, uint64_t *version, enum staged_kind *kind)
{
	int end = 0;

	if (sscanf(name, "%" SCNx64 ".%" SCNx64 "%n", node, version, &end) != 2)
		return false;
	*kind = !strcmp(name + end, ".stub") ? STAGED_STUB : STAGED_RECALL;
	return *kind == STAGED_STUB || !strcmp(name + end, ".recall");
}

bool version_file_parse(const char *name, uint64_t *node, uint64_t *version)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 ".%" SCNx64 "%n", node, version, &end) == 2 &&
	       (!name[end] || !strcmp(name + end, ".undo") || !strcmp(name + end, ".copy"));
}

bool version_name_parse(const char *name, uint64_t *node, uint64_t *version)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 ".%" SCNx64 "%n", node, version, &end) == 2 && !name[end];
}
