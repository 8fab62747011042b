/* tarn evict, tarn recall: files leave for the cloud and come back, now. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/progress.h"
#include "cli/tier_ask.h"
#include "cli/verb_list.h"

#define SHOWN 20
#define AGAIN_US 500000
#define PATIENCE (60 * NSEC_PER_SEC) /* without anything done, for what waits */

struct moving {
	const char *what; /* "evict", "recall" */
	bool json;
	/* of all paths */
	uint64_t done, done_bytes, already, skipped, skipped_bytes, left, left_bytes;
	struct json_object *list; /* of what was skipped */
	unsigned shown;
	/* of this pass */
	uint64_t waiting, waiting_bytes, pass_done;
	bool first;
	struct progress progress;
};

static void tell_skipped(struct moving *m, struct json_object *list)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *path = json_text(o, "path"), *why = json_text(o, "why");

		if (m->list)
			json_object_array_add(m->list, json_object_get(o));
		if (!m->json && m->shown++ < SHOWN)
			say("%s: skipped: %s", path ? path : "?", why ? why : "?");
	}
}

static int take_piece(void *arg, struct json_object *reply)
{
	struct moving *m = arg;
	uint64_t done = json_number(reply, "done_bytes");

	m->done += json_number(reply, "done");
	m->pass_done += json_number(reply, "done");
	m->done_bytes += done;
	m->waiting += json_number(reply, "waiting");
	m->waiting_bytes += json_number(reply, "waiting_bytes");
	progress_add(&m->progress, done);
	if (!m->first) /* what was skipped or done is so still */
		return 0;
	m->already += json_number(reply, "already");
	m->skipped += json_number(reply, "skipped");
	m->skipped_bytes += json_number(reply, "skipped_bytes");
	progress_add(&m->progress, json_number(reply, "skipped_bytes"));
	tell_skipped(m, json_object_object_get(reply, "list"));
	return 0;
}

struct totals {
	uint64_t bytes;
	bool evict;
};

static int add_total(void *arg, struct json_object *reply)
{
	struct totals *t = arg;

	t->bytes += t->evict ? json_number(reply, "local_bytes") + json_number(reply, "both_bytes")
			     : json_number(reply, "cloud_bytes");
	return 0;
}

/* Pass after pass, as long as some wait and any are done. */
static int move_place(struct moving *m, const struct place *p)
{
	int64_t until = clock_monotonic() + PATIENCE;
	int rc;

	m->first = true;
	do {
		m->waiting = m->waiting_bytes = m->pass_done = 0;
		rc = tier_ask(p, m->what, take_piece, m);
		m->first = false;
		if (m->pass_done)
			until = clock_monotonic() + PATIENCE;
		if (!rc && m->waiting)
			usleep(AGAIN_US);
	} while (!rc && m->waiting && clock_monotonic() < until && !tier_ask_interrupted());
	m->left += m->waiting;
	m->left_bytes += m->waiting_bytes;
	return rc;
}

static int move_path(struct moving *m, const char *path)
{
	_cleanup_place_ struct place p = {0};
	struct totals total = {.evict = !strcmp(m->what, "evict")};
	int rc = tier_place(path, &p);

	if (rc < 0)
		return rc;
	if (!m->json && isatty(STDERR_FILENO))
		tier_ask(&p, "count", add_total, &total);
	progress_start(&m->progress, path, total.bytes);
	rc = move_place(m, &p);
	progress_end(&m->progress);
	return rc;
}

static void tell_json(const struct moving *m)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	json_object_object_add(o, "done", json_object_new_int64((int64_t)m->done));
	json_object_object_add(o, "done_bytes", json_object_new_int64((int64_t)m->done_bytes));
	json_object_object_add(o, "already", json_object_new_int64((int64_t)m->already));
	json_object_object_add(o, "waiting", json_object_new_int64((int64_t)m->left));
	json_object_object_add(o, "waiting_bytes", json_object_new_int64((int64_t)m->left_bytes));
	json_object_object_add(o, "skipped", json_object_new_int64((int64_t)m->skipped));
	json_object_object_add(o, "skipped_bytes", json_object_new_int64((int64_t)m->skipped_bytes));
	json_object_object_add(o, "list", json_object_get(m->list));
	json_print(o);
}

