/* tarn tier: how a lake and its cloud are, what leaves next, what reading would cost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/tier_ask.h"
#include "cli/verb_list.h"

#define WAIT_SECONDS 60
#define GB 1e9

static int ask_lake(const char *given, const char *what, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	_cleanup_free_ char *lake = NULL;
	int rc = lake_around(given, &lake);

	if (rc)
		return rc;
	json_object_object_add(request, "verb", json_object_new_string("tier"));
	json_object_object_add(request, "do", json_object_new_string(what));
	json_object_object_add(request, "path", json_object_new_string(""));
	rc = control_call(lake, request, WAIT_SECONDS, reply);
	if (rc == -ENOTCONN)
		say("%s: not mounted (`tarn mount %s`)", lake, lake);
	else if (rc)
		say("%s: %s", lake, *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static int run_status(const char *given, bool json)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = ask_lake(given, "status", &reply);

	if (rc)
		return tier_ask_exit(rc);
	rc = json ? json_print(reply) : facts_print(reply, stdout);
	return rc ? EXIT_FAILED : EXIT_OK;
}

static int run_take_over(const char *given, bool json)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = ask_lake(given, "take-over", &reply);
	const char *was = json_text(reply, "was");

	if (rc)
		return tier_ask_exit(rc);
	if (json)
		return json_print(reply) ? EXIT_FAILED : EXIT_OK;
	if (was && *was)
		printf("what lies in the cloud is this lake's now; it was used by %s\n", was);
	else
		printf("what lies in the cloud is this lake's\n");
	return EXIT_OK;
}

/* ---- plans ---- */

static double price(struct json_object *o, const char *key)
{
	return json_object_get_double(json_object_object_get(o, key));
}

static void add_time(struct buf *b, double seconds)
{
	if (seconds < 1)
		buf_adds(b, "less than a second");
	else if (seconds < 120)
		buf_addf(b, "%.0f seconds", seconds);
	else if (seconds < 7200)
		buf_addf(b, "%.0f minutes", seconds / 60);
	else
		buf_addf(b, "%.1f hours", seconds / 3600);
}

/* COST < 0: no prices are set. SPEED 0: none was seen yet. */
static void tell_cost(const char *of, double cost, uint64_t bytes, double speed)
{
	_cleanup_buf_ struct buf line = BUF_INIT, size = BUF_INIT;

	if (cost < 0)
		buf_addf(&line, "the cost of %s is not known (set hybrid_storage.cloud_price_*)", of);
	else
		buf_addf(&line, "cost of %s: %.4f", of, cost);
	if (bytes && speed > 0) {
		human_size(&size, (uint64_t)speed);
		buf_adds(&line, "; about ");
		add_time(&line, (double)bytes / speed);
		buf_addf(&line, " at %s a second, as seen lately", buf_str(&size));
	}
	puts(buf_str(&line));
}

static void tell_burst(struct json_object *o)
{
	_cleanup_buf_ struct buf use = BUF_INIT, high = BUF_INIT, size = BUF_INIT, up = BUF_INIT;

	human_size(&use, json_number(o, "use_bytes"));
	human_size(&high, json_number(o, "threshold_bytes"));
	printf("the lake uses %s here; files leave from %s on\n", buf_str(&use), buf_str(&high));
	human_size(&size, json_number(o, "release_bytes"));
	human_size(&up, json_number(o, "upload_bytes"));
	if (!json_number(o, "release"))
		printf("nothing would leave now\n");
	else
		printf("%llu files (%s) would leave now; %llu of them (%s) are to be uploaded before\n",
		       (unsigned long long)json_number(o, "release"), buf_str(&size),
		       (unsigned long long)json_number(o, "upload"), buf_str(&up));
	if (json_number(o, "upload"))
		tell_cost("uploading", price(o, "upload_cost"), json_number(o, "upload_bytes"),
			  price(o, "upload_speed"));
}

struct counts {
	uint64_t local, both, cloud, cloud_bytes, stored, requests;
};

static int add_counts(void *arg, struct json_object *reply)
{
	struct counts *c = arg;

	c->local += json_number(reply, "local");
	c->both += json_number(reply, "both");
	c->cloud += json_number(reply, "cloud");
	c->cloud_bytes += json_number(reply, "cloud_bytes");
	c->stored += json_number(reply, "cloud_stored");
	c->requests += json_number(reply, "requests");
	return 0;
}

