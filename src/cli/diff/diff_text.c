/*
 * Text: diff(1) of diffutils says it, for it is everywhere, everybody can read its answer, and patch(1) takes it.
 */
#include "cli/diff/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/human.h"

extern char **environ;

void diff_label(struct buf *b, const struct diff_side *s)
{
	human_name(b, s->path);
	buf_addc(b, '\t');
	human_time(b, s->st.st_mtim.tv_sec * NSEC_PER_SEC + s->st.st_mtim.tv_nsec);
}

/* OUT: where it prints; -1: our own standard output. Its pid or -errno. */
static pid_t start(char *const argv[], int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int rc = -posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	if (out >= 0)
		rc = -posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	fflush(NULL);
	if (!rc)
		rc = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		say("diff: %s", strerror(-rc));
	return rc ? rc : pid;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return DIFF_TROUBLE;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) <= DIFF_DIFFERENT ? WEXITSTATUS(status) : DIFF_TROUBLE;
}

static int print(const struct diff_side *a, const struct diff_side *b)
{
	_cleanup_buf_ struct buf from = BUF_INIT, to = BUF_INIT;
	char *argv[] = {"diff", "-a", "-u", "--color=auto", "--label", NULL, "--label", NULL, "--", NULL, NULL, NULL};
	pid_t pid;

	diff_label(&from, a);
	diff_label(&to, b);
	argv[5] = (char *)buf_str(&from);
	argv[7] = (char *)buf_str(&to);
	argv[9] = (char *)a->path;
	argv[10] = (char *)b->path;
	pid = start(argv, -1);
	return pid < 0 ? DIFF_TROUBLE : wait_for(pid);
}

/* Lines that begin with < and > in the plainest of diff's formats. */
static void count_lines(FILE *f, int64_t *removed, int64_t *added)
{
	bool first = true;
	int c;

	while ((c = getc(f)) != EOF) {
		if (first) {
			*removed += c == '<';
			*added += c == '>';
		}
		first = c == '\n';
	}
}

static int count(const struct diff_side *a, const struct diff_side *b, struct json_object *facts)
{
	char *argv[] = {"diff", "-a", "--", (char *)a->path, (char *)b->path, NULL};
	_cleanup_close_ int in = -1, out = -1;
	_cleanup_fclose_ FILE *f = NULL;
	int64_t removed = 0, added = 0;
	int ends[2], code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return DIFF_TROUBLE;
	in = ends[0];
	out = ends[1];
	f = fdopen(in, "r");
	if (!f)
		return DIFF_TROUBLE;
	steal_fd(&in);
	pid = start(argv, out);
	if (pid < 0)
		return DIFF_TROUBLE;
	close(steal_fd(&out));
	count_lines(f, &removed, &added);
	code = wait_for(pid);
	json_object_object_add(facts, "kind", json_object_new_string("text"));
	json_object_object_add(facts, "lines_removed", json_object_new_int64(removed));
	json_object_object_add(facts, "lines_added", json_object_new_int64(added));
	return code;
}

int diff_text(const struct diff_side *a, const struct diff_side *b, struct json_object *facts)
{
	return facts ? count(a, b, facts) : print(a, b);
}
