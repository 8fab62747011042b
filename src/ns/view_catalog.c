/*
 * .catalog: what is in the lake, as files. Each is rendered when it is looked up, for the one who asks: rows that a
 * caller may not read are not shown to them. A rendering is one commit's state and has a node of its own, so that no
 * user ever sees pages that were made for another; entries and attributes are not cached by the kernel.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/facts.h"
#include "ns/view.h"

enum part { PART_FOLDER, PART_FILE }; /* PART_FILE + i: a file, for the caller with uid `node` and gid `commit` */

static const char readme[] =
	"This folder is made by tarn: it shows what is in the lake.\n"
	"\n"
	"assets.csv, assets.json   every file: path, bucket, size, mtime, mime, versions, tier, sha256\n"
	"stats.csv, stats.json     counts, bytes, opens, rates, memory, state of the scan\n"
	"\n"
	"MIME type and SHA-256 come from a background job, a moment after a file was written.\n"
	"Files that you may not read are not listed for you.\n"
	"Earlier versions of a file F are in F@v/ (not listed by ls, but there).\n";

/* ---- who asks ---- */

struct reader {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int ngroups;
};

static int reader_init(struct reader *r, const struct actor *actor)
{
	*r = (struct reader){.uid = actor->caller.uid, .gid = actor->caller.gid};
	if (!r->uid)
		return 0;
	return caller_groups(&actor->caller, &r->groups, &r->ngroups);
}

static bool in_group(const struct reader *r, gid_t gid)
{
	if (gid == r->gid)
		return true;
	for (int i = 0; i < r->ngroups; i++)
		if (r->groups[i] == gid)
			return true;
	return false;
}

/* BITS as in "other": 4 read, 1 search. An ACL can take away what the mode gives, so then only the owner is sure. */
static bool may(const struct reader *r, const struct node_row *n, unsigned bits)
{
	if (!r->uid)
		return true;
	if (n->uid == r->uid)
		return (n->mode >> 6 & bits) == bits;
	if (n->acl)
		return false;
	return ((in_group(r, n->gid) ? n->mode >> 3 : n->mode) & bits) == bits;
}

/* ---- assets ---- */

struct assets {
	struct lake *lake;
	struct settings *settings;
	struct reader reader;
	struct buf out;
	bool json;
	uint64_t rows;
};

static bool folder_visible(void *arg, const struct node_row *folder)
{
	struct assets *a = arg;

	return may(&a->reader, folder, 5);
}

static void add_asset_csv(struct assets *a, const struct asset_row *row, const char *bucket, const char *tier)
{
	struct buf *b = &a->out;

	buf_add_csv(b, row->path, strlen(row->path));
	buf_addc(b, ',');
	buf_add_csv(b, bucket, strlen(bucket));
	buf_addf(b, ",%" PRIu64 ",", row->node->size);
	buf_add_time(b, row->node->mtime);
	buf_addc(b, ',');
	buf_add_csv(b, row->version->mime, strlen(row->version->mime));
	buf_addf(b, ",%" PRIu64 ",%s,", row->versions, tier);
	if (row->version->id && row->version->hashed)
		buf_add_hex(b, row->version->sha256, SHA256_BYTES);
	buf_adds(b, "\r\n");
}

static void add_string_or_null(struct buf *b, const char *s)
{
	if (s[0])
		buf_add_json(b, s, strlen(s));
	else
		buf_adds(b, "null");
}

static void add_asset_json(struct assets *a, const struct asset_row *row, const char *bucket, const char *tier)
{
	struct buf *b = &a->out;

	buf_adds(b, a->rows ? ",\n" : "\n");
	buf_adds(b, "{\"path\":");
	buf_add_json(b, row->path, strlen(row->path));
	buf_adds(b, ",\"bucket\":");
	buf_add_json(b, bucket, strlen(bucket));
	buf_addf(b, ",\"size\":%" PRIu64 ",\"mtime\":\"", row->node->size);
	buf_add_time(b, row->node->mtime);
	buf_adds(b, "\",\"mime\":");
	add_string_or_null(b, row->version->mime);
	buf_addf(b, ",\"versions\":%" PRIu64 ",\"tier\":\"%s\",\"sha256\":", row->versions, tier);
	if (row->version->id && row->version->hashed) {
		buf_addc(b, '"');
		buf_add_hex(b, row->version->sha256, SHA256_BYTES);
		buf_addc(b, '"');
	} else {
		buf_adds(b, "null");
	}
	buf_addc(b, '}');
}