static double reading_cost(struct json_object *plan, const struct counts *c)
{
	double get = price(plan, "price_get"), out = price(plan, "price_out");

	return get || out ? (double)c->requests / 1000 * get + (double)c->stored / GB * out : -1;
}

static int tell_reading_json(struct json_object *plan, const struct counts *c)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	double cost = reading_cost(plan, c), speed = price(plan, "download_speed");

	json_object_object_add(o, "files_here", json_object_new_int64((int64_t)(c->local + c->both)));
	json_object_object_add(o, "files", json_object_new_int64((int64_t)c->cloud));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)c->cloud_bytes));
	json_object_object_add(o, "transfer_bytes", json_object_new_int64((int64_t)c->stored));
	json_object_object_add(o, "requests", json_object_new_int64((int64_t)c->requests));
	if (cost >= 0)
		json_object_object_add(o, "cost", json_object_new_double(cost));
	if (speed > 0)
		json_object_object_add(o, "seconds", json_object_new_double((double)c->stored / speed));
	return json_print(o);
}

static void tell_reading(const char *path, struct json_object *plan, const struct counts *c)
{
	_cleanup_buf_ struct buf size = BUF_INIT;

	human_size(&size, c->stored);
	printf("%s: %llu files are here; %llu (%s) would come from the cloud with %llu requests\n", path,
	       (unsigned long long)(c->local + c->both), (unsigned long long)c->cloud, buf_str(&size),
	       (unsigned long long)c->requests);
	if (c->cloud)
		tell_cost("reading them", reading_cost(plan, c), c->stored, price(plan, "download_speed"));
}

static int plan_reading(const char *path, bool json)
{
	_cleanup_json_ struct json_object *plan = NULL;
	_cleanup_place_ struct place p = {0};
	struct counts c = {0};
	int rc = tier_place(path, &p);

	if (!rc)
		rc = ask_lake(path, "plan", &plan);
	if (!rc)
		rc = tier_ask(&p, "count", add_counts, &c);
	if (rc)
		return tier_ask_exit(rc);
	if (json)
		return tell_reading_json(plan, &c) ? EXIT_FAILED : EXIT_OK;
	tell_reading(path, plan, &c);
	return EXIT_OK;
}

static int plan_burst(const char *given, bool json)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = ask_lake(given, "plan", &reply);

	if (rc)
		return tier_ask_exit(rc);
	if (json)
		return json_print(reply) ? EXIT_FAILED : EXIT_OK;
	tell_burst(reply);
	return EXIT_OK;
}

static int run_tier(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"read", required_argument, NULL, OPTION_FIRST}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	const char *read = NULL, *what, *lake;
	bool json = false;
	int c, n;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		json |= c == OPTION_JSON;
		if (c == OPTION_FIRST)
			read = optarg;
	}
	n = verb_arguments(v, argc, argv, 1, 2);
	what = argv[optind];
	lake = n > 1 ? argv[optind + 1] : NULL;
	if (!strcmp(what, "status") && !read)
		return run_status(lake, json);
	if (!strcmp(what, "plan"))
		return read ? plan_reading(read, json) : plan_burst(lake, json);
	if (!strcmp(what, "take-over") && !read)
		return run_take_over(lake, json);
	return verb_misuse(v, "%s is not status, plan or take-over", what);
}

const struct verb verb_tier = {
	.name = "tier",
	.args = "status|plan|take-over [LAKE] [--read PATH] [--json]",
	.summary = "how the cloud is, what leaves next, what reading costs",
	.details =
		"status: what is here, what is in the cloud, what is on its way; how far the\n"
		"copy of the lake's record has come; how the remote answers.\n"
		"plan: which files would leave for the cloud now, and what uploading them costs.\n"
		"With --read: what reading all files at and below PATH would bring here: files,\n"
		"bytes, requests, cost and time. Nothing is moved by asking.\n"
		"take-over: a lake uses its prefix in the cloud alone, and stops when another one\n"
		"does, as a copy of it would, or when it was brought back from a backup. From now\n"
		"on it is this one that goes on; the other one must not be used any more.\n"
		"LAKE: the lake or a path in it, else the one around the current folder. Costs\n"
		"are by hybrid_storage.cloud_price_* of the settings.\n"
		"\n"
		"options:\n"
		"      --read PATH  plan reading instead\n"
		"      --json       as JSON\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn tier status ~/lake\n"
		"  tarn tier plan --read raw-data/2024\n",
	.run = run_tier,
};
