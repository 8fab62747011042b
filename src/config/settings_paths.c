/*
 * Where the file's paths lead on this machine.
 *
 * A lake is where its settings.yaml lies, whatever `base_path` says: it may have been copied, or come from Windows
 * (C:\NeuroLake). So paths below base_path are taken as below the lake, relative ones too, and absolute ones elsewhere
 * as they are. All of it goes by the letters of the paths: symbolic links are not followed.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/settings_load.h"

struct resolver {
	struct loading *loading;
	struct buf lake; /* normalised */
	struct buf base; /* normalised; empty: not said, or of no use */
	bool windows;	 /* is base one of Windows? */
	struct settings *settings;
};

static bool is_windows(const char *path)
{
	if (isalpha((unsigned char)path[0]) && path[1] == ':')
		return path[2] == '\\' || path[2] == '/' || path[2] == '\0';
	return path[0] == '\\' && path[1] == '\\';
}

/* Collapses //, . and .. of an absolute path; no / at the end, "/" itself aside. */
static void normalise(struct buf *out, const char *path)
{
	buf_clear(out);
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && strncmp(path, "..", 2) == 0) {
			while (out->len && out->data[--out->len] != '/')
				;
			if (out->data)
				out->data[out->len] = '\0';
		} else if (n && !(n == 1 && path[0] == '.')) {
			buf_addc(out, '/');
			buf_add(out, path, n);
		}
		path += n + (path[n] == '/');
	}
	if (out->len == 0)
		buf_addc(out, '/');
}

/* A path of Windows with / for \, as far as that helps to compare and to rebase. */
static void fold_windows(struct buf *out, const char *path)
{
	buf_clear(out);
	for (; *path; path++)
		buf_addc(out, *path == '\\' ? '/' : *path);
	while (out->len && out->data[out->len - 1] == '/')
		out->data[--out->len] = '\0';
}

/* What of PATH lies below FOLDER: "" for the folder itself, NULL when it lies elsewhere. */
static const char *below(const char *path, const char *folder, bool any_case)
{
	size_t n = strlen(folder);

	if (any_case ? strncasecmp(path, folder, n) != 0 : strncmp(path, folder, n) != 0)
		return NULL;
	if (path[n] == '\0')
		return path + n;
	if (n && folder[n - 1] == '/')
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

/* TEXT as a path of this machine. NULL, or the complaint. */
static const char *resolve(const struct resolver *r, const char *text, struct buf *out)
{
	_cleanup_buf_ struct buf folded = BUF_INIT, joined = BUF_INIT;
	const char *rest = NULL;

	if (r->windows || text[0] != '/')
		fold_windows(&folded, text);
	else
		normalise(&folded, text);
	if (r->base.len)
		rest = below(buf_str(&folded), buf_str(&r->base), r->windows);
	if (!rest && is_windows(text))
		return "is a Windows path that does not lie below storage.base_path";
	if (!rest && text[0] == '/') {
		normalise(out, text);
	} else {
		if (!rest)
			rest = r->windows ? buf_str(&folded) : text;
		buf_addf(&joined, "%s/%s", buf_str(&r->lake), rest);
		normalise(out, buf_str(&joined));
	}
	return NULL;
}

static bool is_in_lake(const struct resolver *r, const struct buf *path, const char *name)
{
	const char *rest = below(buf_str(path), buf_str(&r->lake), false);

	return rest && strcmp(rest, name) == 0;
}

static void complain(const struct resolver *r, enum finding_level level, const struct place *at, const char *name,
		     const char *path, const char *problem)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;

	buf_add_shown(&shown, path, strlen(path));
	findings_add(r->loading->findings, level, at, "%s: %s %s", name, buf_str(&shown), problem);
}

static void set_base(struct resolver *r)
{
	const char *base = r->settings->base_path;
	_cleanup_buf_ struct buf name = BUF_INIT, path = BUF_INIT;
	struct place at;

	if (!base)
		return;
	if (is_windows(base)) {
		r->windows = true;
		fold_windows(&r->base, base);
	} else if (base[0] == '/') {
		normalise(&r->base, base);
		if (strcmp(buf_str(&r->base), "/") == 0)
			buf_clear(&r->base);
	} else {
		buf_addf(&path, "%s/%s", buf_str(&r->lake), base);
		normalise(&r->base, buf_str(&path));
	}
	if (strcmp(buf_str(&r->base), buf_str(&r->lake)) == 0)
		return;
	at = settings_place(r->loading, "storage", "base_path", &name);
	complain(r, FINDING_WARNING, &at, buf_str(&name), base,
		 "is not this lake, paths below it are taken as paths below the lake");
}