static int add_asset(void *arg, const struct asset_row *row)
{
	struct assets *a = arg;
	char bucket[NAME_BYTES + 1];
	const struct bucket_policy *policy;

	if (!may(&a->reader, row->node, 4))
		return 0;
	snprintf(bucket, sizeof(bucket), "%.*s", (int)strcspn(row->path, "/"), row->path);
	policy = settings_bucket(a->settings, bucket);
	(a->json ? add_asset_json : add_asset_csv)(a, row, bucket, bucket_tier_name(policy->tier));
	a->rows++;
	return buf_error(&a->out);
}

static int render_assets(struct lake *lake, const struct actor *actor, bool json, struct buf *out)
{
	struct assets a = {.lake = lake, .json = json};
	int rc = reader_init(&a.reader, actor);

	if (!rc)
		rc = store_barrier(lake->store, 0);
	if (rc)
		return rc;
	a.settings = lake_settings(lake);
	buf_adds(&a.out, json ? "[" : "path,bucket,size,mtime,mime,versions,tier,sha256\r\n");
	rc = store_assets(lake->store, folder_visible, add_asset, &a);
	if (json)
		buf_adds(&a.out, "\n]\n");
	settings_unref(a.settings);
	free(a.reader.groups);
	*out = a.out;
	return rc;
}

static int render_assets_csv(struct lake *lake, const struct actor *actor, struct buf *out)
{
	return render_assets(lake, actor, false, out);
}

static int render_assets_json(struct lake *lake, const struct actor *actor, struct buf *out)
{
	return render_assets(lake, actor, true, out);
}

/* ---- stats ---- */

struct stats {
	struct buf *out;
	bool json;
	int n;
};

static int add_stat(void *arg, const struct fact *f)
{
	struct stats *s = arg;
	struct buf *b = s->out;

	if (s->json)
		buf_addf(b, "%s  \"%s\": ", s->n++ ? ",\n" : "{\n", f->name);
	else
		buf_addf(b, "%s,", f->name);
	if (f->text)
		buf_addf(b, s->json ? "\"%s\"" : "%s", f->text);
	else
		buf_addf(b, f->fraction ? "%.3f" : "%.0f", f->number);
	if (!s->json)
		buf_adds(b, "\r\n");
	return 0;
}

static int render_stats(struct lake *lake, bool json, struct buf *out)
{
	struct stats s = {.out = out, .json = json};
	int rc = store_barrier(lake->store, 0);

	if (rc)
		return rc;
	if (!json)
		buf_adds(out, "name,value\r\n");
	rc = lake_facts(lake, add_stat, &s);
	if (json)
		buf_adds(out, "\n}\n");
	return rc;
}

static int render_stats_csv(struct lake *lake, const struct actor *actor, struct buf *out)
{
	(void)actor;
	return render_stats(lake, false, out);
}

static int render_stats_json(struct lake *lake, const struct actor *actor, struct buf *out)
{
	(void)actor;
	return render_stats(lake, true, out);
}

static int render_readme(struct lake *lake, const struct actor *actor, struct buf *out)
{
	(void)lake;
	(void)actor;
	buf_adds(out, readme);
	return 0;
}

/* ---- the view ---- */

static const struct catalog_file {
	const char *name;
	int (*render)(struct lake *lake, const struct actor *actor, struct buf *out);
} files[] = {
	{"README", render_readme},	 {"assets.csv", render_assets_csv}, {"assets.json", render_assets_json},
	{"stats.csv", render_stats_csv}, {"stats.json", render_stats_json},
};
#define FILES (sizeof(files) / sizeof(files[0]))

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	if (folder->id != NODE_ROOT || strcmp(name, ".catalog"))
		return -ENOENT;
	draft->part = PART_FOLDER;
	draft->kind = KIND_FOLDER;
	draft->st = (struct stat){.st_mode = S_IFDIR | 0555, .st_nlink = 2, .st_blksize = 4096};
	draft->st.st_mtim.tv_sec = draft->st.st_ctim.tv_sec = draft->st.st_atim.tv_sec = lake->since / NSEC_PER_SEC;
	return 0;
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int rc;

	(void)folder;
	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(name, files[i].name))
			continue;
		rc = files[i].render(lake, actor, &text);
		if (!rc) /* for the one who asked, and root, only */
			rc = view_render(lake, &text, 0400, actor->caller.uid, actor->caller.gid, draft);
		draft->part = PART_FILE + (int)i;
		draft->node = actor->caller.uid;
		draft->commit = actor->caller.gid;
		return rc;
	}
	return -ENOENT;
}

static int list(struct lake *lake, const struct view_node *folder, view_emit_fn emit, void *arg)
{
	int rc = 0;

	(void)lake;
	(void)folder;
	for (size_t i = 0; i < FILES && !rc; i++)
		rc = emit(arg, files[i].name, KIND_FILE, 0);
	return rc;
}

const struct view_ops catalog_view = {
	.name = ".catalog",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.root_name = ".catalog",
};
