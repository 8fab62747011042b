/* The helper that looks into files: what it says, what it may not do, and that losing it loses nothing. */
#include "sniff/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "sniff/sandbox.h"
#include "tap.h"

/* A file with TEXT, which has no name any more. */
static int file_of(const char *text)
{
	char path[] = "/tmp/tarn-worker-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0 || unlink(path) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	return fd;
}

static void is_mime(struct worker *w, const char *name, const char *text, const char *mime)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of(text);
	int rc = worker_describe(w, fd, name, WORKER_MIME_ONLY, NULL, NULL, &d);

	ok(!rc && d.mime && !strcmp(d.mime, mime), "%s is %s (%d, %s)", name, mime, rc, d.mime ? d.mime : "nothing");
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

/* ---- what it may not do ---- */

/* The line KEY of a file in its folder of /proc. */
static const char *fact(struct worker *w, const char *file, const char *key)
{
	static char line[256];
	char path[64];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/%s", worker_pid(w), file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			return line + strlen(key);
	return "nothing";
}

static void is_confined(struct worker *w)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("x");

	worker_describe(w, fd, "a.txt", WORKER_MIME_ONLY, NULL, NULL, &d);
	is_int(atoi(fact(w, "status", "NoNewPrivs:")), 1, "it gets no new privileges");
	is_int(atoi(fact(w, "status", "Seccomp:")), 2, "and few system calls");
	is_int(strtol(fact(w, "status", "CapEff:"), NULL, 16), 0, "no capabilities");
	if (geteuid())
		ok(atoi(fact(w, "status", "Uid:")) == (int)geteuid(), "it is who started it");
	else
		is_int(atoi(fact(w, "status", "Uid:")), 65534, "it is nobody");
	ok(sandbox_is_relaxed() || !atoi(fact(w, "limits", "Max file size")), "it can write no file");
}

/* What SQLite asks for is not refused. */
static void reads_database(struct worker *w)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("");
	unsigned char *bytes;
	sqlite3_int64 len = 0;
	sqlite3 *db = NULL;

	if (sqlite3_open(":memory:", &db) || sqlite3_exec(db, "CREATE TABLE t(a INT)", NULL, NULL, NULL))
		exit(1);
	bytes = sqlite3_serialize(db, "main", &len, 0);
	if (!bytes || pwrite(fd, bytes, (size_t)len, 0) != len)
		exit(1);
	sqlite3_free(bytes);
	sqlite3_close(db);
	worker_describe(w, fd, "a.db", 0, NULL, NULL, &d);
	ok(d.ntables == 1 && !d.tables[0].rows && !d.unreadable, "a database is read in it (%s)", d.unreadable);
}

/* ---- losing it ---- */

static void is_replaced(struct worker *w)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("{}");
	pid_t before = worker_pid(w);

	kill(before, SIGKILL);
	waitid(P_PID, (id_t)before, NULL, WEXITED | WNOWAIT);
	worker_describe(w, fd, "b.json", 0, NULL, NULL, &d);
	ok(d.mime && !strcmp(d.mime, "application/json") && !d.unreadable, "one that has died is no fault of the file");
	ok(worker_pid(w) && worker_pid(w) != before, "another one took over");
}

static void *stop_it(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	usleep(50000);
	kill(pid, SIGKILL);
	return NULL;
}

/* One that dies of a file: it is stopped, so that it has the file in hand when it does. */
static void is_survived(struct worker *w)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("a,b\n1,2\n");
	pid_t pid = worker_pid(w);
	pthread_t killer;
	int rc;

	kill(pid, SIGSTOP);
	pthread_create(&killer, NULL, stop_it, &pid);
	rc = worker_describe(w, fd, "c.csv", 0, NULL, NULL, &d);
	pthread_join(killer, NULL);
	is_int(rc, 0, "a file that its reader dies of");
	ok(d.unreadable && strstr(d.unreadable, "signal 9"), "is unreadable (%s)", d.unreadable);
	is_str(d.mime, "text/csv", "but of a type");
	is_mime(w, "d.json", "{}", "application/json");
}

static void is_stopped(struct worker *w)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("x");

	is_int(worker_describe(w, fd, "a.txt", 0, at_once, NULL, &d), -ECANCELED, "it can be stopped");
	is_int(worker_pid(w), 0, "then it is gone");
	is_mime(w, "a.json", "{}", "application/json");
}

static void is_missing(void)
{
	struct worker *w;
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = file_of("x");

	worker_program = "/nonexistent/tarn";
	w = worker_new();
	is_int(worker_describe(w, fd, "a.txt", 0, NULL, NULL, &d), -ENOENT, "without a program there is an error");
	worker_program = "/bin/false";
	is_int(worker_describe(w, fd, "a.txt", 0, NULL, NULL, &d), -EPIPE, "as with one that ends at once");
	worker_free(w);
}

int main(void)
{
	struct worker *w;

	worker_program = getenv("TARN");
	if (!worker_program) {
		puts("1..0 # skip no $TARN");
		return 0;
	}
	log_open("/dev/null"); /* what is logged here is expected */
	w = worker_new();
	is_int(worker_pid(w), 0, "nothing runs before there is a file");
	is_mime(w, "a.csv", "a,b\n1,2\n", "text/csv");
	is_mime(w, "an-image.csv", "GIF89a\1\1\1\1", "image/gif");
	is_mime(w, "empty", "", "inode/x-empty");
	is_confined(w);
	reads_database(w);
	is_replaced(w);
	is_survived(w);
	is_stopped(w);
	worker_free(w);
	is_missing();
	return done();
}
