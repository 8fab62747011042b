#include "base/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tap.h"

static char dir[] = "/tmp/test-caller-XXXXXX";

static void make_file(const char *name, struct stat *st)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	close(open(path, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0666));
	if (stat(path, st) < 0)
		memset(st, 0xff, sizeof(*st));
	unlink(path);
}

static void *act_in_thread(void *arg)
{
	struct caller c = {.uid = 4321, .gid = 8765, .umask = 0077};

	caller_enter(&c);
	make_file("thread", arg);
	caller_leave();
	return NULL;
}

/* The numbers of a process are given while it lives; a child is one whose groups we choose. */
static void test_groups_of_child(void)
{
	static const gid_t wanted[] = {100, 200, 300};
	_cleanup_free_ gid_t *groups = NULL;
	struct caller c = {.uid = 4321, .gid = 8765};
	int pipes[2], n = -1;
	char byte;

	if (pipe(pipes) < 0)
		return;
	c.pid = fork();
	if (c.pid == 0) {
		if (setgroups(3, wanted) < 0 || setgid(c.gid) < 0 || setuid(c.uid) < 0)
			_exit(1);
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(pipes[1]);
	is_int(read(pipes[0], &byte, 1), 1, "a process with three groups runs");
	close(pipes[0]);
	is_int(caller_groups(&c, &groups, &n), 0, "its groups are found");
	ok(n == 3 && memcmp(groups, wanted, sizeof(wanted)) == 0, "and are the right ones");
	free(groups);
	groups = NULL;
	c.uid++;
	is_int(caller_groups(&c, &groups, &n), 0, "asked for with another uid");
	is_int(n, 0, "it has none");
	c.uid--;
	kill(c.pid, SIGKILL);
	waitpid(c.pid, NULL, 0);
	is_int(caller_groups(&c, &groups, &n), 0, "asked for when it is gone");
	is_int(n, 0, "it has none");
}

/* What the kernel lets it do in the folder that ARG names. */
static int try_folder(void *arg)
{
	return faccessat(AT_FDCWD, arg, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : (int)geteuid();
}

static int return_42(void *arg)
{
	(void)arg;
	return 42;
}

static void test_being_the_caller(void)
{
	struct caller c = {.uid = 4321, .gid = 8765}, root = {.uid = 0};

	chmod(dir, 0700);
	is_int(caller_run(&c, try_folder, dir), -EACCES, "being the caller: a closed folder is closed");
	is_int(chown(dir, 4321, 0), 0, "one's own");
	is_int(caller_run(&c, try_folder, dir), 4321, "is open");
	is_int(chown(dir, 0, 0), 0, "root's");
	is_int(caller_run(&root, try_folder, dir), 0, "is open to root");
	is_int(try_folder(dir), 0, "and this thread is who it was");
}

static void test_as_root(void)
{
	struct caller c = {.uid = 4321, .gid = 8765, .umask = 0027};
	struct rlimit limit;
	pthread_t thread;
	struct stat st;

	ok(caller_can_switch(), "root can switch");
	is_int(getgroups(0, NULL), 0, "no supplementary groups are left");
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_max++;
	ok(setrlimit(RLIMIT_NOFILE, &limit) < 0, "CAP_SYS_RESOURCE is given up");
	caller_enter(&c);
	make_file("main", &st);
	caller_leave();
	is_int(st.st_uid, 4321, "what is made has the caller's uid");
	is_int(st.st_gid, 8765, "and gid");
	is_int(st.st_mode & 0777, 0640, "and umask");
	is_int(chown(dir, 1, 1) | chmod(dir, 0), 0, "a folder that is closed to the caller");
	caller_enter(&c);
	make_file("closed", &st);
	caller_leave();
	chmod(dir, 0700);
	is_int(st.st_uid, 4321, "capabilities are kept meanwhile: it gets into a closed folder");
	umask(0022);
	caller_enter(&c);
	pthread_create(&thread, NULL, act_in_thread, &st);
	pthread_join(thread, NULL);
	is_int(st.st_mode & 0777, 0600, "a thread has its own umask");
	make_file("again", &st);
	is_int(st.st_mode & 0777, 0640, "and leaves this one's alone");
	caller_leave();
	make_file("own", &st);
	is_int(st.st_uid, 0, "left: root again");
	is_int(st.st_mode & 0777, 0644, "with its own umask");
	test_groups_of_child();
	test_being_the_caller();
}

static void test_as_user(void)
{
	struct caller c = {.uid = 4321, .gid = 8765, .umask = 0077};
	struct stat st;

	ok(!caller_can_switch(), "an ordinary user cannot switch");
	is_int(caller_run(&c, return_42, NULL), -EPERM, "nor be another");
	is_int(caller_run(&(struct caller){.uid = geteuid()}, return_42, NULL), 42, "but is itself");
	caller_enter(&c);
	make_file("user", &st);
	caller_leave();
	is_int(st.st_uid, geteuid(), "what is made is its own");
	is_int(st.st_mode & 0777, 0600, "with the caller's umask");
}

int main(void)
{
	struct caller none = {.pid = 0};
	gid_t *groups;
	int n, r;

	if (!mkdtemp(dir))
		return skip_all("no folder for temporary files");
	umask(0022);
	is_int(caller_groups(&none, &groups, &n), 0, "a caller from outside");
	ok(n == 0 && !groups, "has no groups");
	r = caller_prepare_process();
	if (r == 0)
		test_as_root();
	else
		test_as_user();
	rmdir(dir);
	return done();
}
