#include "content/database.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/lease.h"
#include "content/outside.h"

#define HEADER "SQLite format 3" /* and its NUL */
#define PAGE_LEAST 512
#define WAL_HEADER 32
#define JOURNAL_MAGIC "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

enum { WAL, JOURNAL, SHM };
static const char *const endings[COMPANIONS] = {[WAL] = "-wal", [JOURNAL] = "-journal", [SHM] = "-shm"};

static bool ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && !strcmp(name + len - n, ending);
}

/* How long the database's name is, when NAME is like a companion's; else 0. */
static size_t base_length(const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < COMPANIONS; i++) {
		if (ends_with(name, endings[i]))
			return len - strlen(endings[i]);
	}
	return 0;
}

static bool begins_with(int fd, const char *bytes, size_t len)
{
	char head[sizeof(HEADER)];

	return pread(fd, head, len, 0) == (ssize_t)len && !memcmp(head, bytes, len);
}

/* A new one is empty until its first transaction ends. */
static bool is_database_or_empty(int folderfd, const char *name)
{
	_cleanup_close_ int fd = openat(folderfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       (!st.st_size || begins_with(fd, HEADER, sizeof(HEADER)));
}

void database_note_name(struct inode *inode, int folderfd, const char *name)
{
	size_t len = inode->kind == KIND_FILE ? base_length(name) : 0;
	char base[NAME_BYTES + 1];
	bool is = false;

	if (len) {
		snprintf(base, sizeof(base), "%.*s", (int)len, name);
		is = is_database_or_empty(folderfd, base);
	}
	SCOPED_LOCK(&inode->lock);
	inode->companion = is;
}

struct inode *database_of(struct lake *lake, struct inode *inode)
{
	char name[NAME_BYTES + 1];
	struct inode *parent = inode_parent(lake, inode, name), *found = NULL;
	_cleanup_folder_ struct folder_fd *folder = NULL;
	struct fhandle h;
	size_t len = parent ? base_length(name) : 0;

	name[len] = '\0';
	if (len && !folder_get(lake, parent, &folder) && is_database_or_empty(folder_fd(folder), name) &&
	    !fhandle_get(folder_fd(folder), name, &h))
		found = inode_find_handle(lake, inode->volume->index, &h);
	inode_unref(lake, parent);
	return found;
}

/* ---- companions ---- */

bool inode_is_database(struct lake *lake, struct inode *inode, const struct stat *st)
{
	_cleanup_close_ int fd = -1;

	if (st->st_size < PAGE_LEAST || st->st_size % PAGE_LEAST)
		return false;
	fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	return fd >= 0 && begins_with(fd, HEADER, sizeof(HEADER));
}

static int find_one(struct lake *lake, struct inode *parent, int folderfd, const char *name, bool kept,
		    struct companions *c)
{
	struct inode *found;
	struct stat st;
	int rc = outside_look_up(lake, parent, folderfd, name, &found, &st);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (found->kind != KIND_FILE) {
		inode_unref(lake, found);
		return 0;
	}
	c->kept[c->n] = kept;
	c->inode[c->n++] = found;
	return 0;
}

int companions_find(struct lake *lake, struct inode *inode, struct companions *c)
{
	char name[NAME_BYTES + 1], beside[NAME_BYTES + 1];
	_cleanup_folder_ struct folder_fd *folder = NULL;
	struct inode *parent;
	int rc;

	*c = (struct companions){0};
	parent = inode_parent(lake, inode, name);
	if (!parent)
		return 0;
	rc = folder_get(lake, parent, &folder);
	for (int i = 0; i < COMPANIONS && !rc; i++) {
		if ((size_t)snprintf(beside, sizeof(beside), "%s%s", name, endings[i]) < sizeof(beside))
			rc = find_one(lake, parent, folder_fd(folder), beside, i != SHM, c);
	}
	inode_unref(lake, parent);
	if (rc < 0)
		companions_release(lake, c);
	return rc;
}

void companions_release(struct lake *lake, struct companions *c)
{
	while (c->n)
		inode_unref(lake, c->inode[--c->n]);
}

bool companions_are_dirty(const struct companions *c)
{
	for (int i = 0; i < c->n; i++)
		if (inode_is_dirty(c->inode[i]))
			return true;
	return false;
}

/* Is there anything in it that the database needs? */
static bool is_needed(int fd, const struct stat *st, const char *name)
{
	if (ends_with(name, endings[WAL]))
		return st->st_size > WAL_HEADER;
	return begins_with(fd, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC)); /* one that is over was cleared */
}

static int look_at(struct lake *lake, struct companions *c, int i)
{
	struct inode *inode = c->inode[i];
	_cleanup_close_ int fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	char name[NAME_BYTES + 1];
	bool may_map, writers;

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&inode->lock);
	writers = inode->writers || inode->state == INODE_CHANGING;
	may_map = inode->may_map;
	c->seq[i] = inode->write_seq;
	snprintf(name, sizeof(name), "%s", inode->name ? inode->name : "");
	pthread_mutex_unlock(&inode->lock);
	if (writers || (may_map && lease_probe(fd, F_RDLCK) == -EAGAIN))
		return -EAGAIN;
	if (fstat(fd, &c->st[i]) < 0)
		return -errno;
	c->needed |= c->kept[i] && is_needed(fd, &c->st[i], name);
	return 0;
}

int companions_look(struct lake *lake, struct companions *c)
{
	int rc = 0;

	c->needed = false;
	for (int i = 0; i < c->n && !rc; i++)
		rc = look_at(lake, c, i);
	return rc;
}
