/* tarn fsck: does a lake's folder, and what it has in the cloud, agree with its store? The daemon looks, and of a lake
 * that is not mounted this program. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/daemon/daemon_fsck.h"
#include "cli/facts.h"
#include "cli/offline.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "meta/store.h"

#define WAIT_SECONDS (7 * 24 * 3600)

/* As those of fsck(8), of which two may be added. */
enum { FOUND_NOTHING = 0, FOUND_REPAIRED = 1, FOUND_LEFT = 4, FOUND_NOT_KNOWN = 8 };

static long long number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static int answer(struct lake *lake, struct json_object *request, struct json_object *reply)
{
	return daemon_answer_fsck(lake, NULL, NULL, request, reply);
}

static void print_finding(struct json_object *o, bool repair)
{
	const char *place = json_text(o, "place"), *what = json_text(o, "what"), *remedy = json_text(o, "remedy"),
		   *state = json_text(o, "state");
	bool note = state && !strcmp(state, "note"), done = state && !strcmp(state, "repaired");

	for (const char *c = place ? place : "?"; *c; c++) /* a name may be made to move the cursor */
		printf((unsigned char)*c < ' ' || *c == 127 ? "\\x%02x" : "%c", (unsigned char)*c);
	printf(": %s", what ? what : "?");
	if (done)
		printf(": repaired (%s)", remedy ? remedy : "");
	else if (remedy && !note && !repair)
		printf(" (with --repair %s)", remedy);
	else if (remedy && !note)
		printf(": not repaired");
	else if (remedy)
		printf(" (%s)", remedy);
	else if (!note)
		printf(" (cannot be repaired)");
	putchar('\n');
}

static void print(struct json_object *reply, bool repair)
{
	struct json_object *list = json_object_object_get(reply, "findings");
	const char *error = json_text(reply, "remote_error");

	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_finding(json_object_array_get_idx(list, i), repair);
	if (json_flag(reply, "truncated"))
		puts("… and more");
	printf("%lld names, %lld old versions, %lld packs, %lld objects in the cloud: ", number(reply, "names"),
	       number(reply, "versions"), number(reply, "packs"), number(reply, "objects"));
	if (!number(reply, "left") && !number(reply, "repaired"))
		puts("clean");
	else
		printf("%lld repaired, %lld left\n", number(reply, "repaired"), number(reply, "left"));
	if (error)
		say("the cloud: %s", error);
}

static int code_of(struct json_object *reply)
{
	return (number(reply, "repaired") ? FOUND_REPAIRED : 0) | (number(reply, "left") ? FOUND_LEFT : 0) |
	       (json_object_object_get(reply, "remote_error") ? FOUND_NOT_KNOWN : 0);
}

/* A store that cannot even be opened for writing. */
static int check_store(const char *lake)
{
	_cleanup_buf_ struct buf path = BUF_INIT, why = BUF_INIT;
	const char *reason = NULL;
	struct store *store;
	int rc;

	buf_addf(&path, "%s/catalog/tarn.db", lake);
	rc = store_open(buf_str(&path), STORE_READ, &store, &reason);
	if (!rc) {
		rc = store_check(store, false, &why);
		store_close(store);
	}
	if (!rc)
		return FOUND_NOTHING;
	say("%s: %s (the files in buckets/ are whole; see `tarn doctor %s`)", buf_str(&path),
	    why.len  ? buf_str(&why)
	    : reason ? reason
		     : strerror(-rc),
	    lake);
	return rc == -EUCLEAN || rc == -ENOENT ? FOUND_LEFT : FOUND_NOT_KNOWN;
}

static int ask(const char *lake, bool repair, bool remote, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("fsck"));
	json_object_object_add(request, "repair", json_object_new_boolean(repair));
	json_object_object_add(request, "remote", json_object_new_boolean(remote));
	rc = offline_call(lake, request, WAIT_SECONDS, answer, reply);
	if (rc)
		say("%s: %s", lake, *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static int run_fsck(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"repair", no_argument, NULL, 'r'},
						{"remote", no_argument, NULL, 'R'},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_free_ char *lake = NULL;
	bool json = false, repair = false, remote = false;
	int c;

	while ((c = verb_option(v, argc, argv, "rR", options)) != -1) {
		json |= c == OPTION_JSON;
		repair |= c == 'r';
		remote |= c == 'R';
	}
	c = verb_arguments(v, argc, argv, 0, 1);
	if (lake_around(c ? argv[optind] : NULL, &lake))
		return FOUND_NOT_KNOWN;
	c = check_store(lake);
	if (c)
		return c;
	c = ask(lake, repair, remote, &reply);
	if (c)
		return c == -ETIMEDOUT || c == -EAGAIN || c == -EBUSY ? EXIT_TRY_AGAIN : FOUND_NOT_KNOWN;
	if (json && json_print(reply))
		return FOUND_NOT_KNOWN;
	if (!json)
		print(reply, repair);
	return code_of(reply);
}

const struct verb verb_fsck = {
	.name = "fsck",
	.args = "[LAKE] [-r | --repair] [-R | --remote] [--json]",
	.summary = "check a lake, and repair what can be",
	.details =
		"Looks whether the lake's folders agree with its metadata store: the store\n"
		"itself, names and files in buckets/, placeholders of files in the cloud, old\n"
		"versions and packs, what something left that did not end. One line for each\n"
		"thing that is wrong, and what --repair does about it. A mounted lake is\n"
		"checked while it is used. What is in files is not read: see `tarn scrub`.\n"
		"\n"
		"Nothing whose only bytes it is is ever removed: what nobody knows is moved to\n"
		"lost+found/ in the lake, what cannot be repaired stays as it is.\n"
		"LAKE: the lake or a path in it, else the one around the current folder.\n"
		"\n"
		"options:\n"
		"  -r, --repair  put right what can be\n"
		"  -R, --remote  compare with what lies in the cloud, too: objects that are\n"
		"                missing, changed, or left over; others' are not touched\n"
		"      --json    as JSON\n"
		"  -h, --help    say this, and end\n"
		"\n"
		"exit codes: 0 nothing is wrong, 1 all is repaired, 4 something is left,\n"
		"5 some is repaired and some is left, 8 (or added to these) it could not be\n"
		"looked at; 2 wrong usage, 75 try again.\n"
		"\n"
		"examples:\n"
		"  tarn fsck ~/lake\n"
		"  tarn fsck ~/lake --remote --repair\n",
	.run = run_fsck,
};
