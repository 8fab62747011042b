#include "cli/tier_ask.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/facts.h"

#define WAIT_SECONDS 120

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void tier_ask_catch_signals(void)
{
	const struct sigaction sa = {.sa_handler = interrupt, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

bool tier_ask_interrupted(void)
{
	return interrupted;
}

int tier_ask_exit(int rc)
{
	switch (rc) {
	case 0:
		return EXIT_OK;
	case -EINTR:
		return EXIT_PARTLY;
	case -ETIMEDOUT:
	case -EAGAIN:
	case -EHOSTUNREACH:
		return EXIT_TRY_AGAIN;
	default:
		return EXIT_FAILED;
	}
}

int tier_place(const char *given, struct place *out)
{
	int rc = place_find(given, out);

	if (!rc && out->inside && !out->inside[0])
		return 0;
	place_release(out);
	*out = (struct place){0};
	return place_on_mount(given, out);
}

static int ask(const struct place *p, const char *what, const char *after, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("tier"));
	json_object_object_add(request, "do", json_object_new_string(what));
	json_object_object_add(request, "path", json_object_new_string(p->inside));
	if (after)
		json_object_object_add(request, "after", json_object_new_string(after));
	rc = control_call(p->lake, request, WAIT_SECONDS, reply);
	if (rc)
		say("%s: %s", p->path,
		    *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

int tier_ask(const struct place *p, const char *what, tier_piece_fn fn, void *arg)
{
	_cleanup_buf_ struct buf after = BUF_INIT;
	bool ended = false;
	int rc = 0;

	while (!rc && !ended) {
		_cleanup_json_ struct json_object *reply = NULL;

		if (interrupted)
			return -EINTR;
		rc = ask(p, what, after.len ? buf_str(&after) : NULL, &reply);
		if (rc)
			return rc;
		rc = fn(arg, reply);
		ended = json_flag(reply, "ended");
		buf_clear(&after);
		if (json_text(reply, "after"))
			buf_adds(&after, json_text(reply, "after"));
		if (!ended && !after.len)
			return -EIO;
	}
	return rc;
}
