#include "ns/view/view_access.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "content/cloud/stub.h"
#include "content/xattrs.h"

#define ACL_BYTES 4096 /* more entries than anybody has grant nothing */
#define CLIMB_DEEP 4096

/* ---- ACLs ---- */

/* The permissions of an ACL (posix_acl_xattr.h) as a mode; false: it is none that can be understood. */
static bool acl_mode(const void *acl, size_t len, mode_t *mode)
{
	const struct posix_acl_xattr_header *head = acl;
	const struct posix_acl_xattr_entry *entries = (const void *)(head + 1);
	size_t n = len < sizeof(*head) ? 0 : (len - sizeof(*head)) / sizeof(*entries);
	unsigned owner = 0, group = 0, other = 0, mask = 7, named = 7;
	bool any = false;

	if (!n || le32toh(head->a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned bits = le16toh(entries[i].e_perm) & 7u;

		switch (le16toh(entries[i].e_tag)) {
		case 0x01: /* ACL_USER_OBJ */
			owner = bits;
			break;
		case 0x04: /* ACL_GROUP_OBJ */
			group = bits;
			break;
		case 0x10: /* ACL_MASK */
			mask = bits;
			break;
		case 0x20: /* ACL_OTHER */
			other = bits;
			break;
		default: /* ACL_USER, ACL_GROUP */
			named &= bits;
			any = true;
		}
	}
	if (any)
		named &= mask;
	*mode = owner << 6 | (group & mask & named) << 3 | (other & named);
	return true;
}

/* What the live file's ACL comes to; without one that can be read, group and other get nothing. */
static mode_t mode_by_acl(struct lake *lake, struct inode *inode, mode_t mode)
{
	/* a proxy of a stub has its ACL */
	_cleanup_close_ int fd = inode_is_stub(inode) ? stub_proxy(lake, inode) : inode_open(lake, inode, O_PATH);
	char path[40], acl[ACL_BYTES];
	mode_t by_acl;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : getxattr(path, "system.posix_acl_access", acl, sizeof(acl));
	if (n < 0 && fd >= 0 && errno == ENODATA)
		return mode & 0777; /* only a default ACL */
	return n > 0 && acl_mode(acl, (size_t)n, &by_acl) ? by_acl : mode & 0700;
}

/* ---- one node ---- */

/* What the stored ACL came to. Where a node had one that was not stored, the group's bits were its mask. */
static mode_t mode_by_stored_acl(const struct buf *encoded, mode_t mode)
{
	const char *at = encoded->data, *end = at + encoded->len;
	struct xattr x;
	mode_t by_acl;

	if (!encoded->len)
		return mode & 0707;
	while (xattrs_next(&at, end, &x))
		if (!strcmp(x.name, "system.posix_acl_access"))
			return acl_mode(x.value, x.size, &by_acl) ? by_acl : mode & 0700;
	return mode & 0777;
}

int access_at(struct lake *lake, const struct node_row *row, uint64_t commit, struct access *then)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	int rc = row->acl ? store_node_xattrs_at(lake->store, row->id, commit, &encoded) : 0;

	*then = (struct access){.node = row->id, .mode = row->mode & 0777, .uid = row->uid, .gid = row->gid};
	if (!rc && row->acl)
		then->mode = mode_by_stored_acl(&encoded, row->mode);
	return rc;
}

int access_mode_fact(struct lake *lake, const struct node_row *row, uint64_t commit, struct buf *b)
{
	struct access then;
	int rc = access_at(lake, row, commit, &then);

	if (!rc)
		buf_addf(b, "%04o", (unsigned)((row->mode & 07000) | then.mode));
	return rc;
}

static int access_of_inode(struct lake *lake, struct inode *inode, struct access *now)
{
	struct stat st;
	int rc = inode_stat(lake, inode, &st);

	if (rc < 0)
		return rc;
	*now = (struct access){inode->id, st.st_mode & 0777, st.st_uid, st.st_gid};
	if (inode->acl)
		now->mode = mode_by_acl(lake, inode, st.st_mode);
	return 0;
}

/* The row of one that is not in memory is up to date; its ACL is read from the live file. */
static int access_of_stored(struct lake *lake, const struct node_row *row, struct access *now)
{
	struct inode *inode = NULL;
	int rc = access_at(lake, row, COMMIT_LIVE, now);

	if (!rc && row->acl && row->handle.len && !inode_get(lake, row, NULL, NULL, NULL, &inode, NULL)) {
		now->mode = mode_by_acl(lake, inode, row->mode);
		inode_unref(lake, inode);
	}
	return rc;
}

/* -ESTALE: it is not in memory. */
static int access_in_memory(struct lake *lake, uint64_t node, struct access *now)
{
	struct inode *inode = inode_find(lake, node);
	int rc = inode ? access_of_inode(lake, inode, now) : -ESTALE;

	if (inode)
		inode_unref(lake, inode);
	return rc;
}