/* A path of a section: NULL where it is LAKE/OWN, else absolute. */
static int resolve_member(const struct resolver *r, char **member, const char *section, const char *key,
			  const char *own)
{
	_cleanup_buf_ struct buf path = BUF_INIT, name = BUF_INIT;
	const char *problem;
	struct place at;

	if (!*member)
		return 0;
	problem = resolve(r, *member, &path);
	if (problem) {
		at = settings_place(r->loading, section, key, &name);
		complain(r, FINDING_ERROR, &at, buf_str(&name), *member, problem);
		return 0;
	}
	free(*member);
	*member = own && is_in_lake(r, &path, own) ? NULL : strdup(buf_str(&path));
	return buf_error(&path) || (!*member && !(own && is_in_lake(r, &path, own))) ? -ENOMEM : 0;
}

/* Folders in the lake that no bucket may be, nor lie in. */
static const char *own_folder_problem(const struct resolver *r, const struct buf *path)
{
	static const char *const own[] = {"buckets", "config", "catalog", "versions", "cache", "logs", "temp"};
	const char *rest = below(buf_str(path), buf_str(&r->lake), false);

	if (below(buf_str(&r->lake), buf_str(path), false))
		return "is the lake or has the lake in it";
	for (size_t i = 0; rest && i < sizeof(own) / sizeof(own[0]); i++) {
		if (below(rest, own[i], false))
			return "lies in a folder that the lake itself needs";
	}
	return NULL;
}

static const char *overlap_problem(const struct resolver *r, int index, const struct buf *path)
{
	for (int i = 0; i < index; i++) {
		const char *other = r->settings->buckets[i].path;

		if (other && (below(buf_str(path), other, false) || below(other, buf_str(path), false)))
			return "is, or lies in, the folder of another bucket";
	}
	return NULL;
}

static int resolve_bucket(const struct resolver *r, int index)
{
	struct bucket_policy *p = &r->settings->buckets[index];
	_cleanup_buf_ struct buf path = BUF_INIT, usual = BUF_INIT, name = BUF_INIT;
	const struct yaml_node *n;
	const char *problem;

	if (!p->path)
		return 0;
	problem = resolve(r, p->path, &path);
	buf_addf(&usual, "buckets/%s", p->name);
	if (!problem && is_in_lake(r, &path, buf_str(&usual))) {
		free(steal_ptr(&p->path));
		return 0;
	}
	if (!problem)
		problem = own_folder_problem(r, &path);
	if (!problem)
		problem = overlap_problem(r, index, &path);
	if (problem) {
		n = yaml_get(yaml_get(yaml_get(r->loading->root, "buckets"), p->name), "path");
		buf_adds(&name, "buckets.");
		buf_add_key(&name, p->name);
		buf_adds(&name, ".path");
		complain(r, FINDING_ERROR, &(struct place){r->loading->file, n->line, n->col}, buf_str(&name), p->path,
			 problem);
		free(steal_ptr(&p->path));
		return 0;
	}
	free(p->path);
	p->path = buf_detach(&path);
	return p->path ? 0 : -ENOMEM;
}

static void warn_of_catalog(const struct resolver *r)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct place at = settings_place(r->loading, "catalog", "storage_path", &name);

	complain(r, FINDING_WARNING, &at, buf_str(&name), r->settings->catalog_path,
		 "is not used, the catalog stays in the lake's own folder catalog");
}

int settings_resolve_paths(struct loading *l, struct settings *s)
{
	struct resolver r = {.loading = l, .settings = s};
	int ret;

	normalise(&r.lake, l->lake);
	set_base(&r);
	ret = resolve_member(&r, &s->catalog_path, "catalog", "storage_path", "catalog");
	if (ret == 0 && s->catalog_path)
		warn_of_catalog(&r);
	if (ret == 0)
		ret = resolve_member(&r, &s->log_path, "monitoring", "log_path", "logs");
	if (ret == 0)
		ret = resolve_member(&r, &s->cloud_path, "hybrid_storage", "cloud_path", NULL);
	if (ret == 0)
		ret = resolve_member(&r, &s->cloud_ca_file, "hybrid_storage", "cloud_ca_file", NULL);
	for (int i = 0; ret == 0 && i < s->nbuckets; i++)
		ret = resolve_bucket(&r, i);
	buf_release(&r.lake);
	buf_release(&r.base);
	return ret;
}
