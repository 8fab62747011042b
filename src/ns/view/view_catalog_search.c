/*
 * .catalog/search/WORDS/{results.jsonl,paths0,files/…}: what ns/find.h finds. A name of up to 255 bytes is the
 * expression; %2F and %25 in it stand for what a name cannot have, and for the percent sign. Nothing is kept from one
 * caller to the next.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/view/view_catalog.h"

#define FILES "files"
#define RESULTS "results.jsonl"
#define PATHS "paths0"			  /* each followed by a NUL, and by an empty one when there are more */
#define SNIPPETS_NS (300 * NSEC_PER_MSEC) /* so long words around hits are looked for */

/* -EINVAL: it is nothing that can be looked for. */
static int parse(struct find *f, char *expression)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	name_decode(expression);
	return find_parse(f, expression, &why);
}

/* ---- results.jsonl ---- */

struct results {
	struct catalog *c;
	const struct find *find;
	struct buf *out;
	int64_t snippets_until;
};

/* Without the marks around what was found, as JSON; null when there is nothing. */
static void add_snippet(struct results *r, uint64_t node)
{
	_cleanup_buf_ struct buf snippet = BUF_INIT, plain = BUF_INIT;

	if (!r->find->match.len || clock_monotonic() > r->snippets_until ||
	    store_snippet(r->c->lake->store, buf_str(&r->find->match), node, &snippet)) {
		buf_adds(r->out, "null");
		return;
	}
	for (size_t i = 0; i < snippet.len; i++)
		buf_adds(&plain,
			 (const char[]){snippet.data[i] == 2 || snippet.data[i] == 3 ? '*' : snippet.data[i], 0});
	buf_add_json(r->out, buf_str(&plain), plain.len);
}

static int add_hit(void *arg, const struct find_hit *hit)
{
	struct results *r = arg;
	struct version_row v = {0};
	struct buf *b = r->out;

	if (hit->row->version)
		store_version(r->c->lake->store, hit->row->version, &v);
	buf_adds(b, "{\"path\":");
	buf_add_json(b, hit->path, strlen(hit->path));
	buf_addf(b, ",\"size\":%" PRIu64 ",\"mtime\":\"", hit->row->size);
	buf_add_time(b, hit->row->mtime);
	buf_adds(b, "\",\"mime\":");
	if (v.mime[0])
		buf_add_json(b, v.mime, strlen(v.mime));
	else
		buf_adds(b, "null");
	buf_addf(b, ",\"score\":%.4f,\"snippet\":", fabs(hit->rank));
	add_snippet(r, hit->node);
	buf_adds(b, "}\n");
	return buf_error(b);
}

static int render(struct catalog *c, const struct find *f, struct buf *out)
{
	struct results r = {.c = c, .find = f, .out = out, .snippets_until = clock_monotonic() + SNIPPETS_NS};
	bool cut = false;
	int rc = find_run(f, &c->reader, add_hit, &r, &cut);

	if (!rc && cut)
		buf_adds(out, "{\"TRUNCATED\":true}\n");
	return rc;
}

static int add_path(void *arg, const struct find_hit *hit)
{
	struct buf *out = arg;

	buf_add(out, hit->path, strlen(hit->path) + 1);
	return buf_error(out);
}

static int render_paths(struct catalog *c, const struct find *f, struct buf *out)
{
	bool cut = false;
	int rc = find_run(f, &c->reader, add_path, out, &cut);

	if (!rc && cut)
		buf_addc(out, 0);
	return rc;
}

/* ---- the tree ---- */

static int look_up_below(struct catalog *c, const struct find *f, const char *path, const char *name, const char *real,
			 struct view_node *draft)
{
	const struct catalog_set set = {.kind = SET_FOUND, .find = f};
	_cleanup_buf_ struct buf text = BUF_INIT;
	int rc;

	if (!strcmp(name, FILES))
		return *real ? catalog_files_look_up(c, &set, path, strlen(path) - strlen(real), draft)
			     : catalog_folder(c, path, draft);
	if (*real || (strcmp(name, RESULTS) && strcmp(name, PATHS)))
		return -ENOENT;
	rc = (strcmp(name, PATHS) ? render : render_paths)(c, f, &text);
	return rc ? rc : catalog_file(c, path, &text, draft);
}

int catalog_search_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	_cleanup_find_ struct find f = {.match = BUF_INIT};
	char *expression = catalog_next(&rest), *name = catalog_next(&rest);
	int rc = parse(&f, expression);

	if (rc)
		return rc == -EINVAL ? -ENOENT : rc;
	return name ? look_up_below(c, &f, path, name, rest, draft) : catalog_folder(c, path, draft);
}

/* What can be searched for cannot be listed. */
int catalog_search_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	_cleanup_find_ struct find f = {.match = BUF_INIT};
	const struct catalog_set set = {.kind = SET_FOUND, .find = &f};
	char *expression = catalog_next(&rest), *name = catalog_next(&rest);
	int rc = expression ? parse(&f, expression) : 0;

	if (rc || !expression)
		return rc == -EINVAL ? 0 : rc;
	if (name)
		return catalog_files_list(c, &set, rest, KIND_SYMLINK, emit, arg);
	rc = emit(arg, RESULTS, KIND_FILE, 0);
	if (!rc)
		rc = emit(arg, PATHS, KIND_FILE, 0);
	return rc ? rc : emit(arg, FILES, KIND_FOLDER, 0);
}