int access_of_row(struct lake *lake, const struct node_row *row, struct access *now)
{
	return access_in_memory(lake, row->id, now) ? access_of_stored(lake, row, now) : 0;
}

int access_now(struct lake *lake, uint64_t node, struct access *now)
{
	struct node_row row;
	int rc = access_in_memory(lake, node, now);

	if (!rc)
		return 0;
	rc = store_node(lake->store, node, &row);
	return rc ? rc : access_of_stored(lake, &row, now);
}

/* ---- then and now ---- */

void access_restrict(struct stat *st, const struct access *now)
{
	st->st_mode &= S_IFMT | (now->mode & 0555);
	st->st_uid = now->uid;
	st->st_gid = now->gid;
}

/* A class that may hold callers of two classes of OTHER has what both may. Who owns what was loses it to nobody. */
void access_restrict_to_other(struct stat *st, const struct access *other)
{
	mode_t owner = other->mode & 0700, group = other->mode & 070, others = other->mode & 07;
	mode_t both = others & group >> 3;

	if (other->uid != st->st_uid)
		owner = 0700;
	if (other->gid != st->st_gid) {
		group = both << 3;
		others = both;
	}
	st->st_mode &= S_IFMT | owner | group | others;
}

/* Who may not search FOLDER has nothing in it. A class that may hold both kinds of callers loses its bits. */
static void restrict_to_folder(struct stat *st, const struct access *folder)
{
	bool owner = folder->mode & 0100, group = folder->mode & 010, other = folder->mode & 01;
	bool of_owner = folder->uid == st->st_uid ? owner : group && other;
	bool of_group = folder->gid == st->st_gid ? group : group && other;

	if (!of_owner)
		st->st_mode &= ~(mode_t)0700;
	if (!of_group)
		st->st_mode &= ~(mode_t)070;
	if (!other || !group)
		st->st_mode &= ~(mode_t)07;
}

/* The folder that NODE is in, FOLDER if that is one of them, or was in at its end; 0: the root. */
static int place_now(struct lake *lake, uint64_t node, uint64_t folder, uint64_t *place)
{
	struct inode *inode = inode_find(lake, node), *parent;
	char name[NAME_BYTES + 1];
	bool known = false;

	if (inode) {
		parent = inode_parent(lake, inode, name);
		known = parent && parent->id == folder;
		inode_unref(lake, parent);
		inode_unref(lake, inode);
	}
	*place = folder;
	return known ? 0 : store_last_place(lake->store, node, folder, place);
}

int access_restrict_to_place(struct lake *lake, uint64_t node, uint64_t folder, struct stat *st)
{
	struct access now;
	uint64_t place;
	int rc = node == NODE_ROOT ? 0 : place_now(lake, node, folder, &place);

	if (rc || node == NODE_ROOT || place == folder)
		return rc;
	for (int depth = 0; !rc && place != NODE_ROOT; depth++) {
		node = place;
		rc = depth < CLIMB_DEEP ? access_now(lake, node, &now) : -ELOOP;
		if (!rc)
			restrict_to_folder(st, &now);
		if (!rc)
			rc = place_now(lake, node, 0, &place);
	}
	return rc ? rc : 1;
}

/* May anybody search a folder NOW who could not search it THEN? */
static bool was_opened(const struct access *then, const struct access *now)
{
	return then->uid != now->uid || then->gid != now->gid || (now->mode & ~then->mode & 0111);
}

/* The way to what was in a folder that is gone may not lead through it any more. */
static bool is_gone(struct lake *lake, uint64_t folder)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	uint64_t parent;

	return store_name(lake->store, folder, &parent, &name) != 0;
}

/* What its owner is allowed now is not taken back: most folders that were closed were so to others. */
static void restrict_to_past_folder(struct stat *st, const struct access *then)
{
	mode_t owner = st->st_mode & 0700;

	restrict_to_folder(st, then);
	st->st_mode |= owner;
}

int access_restrict_to_past(struct lake *lake, uint64_t node, uint64_t commit, struct stat *st)
{
	bool closed = false;
	int rc = 0;

	for (int depth = 0; !rc && node != NODE_ROOT; depth++) {
		struct access then, now;
		struct node_row row;

		rc = depth < CLIMB_DEEP ? store_place_at(lake->store, node, commit, &node) : -ELOOP;
		if (rc)
			break;
		rc = store_node_at(lake->store, node, commit, &row);
		if (!rc)
			rc = access_at(lake, &row, commit, &then);
		if (!rc)
			rc = access_now(lake, node, &now);
		if (rc || (then.mode & 0111) == 0111)
			continue;
		if (was_opened(&then, &now) || is_gone(lake, node))
			restrict_to_past_folder(st, &then);
		closed = true;
	}
	if (rc == -ENOENT) /* it had no name, as what was unlinked while it was open */
		rc = 0;
	return rc ? rc : closed;
}
