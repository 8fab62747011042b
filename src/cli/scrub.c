/* tarn scrub: reads all that a lake keeps and compares it with the checksums that it had. The daemon does it, a step at
 * a time, and of a lake that is not mounted this program; each step ends with how far it is on the disk. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/daemon/daemon_fsck.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/offline.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define WAIT_SECONDS (24 * 3600) /* a step ends when a large file was read */
#define RATE_MIB 200

/* As those of fsck. */
enum { FOUND_NOTHING = 0, FOUND_REPAIRED = 1, FOUND_DAMAGED = 4, FOUND_NOT_KNOWN = 8 };

static _Atomic bool interrupted;

static void interrupt(int signal)
{
	(void)signal;
	atomic_store(&interrupted, true);
}

static long long number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

/* ---- how far it is ---- */

static void show(struct json_object *reply)
{
	_cleanup_buf_ struct buf size = BUF_INIT;
	const char *phase = json_text(reply, "phase");

	if (!isatty(STDERR_FILENO))
		return;
	human_size(&size, (uint64_t)number(reply, "bytes"));
	fprintf(stderr, "\r\033[K%s: %lld contents, %s read, %lld damaged, %lld repaired", phase ? phase : "",
		number(reply, "contents"), buf_str(&size), number(reply, "damaged"), number(reply, "repaired"));
	fflush(stderr);
}

static void hide(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void print_findings(struct json_object *reply)
{
	struct json_object *list = json_object_object_get(reply, "findings");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *place = json_text(o, "place"), *what = json_text(o, "what"), *state = json_text(o, "state"),
			   *remedy = json_text(o, "remedy");
		bool repaired = state && !strcmp(state, "repaired");

		hide();
		say("%s: %s: %s", place ? place : "?", what ? what : "?",
		    repaired && remedy ? remedy : "it stays as it is");
	}
}

/* ---- steps ---- */

/* Of an unmounted lake, which is opened only once: all steps. */
static int answer(struct lake *lake, struct json_object *request, struct json_object *reply)
{
	int rc;

	do {
		_cleanup_json_ struct json_object *one = json_object_new_object();

		rc = daemon_answer_scrub(lake, NULL, &interrupted, request, one);
		json_object_object_add(request, "anew", json_object_new_boolean(false));
		print_findings(one);
		if (!rc)
			show(one);
		json_object_object_del(one, "findings");
		json_object_object_foreach(one, key, value) json_object_object_add(reply, key, json_object_get(value));
	} while (!rc && !json_flag(reply, "done") && !json_flag(request, "look") && !atomic_load(&interrupted));
	return rc;
}

/* The daemon's: until it is done. */
static int run_steps(const char *lake, struct json_object *request, struct json_object **reply)
{
	int rc;

	do {
		json_object_put(*reply);
		*reply = NULL;
		rc = offline_call(lake, request, WAIT_SECONDS, answer, reply);
		json_object_object_add(request, "anew", json_object_new_boolean(false));
		if (*reply)
			print_findings(*reply);
		if (!rc)
			show(*reply);
	} while (!rc && !json_flag(*reply, "done") && !json_flag(request, "look") && !atomic_load(&interrupted));
	hide();
	if (rc && !atomic_load(&interrupted))
		say("%s: %s", lake, *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc == -ECANCELED ? 0 : rc;
}

static void print(struct json_object *reply, bool look)
{
	struct json_object *list = json_object_object_get(reply, "list");
	_cleanup_buf_ struct buf size = BUF_INIT;
	const char *last = json_text(reply, "last");

	for (size_t i = 0; look && i < json_object_array_length(list); i++)
		puts(json_object_get_string(json_object_array_get_idx(list, i)));
	human_size(&size, (uint64_t)number(reply, "bytes"));
	printf("%s: %lld contents, %s read, %lld damaged, %lld repaired\n",
	       json_flag(reply, "done") ? "done" : "not done yet", number(reply, "contents"), buf_str(&size),
	       number(reply, "damaged"), number(reply, "repaired"));
	if (look)
		printf("the last one ended: %s\n", last ? last : "never");
	else if (!json_flag(reply, "done"))
		puts("the next `tarn scrub` goes on here");
}

static struct json_object *request_of(bool anew, bool cloud, bool look, int64_t rate)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "verb", json_object_new_string("scrub"));
	json_object_object_add(request, "anew", json_object_new_boolean(anew));
	json_object_object_add(request, "cloud", json_object_new_boolean(cloud));
	json_object_object_add(request, "look", json_object_new_boolean(look));
	json_object_object_add(request, "rate", json_object_new_int64(rate));
	return request;
}

