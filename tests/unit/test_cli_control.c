/* The control socket with a real server, good clients and bad ones. */
#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/facts.h"
#include "tap.h"

/* Requests "slow" stay in the server while the gate is shut. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	int entered, refused;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void gate_count(int *count)
{
	pthread_mutex_lock(&gate.lock);
	(*count)++;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void gate_pass(void)
{
	gate_count(&gate.entered);
	pthread_mutex_lock(&gate.lock);
	while (!gate.open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

/* Until n requests have come to the gate or were refused. */
static void gate_wait(int n)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.entered + gate.refused < n)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void gate_open(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static int handle(void *arg, const struct ucred *peer, struct json_object *request, struct json_object *reply)
{
	const char *verb = json_text(request, "verb"), *path = json_text(request, "path");

	(void)arg;
	if (!strcmp(verb, "slow")) {
		gate_pass();
		return 0;
	}
	if (!strcmp(verb, "fail")) {
		json_object_object_add(reply, "error", json_object_new_string("it does not work"));
		return -EBUSY;
	}
	if (strcmp(verb, "status"))
		return -EOPNOTSUPP;
	json_object_object_add(reply, "uid", json_object_new_int64(peer->uid));
	if (path)
		json_object_object_add(reply, "path", json_object_new_string(path));
	return 0;
}

/* A raw connection, as bad clients make it. */
static int raw(const char *lake)
{
	struct sockaddr_un to;
	int dir = open(lake, O_PATH | O_CLOEXEC), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	control_address(&to, dir);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

/* What comes within two seconds; "" when the server only closes. */
static const char *send_raw(const char *lake, const char *bytes, size_t len)
{
	static char answer[4096];
	int fd = raw(lake);
	size_t got = 0;
	ssize_t n;

	answer[0] = '\0';
	if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
		diag("send: %s", strerror(errno));
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 2000) <= 0)
			break;
		n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	answer[got] = '\0';
	close(fd);
	return answer;
}

static void test_calls(const char *lake)
{
	struct json_object *reply, *request = json_object_new_object();
	int rc = control_ask(lake, "status", 5, &reply);

	is_int(rc, 0, "a request is answered");
	is_int(json_object_get_int64(json_object_object_get(reply, "uid")), getuid(), "the server knows who asks");
	ok(!json_object_object_get_ex(reply, "ok", NULL), "ok itself is no fact");
	json_object_put(reply);

	json_object_object_add(request, "verb", json_object_new_string("status"));
	json_object_object_add(request, "path", json_object_new_string("a\xff\nb"));
	is_int(control_call(lake, request, 5, &reply), 0, "a path that is not UTF-8");
	is_str(json_text(reply, "path"), "a\xff\nb", "comes back as it went");
	json_object_put(reply);
	json_object_put(request);

	is_int(control_ask(lake, "fail", 5, &reply), -EBUSY, "an error is the daemon's");
	is_str(json_text(reply, "error"), "it does not work", "with its words");
	json_object_put(reply);
	is_int(control_ask(lake, "nonsense", 5, &reply), -EOPNOTSUPP, "an unknown verb");
	is_str(json_text(reply, "error"), strerror(EOPNOTSUPP), "an error without words gets some");
	json_object_put(reply);
}

static void test_bad_requests(const char *lake)
{
	static char big[CONTROL_REQUEST_MAX + 10000];
	static const char nul[] = "{\"verb\": \"status\"}\0\n";

	ok(strstr(send_raw(lake, "nonsense\n", 9), "\"ok\":false") != NULL, "what is no JSON is refused");
	ok(strstr(send_raw(lake, "[]\n", 3), "\"ok\":false") != NULL, "so is an array");
	ok(strstr(send_raw(lake, "{}\n", 3), "\"ok\":false") != NULL, "and an object without a verb");
	ok(strstr(send_raw(lake, "{\"verb\": 5}\n", 12), "\"ok\":false") != NULL, "and a verb that is no text");
	ok(strstr(send_raw(lake, "{\"verb\": \"status\"} x\n", 21), "\"ok\":false") != NULL, "and more behind");
	ok(strstr(send_raw(lake, nul, sizeof(nul) - 1), "\"ok\":false") != NULL, "a NUL too");
	ok(strstr(send_raw(lake, "{\"verb\": \"status\"}\nmore\n", 24), "\"ok\":true") != NULL,
	   "a second line is not read");
	memset(big, '[', sizeof(big));
	is_str(send_raw(lake, big, sizeof(big)), "", "a request without an end is cut off");
}

