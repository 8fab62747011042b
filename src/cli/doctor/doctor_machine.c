#include "cli/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/human.h"
#include "cli/mount_options.h"

#define FILES_WANTED 4096
#define CLOCK_EARLIEST INT64_C(1704067200) /* 2024-01-01: no tarn is older */

static void check_dev_fuse(struct doctor *d)
{
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		doctor_add(d, HEALTH_OK, "/dev/fuse", "", "", "can be opened");
	else if (errno == EACCES || errno == EPERM)
		doctor_add(d, HEALTH_ERROR, "/dev/fuse", "this user cannot mount anything",
			   "run `chmod 666 /dev/fuse` as root; a container must be given the device", "%m");
	else
		doctor_add(d, HEALTH_ERROR, "/dev/fuse", "nothing can be mounted",
			   "run `modprobe fuse` as root; start a container with --device /dev/fuse", "%m");
}

/* The program NAME in PATH. */
static bool find_program(const char *name, struct stat *st, struct buf *found)
{
	const char *path = getenv("PATH");

	for (path = path ? path : "/usr/bin:/bin"; *path; path += *path == ':') {
		size_t len = strcspn(path, ":");

		buf_clear(found);
		buf_addf(found, "%.*s/%s", (int)len, path, name);
		if (!stat(buf_str(found), st) && S_ISREG(st->st_mode) && !access(buf_str(found), X_OK))
			return true;
		path += len;
	}
	return false;
}

static void check_fusermount(struct doctor *d)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	bool root = geteuid() == 0;
	struct stat st;

	if (!find_program("fusermount3", &st, &path))
		doctor_add(d, root ? HEALTH_WARNING : HEALTH_ERROR, "fusermount3", "ordinary users cannot mount",
			   "install the package fuse3", "not found");
	else if (!(st.st_mode & S_ISUID) || st.st_uid != 0)
		doctor_add(d, root ? HEALTH_WARNING : HEALTH_ERROR, "fusermount3", "ordinary users cannot mount",
			   "run `chmod u+s` on it as root, or reinstall the package fuse3", "%s does not run as root",
			   buf_str(&path));
	else
		doctor_add(d, HEALTH_OK, "fusermount3", "", "", "%s", buf_str(&path));
}

static bool has_capability(int cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

static void check_passthrough(struct doctor *d)
{
	int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%d.%d", &major, &minor) != 2) {
		doctor_add(d, HEALTH_WARNING, "passthrough", "it is not known whether the kernel can do it", "",
			   "kernel of unknown version");
		return;
	}
	if (major < 6 || (major == 6 && minor < 9))
		doctor_add(d, HEALTH_WARNING, "passthrough",
			   "reads and writes go through the daemon: all works, several times slower",
			   "kernel 6.9 or later lets the kernel read and write local files itself", "no: kernel %s",
			   u.release);
	else if (!has_capability(CAP_SYS_ADMIN))
		doctor_add(d, HEALTH_WARNING, "passthrough",
			   "it needs CAP_SYS_ADMIN: without it reads and writes go through the daemon, all works, "
			   "several times slower",
			   "mount as root where that matters", "no: not as this user (kernel %s can)", u.release);
	else
		doctor_add(d, HEALTH_OK, "passthrough", "", "", "possible: kernel %s, CAP_SYS_ADMIN", u.release);
}

static void check_user(struct doctor *d)
{
	if (geteuid() == 0)
		return;
	doctor_add(d, HEALTH_OK, "ordinary user",
		   "a mount by this user has no passthrough, opens by path instead of by handle, takes a file as "
		   "settled when it was quiet for 60 s, and creates everything as this user",
		   fuse_conf_user_allow_other(NULL) ? ""
						    : "for -o allow_other root adds user_allow_other to /etc/fuse.conf",
		   "uid %d", (int)geteuid());
}

static void check_files_limit(struct doctor *d)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	if (r.rlim_max < FILES_WANTED)
		doctor_add(d, HEALTH_WARNING, "open files", "programs that hold many files open may get EMFILE",
			   "raise the hard limit: nofile in /etc/security/limits.conf, LimitNOFILE= in a systemd unit",
			   "hard limit %llu, %d are advised", (unsigned long long)r.rlim_max, FILES_WANTED);
	else if (r.rlim_max == RLIM_INFINITY)
		doctor_add(d, HEALTH_OK, "open files", "", "", "no hard limit");
	else
		doctor_add(d, HEALTH_OK, "open files", "", "", "hard limit %llu", (unsigned long long)r.rlim_max);
}

static void check_clock(struct doctor *d)
{
	_cleanup_buf_ struct buf now = BUF_INIT;

	human_time(&now, clock_wall());
	if (clock_wall() / NSEC_PER_SEC < CLOCK_EARLIEST)
		doctor_add(d, HEALTH_ERROR, "clock", "versions would get wrong times, and history would expire wrongly",
			   "set the clock, and let systemd-timesyncd or chrony keep it", "%s is too early",
			   buf_str(&now));
	else
		doctor_add(d, HEALTH_OK, "clock", "", "", "%s", buf_str(&now));
}

void doctor_machine(struct doctor *d)
{
	check_dev_fuse(d);
	check_fusermount(d);
	check_passthrough(d);
	check_user(d);
	check_files_limit(d);
	check_clock(d);
}