static int finish(const char *lake, struct json_object *request, bool json)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = run_steps(lake, request, &reply);

	if (rc)
		return rc == -EAGAIN || rc == -EBUSY || rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : FOUND_NOT_KNOWN;
	json_object_object_del(reply, "findings");
	if (json && json_print(reply))
		return FOUND_NOT_KNOWN;
	if (!json)
		print(reply, json_flag(request, "look"));
	return (number(reply, "repaired") ? FOUND_REPAIRED : 0) | (number(reply, "damaged") ? FOUND_DAMAGED : 0) |
	       (json_flag(reply, "done") || json_flag(request, "look") ? FOUND_NOTHING : FOUND_NOT_KNOWN);
}

enum { OPTION_CLOUD = OPTION_FIRST, OPTION_AGAIN, OPTION_STATUS };

static int run_scrub(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"again", no_argument, NULL, OPTION_AGAIN},   {"cloud", no_argument, NULL, OPTION_CLOUD},
		{"status", no_argument, NULL, OPTION_STATUS}, {"rate", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, OPTION_JSON},     {0}};
	const struct sigaction action = {.sa_handler = interrupt};
	_cleanup_json_ struct json_object *request = NULL;
	_cleanup_free_ char *lake = NULL;
	bool json = false, anew = false, cloud = false, look = false;
	double rate = RATE_MIB;
	char *end = NULL;
	int c;

	while ((c = verb_option(v, argc, argv, "r:", options)) != -1) {
		json |= c == OPTION_JSON;
		anew |= c == OPTION_AGAIN;
		cloud |= c == OPTION_CLOUD;
		look |= c == OPTION_STATUS;
		if (c == 'r')
			rate = strtod(optarg, &end);
	}
	if (end && (*end || rate < 0 || rate > 1e6))
		return verb_misuse(v, "the rate is a number of MiB a second, 0 for no limit");
	c = verb_arguments(v, argc, argv, 0, 1);
	if (lake_around(c ? argv[optind] : NULL, &lake))
		return FOUND_NOT_KNOWN;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	request = request_of(anew, cloud, look, (int64_t)(rate * 1024 * 1024));
	return finish(lake, request, json);
}

const struct verb verb_scrub = {
	.name = "scrub",
	.args = "[LAKE] [--cloud] [--again] [-r MIB] [--status] [--json]",
	.summary = "read all that is kept, and compare it with its checksums",
	.details =
		"Reads the live files, old versions and packs, and compares them with the\n"
		"SHA-256 that each had when it was settled: what a disk has lost or changed by\n"
		"itself. What is damaged is put right from another place that has its content:\n"
		"another version or file, a pack, the cloud. What nothing else has stays as it\n"
		"is; `tarn scrub --status` and `tarn status` tell of it.\n"
		"\n"
		"It goes on where the last one ended, so it can be interrupted, and can run\n"
		"while the lake is used: with the lowest priority, and a limit.\n"
		"LAKE: the lake or a path in it, else the one around the current folder.\n"
		"\n"
		"options:\n"
		"      --cloud     read the objects in the cloud, too, which downloads them\n"
		"      --again     begin from the first file\n"
		"  -r, --rate MIB  read so many MiB a second at most (200; 0: no limit)\n"
		"      --status    only say how far it is, and what is damaged\n"
		"      --json      as JSON\n"
		"  -h, --help      say this, and end\n"
		"\n"
		"exit codes: 0 all is right, 1 all that was damaged is repaired, 4 something is\n"
		"damaged, 5 both, 8 (or added to these) it did not come to its end; 2 wrong\n"
		"usage, 75 try again.\n"
		"\n"
		"examples:\n"
		"  tarn scrub ~/lake\n"
		"  tarn scrub ~/lake --cloud --rate 50\n"
		"  tarn scrub ~/lake --status\n",
	.run = run_scrub,
};