static void tell(const struct moving *m)
{
	bool evict = !strcmp(m->what, "evict");
	_cleanup_buf_ struct buf done = BUF_INIT, left = BUF_INIT;

	human_size(&done, m->done_bytes);
	human_size(&left, m->left_bytes);
	printf(evict ? "%llu files (%s) left for the cloud\n" : "%llu files (%s) came back\n",
	       (unsigned long long)m->done, buf_str(&done));
	if (m->already)
		printf(evict ? "%llu were there already\n" : "%llu were here already\n",
		       (unsigned long long)m->already);
	if (m->skipped > m->shown)
		printf("%llu more were skipped (--json names more)\n", (unsigned long long)(m->skipped - m->shown));
	if (m->left)
		printf(evict ? "%llu files (%s) are still being uploaded, and leave then\n"
			     : "%llu files (%s) are still on their way; do it again\n",
		       (unsigned long long)m->left, buf_str(&left));
}

static int move_paths(struct moving *m, char *const *paths, int n)
{
	int code = EXIT_OK;

	tier_ask_catch_signals();
	m->list = m->json ? json_object_new_array() : NULL;
	for (int i = 0; i < n && !tier_ask_interrupted(); i++) {
		int one = tier_ask_exit(move_path(m, paths[i]));

		if (one && (!code || code == EXIT_PARTLY))
			code = one == EXIT_FAILED && n > 1 ? EXIT_PARTLY : one;
	}
	if (m->json)
		tell_json(m);
	else
		tell(m);
	json_object_put(m->list);
	if (code)
		return code;
	return tier_ask_interrupted() || m->skipped ? EXIT_PARTLY : m->left ? EXIT_TRY_AGAIN : EXIT_OK;
}

int recall_paths(char *const *paths, int n, bool json)
{
	struct moving m = {.what = "recall", .json = json};

	return move_paths(&m, paths, n);
}

static int run_moving(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON}, {0}};
	struct moving m = {.what = v->name};
	int c;

	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		m.json |= c == OPTION_JSON;
	verb_arguments(v, argc, argv, 1, 1 << 20);
	return move_paths(&m, argv + optind, argc - optind);
}

const struct verb verb_evict = {
	.name = "evict",
	.args = "PATH... [--json]",
	.summary = "let the local bytes of files go that the cloud has",
	.details =
		"The files, and all files in the folders, leave the local disk now: those that\n"
		"the cloud has at once, others as soon as they are uploaded. Names, sizes and\n"
		"attributes stay, and the bytes come back when a file is opened. Skipped, and\n"
		"said why, is what is pinned, in use, has several names, or has no version.\n"
		"Interrupted, it has done what it has done; again, it goes on.\n"
		"\n"
		"options:\n"
		"      --json     as JSON, with all that were skipped\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"exit codes: 3 something was skipped, 75 something is still being uploaded.\n"
		"\n"
		"examples:\n"
		"  tarn evict raw-data/2024\n"
		"  tarn evict big.parquet archive/\n",
	.run = run_moving,
};

const struct verb verb_recall = {
	.name = "recall",
	.args = "PATH... [--json]",
	.summary = "bring files back from the cloud",
	.details =
		"The bytes of the files, and of all files in the folders, come back to the\n"
		"local disk, several at a time, each verified. `tarn tier plan --read PATH`\n"
		"says before what that costs. They may leave again when space is needed; `tarn\n"
		"pin` keeps them. Interrupted, it goes on where it was when it is asked again.\n"
		"\n"
		"options:\n"
		"      --json     as JSON, with all that were skipped\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"exit codes: 3 something was skipped, 75 the cloud cannot be reached.\n"
		"\n"
		"examples:\n"
		"  tarn recall raw-data/2024\n"
		"  tarn recall big.parquet\n",
	.run = run_moving,
};
