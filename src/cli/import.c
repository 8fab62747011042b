/* tarn import, tarn sync: what others have put to the remote, and what they have changed there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/tier_ask.h"
#include "cli/verb_list.h"
#include "config/settings.h"

#define WAIT_SECONDS 600
#define SHOWN 20

struct import {
	const char *lake; /* absolute */
	char *bucket, *base;
	bool json;
	uint64_t made, same, changed, conflicts, skipped, bytes, lost, again;
	unsigned shown;
	struct json_object *list;
};

/* ---- where ---- */

/* The key below which URL lies at the remote of S; NULL, with the reason said: it is another remote. */
static char *base_of_url(const struct settings *s, const char *url)
{
	const char *at = NULL;
	char *base;

	if (!strncmp(url, "s3://", 5) && s->cloud_bucket && s->cloud_provider && !strcmp(s->cloud_provider, "s3")) {
		size_t len = strlen(s->cloud_bucket);

		if (!strncmp(url + 5, s->cloud_bucket, len) && (!url[5 + len] || url[5 + len] == '/'))
			at = url + 5 + len;
	} else if (url[0] == '/' && s->cloud_path && s->cloud_provider && !strcmp(s->cloud_provider, "dir")) {
		size_t len = strlen(s->cloud_path);

		if (!strncmp(url, s->cloud_path, len) && (!url[len] || url[len] == '/'))
			at = url + len;
	}
	if (!at) {
		say("%s: not of the remote that the lake's settings name (hybrid_storage.cloud_bucket, cloud_path)",
		    url);
		return NULL;
	}
	base = strdup(at + strspn(at, "/"));
	while (base && base[0] && base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	return base;
}

static char *own_base(const struct settings *s, const char *bucket)
{
	const char *prefix = s->cloud_prefix ? s->cloud_prefix : "";
	struct buf b = BUF_INIT;

	prefix += strspn(prefix, "/");
	buf_addf(&b, "%s%s%s", prefix, prefix[0] && prefix[strlen(prefix) - 1] != '/' ? "/" : "", bucket);
	return buf_detach(&b);
}

static struct settings *load(const char *lake)
{
	struct findings findings = {0};
	struct settings *s = NULL;

	if (settings_load(lake, NULL, &s, &findings))
		findings_say(&findings);
	findings_release(&findings);
	return s;
}

/* ---- asking ---- */

static int ask(const struct import *m, const char *what, const char *after, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("tier"));
	json_object_object_add(request, "do", json_object_new_string(what));
	json_object_object_add(request, "path", json_object_new_string(m->bucket));
	json_object_object_add(request, "base", json_object_new_string(m->base));
	if (after)
		json_object_object_add(request, "after", json_object_new_string(after));
	rc = control_call(m->lake, request, WAIT_SECONDS, reply);
	if (rc == -ENOTCONN)
		say("%s: not mounted (`tarn mount %s`)", m->lake, m->lake);
	else if (rc)
		say("%s: %s", m->bucket,
		    *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static void tell_list(struct import *m, struct json_object *list)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *path = json_text(o, "path"), *why = json_text(o, "why");

		json_object_array_add(m->list, json_object_get(o));
		if (!m->json && m->shown++ < SHOWN)
			say("%s: %s", path ? path : "?", why ? why : "?");
	}
}