static void test_silent_clients(const char *lake)
{
	struct json_object *reply;
	int silent[100], n = 0, rc;
	int64_t begin = clock_monotonic();

	while (n < 100 && (silent[n] = raw(lake)) >= 0)
		n++;
	is_int(n, 100, "a hundred clients that say nothing");
	rc = control_ask(lake, "status", 5, &reply);
	is_int(rc, 0, "do not keep another one waiting");
	json_object_put(reply);
	ok(clock_monotonic() - begin < 3 * NSEC_PER_SEC, "not even for long");
	while (n)
		close(silent[--n]);
}

static void *ask_slow(void *lake)
{
	struct json_object *reply;
	long rc = control_ask(lake, "slow", 60, &reply);

	if (rc)
		gate_count(&gate.refused);
	json_object_put(reply);
	return (void *)rc;
}

static void test_slow_requests(char *lake)
{
	pthread_t threads[12];
	struct json_object *reply;
	int fine = 0, told = 0;
	void *rc;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, ask_slow, lake);
	gate_wait(4);
	is_int(control_ask(lake, "status", 60, &reply), 0, "a request beside four slow ones does not wait for them");
	json_object_put(reply);
	for (int i = 4; i < 12; i++)
		pthread_create(&threads[i], NULL, ask_slow, lake);
	gate_wait(12);
	gate_open();
	for (int i = 0; i < 12; i++) {
		pthread_join(threads[i], &rc);
		fine += (long)rc == 0;
		told += (long)rc == -EAGAIN;
	}
	is_int(fine + told, 12, "too many at once are told to try again");
	ok(fine == 8 || fine == 7, "and eight are served, or seven beside the one before (%d)", fine);
}

/* As another user: only root can become one. */
static void test_other_user(const char *lake)
{
	int status = -1, rc, path_rc;
	struct json_object *reply, *request;
	pid_t pid;

	if (getuid() != 0) {
		skip("other users may only ask for the status", "root");
		return;
	}
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534))
			_exit(99);
		request = json_object_new_object();
		json_object_object_add(request, "verb", json_object_new_string("status"));
		rc = control_call(lake, request, 5, &reply);
		json_object_object_add(request, "path", json_object_new_string("x"));
		path_rc = control_call(lake, request, 5, &reply);
		if (rc || path_rc != -EACCES)
			_exit(1);
		_exit(control_ask(lake, "drain", 5, &reply) == -EACCES ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "other users may only ask for the status");
}

int main(void)
{
	static const char part[] = "/a-name-that-makes-the-path-longer-than-a-socket-address-can-hold-";
	char base[] = "/tmp/tarn-control-XXXXXX";
	struct control *c = NULL;
	struct json_object *reply;
	struct buf lake = BUF_INIT, cleanup = BUF_INIT;
	struct stat st;
	int fd;

	if (!mkdtemp(base) || chmod(base, 0755))
		return skip_all("a temporary folder");
	buf_adds(&lake, base);
	for (int i = 0; i < 3; i++) {
		buf_adds(&lake, part);
		mkdir(buf_str(&lake), 0755);
	}
	fd = open(buf_str(&lake), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_int(control_ask(buf_str(&lake), "status", 1, &reply), -ENOTCONN, "nobody is there yet");
	is_int(control_start(fd, handle, NULL, &c), 0, "a server starts, its path 200 bytes long");
	test_calls(buf_str(&lake));
	test_bad_requests(buf_str(&lake));
	test_silent_clients(buf_str(&lake));
	test_slow_requests(lake.data);
	test_other_user(buf_str(&lake));
	control_stop(c);
	is_int(fstatat(fd, CONTROL_SOCKET, &st, 0), -1, "the socket is gone with it");
	is_int(control_ask(buf_str(&lake), "status", 1, &reply), -ENOTCONN, "and nobody answers");
	/* as after kill -9: a socket nobody listens on */
	mknodat(fd, CONTROL_SOCKET, S_IFREG | 0600, 0);
	is_int(control_start(fd, handle, NULL, &c), 0, "what a killed one left does not matter");
	control_stop(c);
	control_stop(NULL);
	close(fd);
	buf_addf(&cleanup, "rm -rf '%s'", base);
	is_int(system(buf_str(&cleanup)), 0, "cleaned up");
	buf_release(&cleanup);
	buf_release(&lake);
	return done();
}
