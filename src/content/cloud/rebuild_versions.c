#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/cloud/frames.h"
#include "content/hash.h"
#include "content/pack/packs.h"
#include "content/cloud/rebuild_int.h"

#define PAGE 1000

/* Has the cloud the pack of the content SHA256, and those of all that it builds on? */
static bool packs_are_there(struct rebuild *r, const uint8_t *sha256)
{
	struct object_row object = {.has_base = true};
	struct cloud_row c;

	memcpy(object.base, sha256, SHA256_BYTES);
	for (int depth = 0; object.has_base; depth++)
		if (depth > PACK_DEPTH_MAX || store_object(r->store, object.base, &object) ||
		    store_cloud_of_pack(r->store, object.pack, &c))
			return false;
	return true;
}

enum version_how rebuild_kept(struct rebuild *r, const struct version_row *v)
{
	struct cloud_row c;

	if (!store_cloud_of_version(r->store, v->id, &c))
		return HOW_CLOUD;
	return v->how == HOW_PACKED && v->hashed && packs_are_there(r, v->sha256) ? HOW_PACKED : HOW_NONE;
}

struct page {
	struct rebuild *rebuild;
	uint64_t commit, version; /* of the last one seen */
	int n, rc;
};

static int note_away(void *arg, const struct pack_row *p)
{
	struct rebuild *r = arg;
	struct pack_row row = *p;
	struct cloud_row c;
	int rc = 0;

	row.volume = 0;
	if (store_cloud_of_pack(r->store, p->id, &c))
		record_pack_set(rebuild_record(r), &row);
	else
		rc = pack_record_away(r->store, rebuild_record(r), &row);
	return rc ? rc : rebuild_submit(r, false);
}

/* Packs are only in the cloud now. Others are found to be missing when the lake is mounted
 * (work/pack/pack_leftovers.c). */
static int rebuild_packs(struct rebuild *r)
{
	return store_packs(r->store, note_away, r);
}

static int look_at(void *arg, const struct version_row *v)
{
	struct page *p = arg;
	struct rebuild *r = p->rebuild;
	enum version_how how = v->size ? rebuild_kept(r, v) : v->how;

	p->n++;
	p->commit = v->end_commit;
	p->version = v->id;
	r->counts.versions++;
	if (how == v->how)
		return 0;
	if (how) {
		record_version_how(rebuild_record(r), v->id, how, 0);
	} else {
		record_version_state(rebuild_record(r), v->id, VERSION_NOT_KEPT, HOW_NONE, REBUILD_LOST);
		r->counts.versions_lost++;
		r->counts.versions_lost_bytes += v->size;
	}
	p->rc = rebuild_submit(r, false);
	return p->rc;
}

int rebuild_versions(struct rebuild *r)
{
	struct page p = {.rebuild = r};
	int rc;

	do {
		p.n = 0;
		rc = store_kept_after(r->store, p.commit, p.version, PAGE, look_at, &p);
	} while (!rc && p.n);
	if (!rc)
		rc = p.rc;
	return rc ? rc : rebuild_packs(r);
}

/* ---- the bytes of one file ---- */

static int write_out(void *arg, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = write(*(int *)arg, at, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int verify(int fd, const struct version_row *v)
{
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;
	int rc;

	if (!v->hashed)
		return 0; /* by its ETag only */
	rc = hash_fd(fd, NULL, NULL, sha256, &bytes);
	return rc ? rc : memcmp(sha256, v->sha256, sizeof(sha256)) ? -EIO : 0;
}

int rebuild_fetch(struct rebuild *r, const struct cloud_row *c, const struct version_row *v, int dirfd,
		  const char *name)
{
	static const char temp[] = ".tarn-restoring";
	_cleanup_close_ int fd = openat(dirfd, temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -errno : frames_get_whole(r->tier, c, write_out, &fd, r->call);

	if (!rc)
		rc = verify(fd, v);
	if (!rc && fdatasync(fd) < 0)
		rc = -errno;
	if (!rc && renameat(dirfd, temp, dirfd, name) < 0)
		rc = -errno;
	if (rc)
		unlinkat(dirfd, temp, 0);
	return rc;
}
