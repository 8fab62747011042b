/*
 * What the tests of stubs share: a lake whose cloud is a folder, and files that are sent there.
 */
#ifndef TARN_TESTS_TEST_STUB_H
#define TARN_TESTS_TEST_STUB_H

#include "content/past/past.h"
#include "content/cloud/remote.h"
#include "content/cloud/stub.h"
#include "content/xattrs.h"
#include "test_work.h"
#include "tier/key.h"

static inline void stub_settings(void)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml),
		 "hybrid_storage: {cloud_provider: dir, cloud_path: '%s', cloud_prefix: p, cloud_allow_same_disk: "
		 "true}\n"
		 "buckets: {b: {tier: local}}\n",
		 in_lake("cloud"));
	make_folder(in_lake("cloud"));
	set_settings(yaml);
}

/* As an upload ends: the object of the live version of PATH is there, and verified, where a file called KEY_PATH would
 * have it. False: it is not. */
static inline bool send_object_as(const char *path, const char *key_path)
{
	_cleanup_buf_ struct buf key = BUF_INIT;
	_cleanup_close_ int fd = open(in_lake("buckets/%s", path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct version_row v = live_version(path);
	struct tier *tier = lake_tier(lake);
	struct tier_head head;
	struct cloud_row c = {.version = v.id, .size = v.size, .stored = v.size, .state = CLOUD_VERIFIED};
	struct tier_put put = {.sha256 = v.sha256, .source = {.size = v.size, .read = tier_source_fd, .arg = &fd}};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	char bucket[256];
	const char *slash = strchr(key_path, '/');
	int rc;

	snprintf(bucket, sizeof(bucket), "%.*s", (int)(slash - key_path), key_path);
	tier_key_of_path(&key, tier_prefix(tier), bucket, slash + 1);
	put.key = buf_str(&key);
	rc = fd >= 0 && v.hashed ? tier_put(tier, &put, NULL, &head) : -ENOENT;
	tier_unref(tier);
	if (rc < 0) {
		diag("%s: %s", path, strerror(-rc));
		record_free(r);
		return false;
	}
	snprintf(c.key, sizeof(c.key), "%s", put.key);
	snprintf(c.etag, sizeof(c.etag), "%s", head.etag);
	c.hashed = true;
	memcpy(c.sha256, v.sha256, sizeof(c.sha256));
	record_cloud_set(r, &c);
	return !store_submit(lake->store, r, NULL) && !store_barrier(lake->store, 0);
}

static inline bool send_object(const char *path)
{
	return send_object_as(path, path);
}

static inline int evict(const char *path)
{
	struct inode *inode = look_up(path);
	int rc = inode ? stub_evict(lake, inode) : -ENOENT;

	inode_unref(lake, inode);
	return rc;
}

static inline int recall(const char *path)
{
	struct inode *inode = look_up(path);
	int rc = inode ? stub_recall(lake, inode, NULL) : -ENOENT;

	inode_unref(lake, inode);
	return rc;
}

/* What lies in the bucket is a placeholder, and the lake knows it. */
static inline bool is_stub(const char *path)
{
	struct inode *inode = look_up(path);
	struct stat st;
	bool stub = inode && inode_is_stub(inode);

	inode_unref(lake, inode);
	return stub && !lstat(in_lake("buckets/%s", path), &st) && S_ISLNK(st.st_mode) && node_at(path).stub;
}

static inline bool is_file(const char *path)
{
	struct inode *inode = look_up(path);
	struct stat st;
	bool file = inode && !inode_is_stub(inode);

	inode_unref(lake, inode);
	return file && !lstat(in_lake("buckets/%s", path), &st) && S_ISREG(st.st_mode) && !node_at(path).stub;
}

#endif