static void take(struct import *m, struct json_object *reply)
{
	m->made += json_number(reply, "new");
	m->same += json_number(reply, "same");
	m->changed += json_number(reply, "changed");
	m->conflicts += json_number(reply, "conflicts");
	m->skipped += json_number(reply, "skipped");
	m->bytes += json_number(reply, "bytes");
	m->lost += json_number(reply, "lost");
	m->again += json_number(reply, "again");
	tell_list(m, json_object_object_get(reply, "list"));
	if (!m->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%llu objects", (unsigned long long)(m->made + m->same + m->changed));
}

static int ask_all(struct import *m, const char *what)
{
	_cleanup_buf_ struct buf after = BUF_INIT;
	bool ended = false;
	int rc = 0;

	while (!rc && !ended) {
		_cleanup_json_ struct json_object *reply = NULL;

		if (tier_ask_interrupted())
			return -EINTR;
		rc = ask(m, what, after.len ? buf_str(&after) : NULL, &reply);
		if (rc)
			return rc;
		take(m, reply);
		ended = json_flag(reply, "ended");
		buf_clear(&after);
		if (json_text(reply, "after"))
			buf_adds(&after, json_text(reply, "after"));
		if (!ended && !after.len)
			rc = -EIO;
	}
	if (!m->json && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return rc;
}

/* ---- answers ---- */

static void tell_json(const struct import *m)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	json_add_number(o, "new", m->made);
	json_add_number(o, "new_bytes", m->bytes);
	json_add_number(o, "same", m->same);
	json_add_number(o, "changed", m->changed);
	json_add_number(o, "conflicts", m->conflicts);
	json_add_number(o, "skipped", m->skipped);
	json_add_number(o, "lost", m->lost);
	json_add_number(o, "uploaded_again", m->again);
	json_object_object_add(o, "list", json_object_get(m->list));
	json_print(o);
}

static void tell(const struct import *m)
{
	_cleanup_buf_ struct buf size = BUF_INIT;

	human_size(&size, m->bytes);
	printf("%llu new files (%s), %llu changed, %llu as they were\n", (unsigned long long)m->made, buf_str(&size),
	       (unsigned long long)m->changed, (unsigned long long)m->same);
	if (m->conflicts)
		printf("%llu were changed here and there: both are kept\n", (unsigned long long)m->conflicts);
	if (m->skipped)
		printf("%llu objects were left out\n", (unsigned long long)m->skipped);
	if (m->again)
		printf("%llu are not in the cloud any more, and are here: they are uploaded again\n",
		       (unsigned long long)m->again);
	if (m->lost)
		printf("%llu were removed in the cloud and were only there\n", (unsigned long long)m->lost);
}

static int carry_out(struct import *m, bool sync)
{
	int rc;

	tier_ask_catch_signals();
	m->list = json_object_new_array();
	rc = ask_all(m, sync ? "sync" : "import");
	if (!rc && sync)
		rc = ask_all(m, "missing");
	if (!rc || rc == -EINTR)
		m->json ? tell_json(m) : tell(m);
	json_object_put(m->list);
	if (rc)
		return tier_ask_exit(rc);
	return m->conflicts || m->skipped || m->lost ? EXIT_PARTLY : EXIT_OK;
}

static int run_import(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"lake", required_argument, NULL, OPTION_FIRST}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	bool sync = !strcmp(v->name, "sync");
	_cleanup_free_ char *lake = NULL, *bucket = NULL, *base = NULL;
	_cleanup_place_ struct place p = {0};
	const char *given = NULL;
	struct import m = {0};
	struct settings *s;
	int c, n;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		m.json |= c == OPTION_JSON;
		if (c == OPTION_FIRST)
			given = optarg;
	}
	n = verb_arguments(v, argc, argv, sync ? 1 : 2, 2);
	/* A path of the bucket, or its name, in the lake around here. */
	if (strchr(argv[optind + n - 1], '/')) {
		if (place_on_mount(argv[optind + n - 1], &p))
			return EXIT_FAILED;
		bucket = strdup(p.inside);
		lake = strdup(p.lake);
	} else {
		bucket = strdup(argv[optind + n - 1]);
		if (lake_around(given, &lake))
			return EXIT_FAILED;
	}
	s = load(lake);
	if (!s)
		return EXIT_SETTINGS;
	base = n > 1 ? base_of_url(s, argv[optind]) : own_base(s, bucket);
	settings_unref(s);
	if (!base || !bucket)
		return EXIT_FAILED;
	m.lake = lake;
	m.bucket = bucket;
	m.base = base;
	return carry_out(&m, sync);
}

const struct verb verb_import = {
	.name = "import",
	.args = "URL BUCKET [--lake LAKE] [--json]",
	.summary = "let objects of the cloud appear as files of a bucket",
	.details =
		"The objects below URL (s3://BUCKET/PREFIX, or a folder of the provider dir, of\n"
		"the remote that the lake's settings name) appear as files of BUCKET, which is\n"
		"made when it is missing. Nothing is downloaded and nothing is changed there;\n"
		"the bytes come when a file is opened. A file that is there already stays.\n"
		"BUCKET is a name in the lake around the current folder, or a path.\n"
		"\n"
		"options:\n"
		"      --lake LAKE  the lake, when it is not the one around\n"
		"      --json       as JSON, with all that was left out\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn import s3://burst/exports raw-data --lake ~/lake\n"
		"  tarn import /mnt/nas/photos ~/lake/buckets/photos\n",
	.run = run_import,
};

const struct verb verb_sync = {
	.name = "sync",
	.args = "[URL] BUCKET [--lake LAKE] [--json]",
	.summary = "find what others changed in the cloud",
	.details =
		"Compares the objects of a bucket, or those below URL that were imported to it,\n"
		"with what is known of them: new ones become files, changed ones the next\n"
		"version of theirs. A file that was changed here, too, stays, and the object\n"
		"becomes NAME.from-cloud beside it. What was removed there is told of; files\n"
		"whose bytes are here are uploaded again.\n"
		"\n"
		"options:\n"
		"      --lake LAKE  the lake, when it is not the one around\n"
		"      --json       as JSON\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"exit code 3: there were conflicts, or something is lost.\n"
		"\n"
		"examples:\n"
		"  tarn sync raw-data --lake ~/lake\n"
		"  tarn sync s3://burst/exports ~/lake/buckets/raw-data\n",
	.run = run_import,
};
