/*
 * tarn adopt: an existing folder becomes a bucket by one rename, whatever its size. Nothing is recorded here; the scan
 * that follows the next mount finds the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/lock.h"
#include "cli/mounts.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "content/lake.h"
#include "meta/store.h"

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

static int check_folder(const char *given, char **dir)
{
	struct stat st;
	int rc;

	/* path_resolve() follows a link: what would be renamed then is not what was named. */
	if (!lstat(given, &st) && S_ISLNK(st.st_mode)) {
		say("%s: a symbolic link (name the folder itself)", given);
		return -ENOTDIR;
	}
	rc = path_resolve(given, dir);
	if (!rc && stat(*dir, &st) < 0)
		rc = -errno;
	if (rc) {
		say("%s: %s", given, strerror(-rc));
		return rc;
	}
	if (!S_ISDIR(st.st_mode)) {
		say("%s: not a folder (copy files into a bucket instead)", given);
		return -ENOTDIR;
	}
	if (!lake_check(*dir)) {
		say("%s: is a lake itself (`tarn mount` it)", *dir);
		return -EINVAL;
	}
	return 0;
}

static int check_bucket_name(const char *name)
{
	if (!name[0] || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > NAME_BYTES) {
		say("%s: not a name for a bucket (one folder name of at most %d bytes)", name, NAME_BYTES);
		return -EINVAL;
	}
	if (bucket_name_reserved(name)) {
		say("%s: a name that tarn uses itself (choose another: tarn adopt DIR BUCKET)", name);
		return -EINVAL;
	}
	return 0;
}

/* The lake's lock, which a mounted lake's daemon holds. */
static int lock_unmounted(const char *lake, const char *dir, int *lock)
{
	_cleanup_buf_ struct buf from = BUF_INIT;
	int rc;

	*lock = lake_lock(lake, 0);
	if (*lock >= 0)
		return 0;
	rc = *lock;
	shell_word(&from, dir);
	if (rc == -EWOULDBLOCK)
		say("%s: is mounted, a folder cannot be moved in behind it (`tarn umount` it first, or copy: cp -a %s "
		    "to the mount)",
		    lake, buf_str(&from));
	else
		say("%s: %s", lake, strerror(-rc));
	return rc;
}

static void say_why(int error, const char *lake, const char *dir, const char *name)
{
	_cleanup_buf_ struct buf word = BUF_INIT;

	shell_word(&word, dir);
	switch (error) {
	case EXDEV:
		say("%s: on another file system than %s, so it cannot be moved in at once (leave it there: `tarn "
		    "bucket "
		    "set %s path=%s`, or mount the lake and copy it)",
		    dir, lake, name, buf_str(&word));
		break;
	case EEXIST:
	case ENOTEMPTY:
		say("%s: there is a bucket of this name already (choose another: `tarn adopt %s BUCKET`)", name,
		    buf_str(&word));
		break;
	case EBUSY:
		say("%s: a mount point, which cannot be moved (adopt the folders in it, or `tarn bucket set %s "
		    "path=%s`)",
		    dir, name, buf_str(&word));
		break;
	default:
		say("%s: cannot be moved to %s/buckets: %s", dir, lake, strerror(error));
	}
}

static int sync_folder(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int move_in(const char *lake, const char *dir, const char *name)
{
	_cleanup_buf_ struct buf buckets = BUF_INIT, to = BUF_INIT;

	buf_addf(&buckets, "%s/buckets", lake);
	buf_addf(&to, "%s/%s", buf_str(&buckets), name);
	if (buf_error(&buckets) || buf_error(&to))
		return -ENOMEM;
	if (renameat2(AT_FDCWD, dir, AT_FDCWD, buf_str(&to), RENAME_NOREPLACE) < 0) {
		int error = errno;

		say_why(error, lake, dir, name);
		return -error;
	}
	sync_folder(buf_str(&buckets));
	printf("adopted %s as bucket %s: %s\n", dir, name, buf_str(&to));
	printf("its files are recorded after the next `tarn mount`\n");
	return 0;
}

static int adopt(const char *lake, const char *given, const char *name)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_close_ int lock = -1;
	int rc = check_folder(given, &dir);

	if (rc)
		return rc;
	name = name ? name : strrchr(dir, '/') + 1;
	rc = check_bucket_name(name);
	if (rc)
		return rc;
	if (lies_in(dir, lake) || lies_in(lake, dir)) {
		say("%s: %s the lake %s", dir, lies_in(dir, lake) ? "is already inside" : "contains", lake);
		return -EINVAL;
	}
	rc = lock_unmounted(lake, dir, &lock);
	if (rc)
		return rc;
	rc = unmount_dead(lake); /* a killed daemon's mount would be in the way */
	if (rc < 0) {
		say("%s: what a killed daemon left mounted is in the way: %s", lake, strerror(-rc));
		return rc;
	}
	return move_in(lake, dir, name);
}

static int run_adopt(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"lake", required_argument, NULL, 'l'}, {0}};
	_cleanup_free_ char *lake = NULL;
	const char *given = NULL;
	int c, n;

	while ((c = verb_option(v, argc, argv, "l:", options)) != -1)
		given = optarg;
	n = verb_arguments(v, argc, argv, 1, 2);
	if (given ? lake_given(given, &lake) : lake_around(NULL, &lake))
		return EXIT_FAILED;
	return adopt(lake, argv[optind], n > 1 ? argv[optind + 1] : NULL) < 0 ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_adopt = {
	.name = "adopt",
	.args = "DIR [BUCKET] [--lake LAKE]",
	.summary = "take an existing folder into a lake, at once",
	.details =
		"Moves the folder DIR into the lake as a bucket, by one rename: no byte is\n"
		"copied, however large it is. DIR must lie on the lake's file system, and the\n"
		"lake must not be mounted. The bucket is called as the folder, or BUCKET.\n"
		"\n"
		"A folder on another file system can stay where it is: `tarn bucket set NAME\n"
		"path=DIR`.\n"
		"\n"
		"options:\n"
		"  -l, --lake LAKE  the lake; without it the one around the current folder\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn adopt /data/sensors --lake /data/lake\n"
		"  cd /data/lake && tarn adopt /data/2024 measurements\n",
	.run = run_adopt,
};
