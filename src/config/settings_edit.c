/*
 * Each change goes: read, load (a broken file is not edited), edit the text, load what came of it and look whether it
 * says what was wanted, and only then let it replace the file. All of it under a lock (flock) of the file's folder, so
 * that of two changes at once none is lost.
 */
#include "config/settings_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "config/settings_load.h"
#include "config/yaml_edit.h"

struct change {
	const char *lake;
	int folder;	 /* locked */
	struct buf file; /* its name; a symbolic link followed */
	struct buf text;
	struct yaml_tree tree;
	struct settings *settings; /* as the file is, without an environment */
	struct yaml_edits edits;
	struct findings *findings;
};

static void change_release(struct change *c)
{
	yaml_edits_release(&c->edits);
	yaml_tree_release(&c->tree);
	settings_unref(c->settings);
	buf_release(&c->file);
	buf_release(&c->text);
	cleanup_closep(&c->folder);
}
#define _cleanup_change_ _cleanup_(change_release)

/* A load of which only the errors are news. */
static int load_quietly(const struct change *c, const struct buf *text, const char *env, struct settings **out,
			struct findings *errors)
{
	struct findings own = {0};
	int r = settings_load_text(c->lake, buf_str(&c->file), text, env, out, &own);

	for (int i = 0; errors && i < own.n; i++) {
		struct place at = {0};

		if (own.list[i].level == FINDING_ERROR)
			findings_add(errors, FINDING_ERROR, &at, "%s", own.list[i].text);
	}
	findings_release(&own);
	return r;
}

/* C->file names the settings; from here on it is the real one, and its folder is locked. */
static int lock_folder(struct change *c)
{
	_cleanup_free_ char *real = realpath(buf_str(&c->file), NULL);
	char *slash;

	if (!real)
		return 0; /* reading it will say why */
	buf_clear(&c->file);
	buf_adds(&c->file, real);
	slash = strrchr(real, '/');
	slash[slash == real] = '\0';
	c->folder = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->folder < 0 || flock(c->folder, LOCK_EX) < 0)
		return -errno;
	return buf_error(&c->file);
}

static int change_begin(struct change *c, const char *lake, struct findings *findings)
{
	int r;

	*c = (struct change){.lake = lake, .findings = findings, .folder = -1};
	buf_addf(&c->file, "%s/config/settings.yaml", lake);
	r = lock_folder(c);
	if (r == 0)
		r = settings_read_file(buf_str(&c->file), &c->text, findings);
	if (r == 0)
		r = load_quietly(c, &c->text, "", &c->settings, findings);
	if (r == 0)
		r = yaml_tree_parse(&c->tree, buf_str(&c->text), c->text.len, buf_str(&c->file), findings);
	yaml_edits_init(&c->edits, &c->text);
	return r;
}

static int cannot_edit(const struct change *c)
{
	findings_add(c->findings, FINDING_ERROR, &(struct place){.file = buf_str(&c->file)},
		     "cannot be edited here for the way it is written (an alias, a merged map), change it by hand");
	return -EINVAL;
}

/* Makes the edits so far: the next ones are about the text that comes of them. */
static int change_apply(struct change *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct findings ignored = {0};
	struct buf old;
	int r = yaml_edits_apply(&c->edits, &text);

	yaml_edits_release(&c->edits);
	yaml_tree_release(&c->tree);
	old = c->text;
	c->text = text;
	text = old;
	if (r == 0)
		r = yaml_tree_parse(&c->tree, buf_str(&c->text), c->text.len, buf_str(&c->file), &ignored);
	findings_release(&ignored);
	yaml_edits_init(&c->edits, &c->text);
	return r == -EINVAL ? cannot_edit(c) : r;
}

static int write_all(int fd, const struct buf *text)
{
	int r = write_full_at(fd, text->data, text->len, 0);

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

/* The same owner and mode as the file that it replaces; only root can keep another's, which is no reason to fail. */
static void take_owner(int fd, const char *file)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return;
	if (fchown(fd, st.st_uid, st.st_gid) == 0 || st.st_uid == geteuid())
		fchmod(fd, st.st_mode & 07777);
}

static int replace_file(const char *file, int folder, const struct buf *text)
{
	_cleanup_buf_ struct buf temporary = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int r;

	buf_addf(&temporary, "%s.XXXXXX", file);
	if (buf_error(&temporary))
		return -ENOMEM;
	fd = mkostemp(temporary.data, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	take_owner(fd, file);
	r = write_all(fd, text);
	if (r == 0 && rename(temporary.data, file) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary.data);
		return r;
	}
	return fsync(folder) < 0 ? -errno : 0;
}

/* Does the new text say what was wanted? */
typedef bool (*wanted_fn)(const struct yaml_node *root, const void *arg);

static int change_commit(struct change *c, wanted_fn wanted, const void *arg)
{
	struct settings *s = NULL;
	int r;

	if (c->edits.n == 0 && c->edits.error == 0)
		return 0;
	r = change_apply(c);
	if (r == 0 && !wanted(c->tree.root, arg))
		return cannot_edit(c);
	if (r == 0)
		r = load_quietly(c, &c->text, "", &s, c->findings);
	settings_unref(s);
	return r < 0 ? r : replace_file(buf_str(&c->file), c->folder, &c->text);
}

struct setting {
	const char *name, *key, *value;
	const struct settings_key *known;
	struct buf scalar; /* the value as YAML */
};

static bool list_is(const struct yaml_node *list, const char *items)
{
	_cleanup_buf_ struct buf joined = BUF_INIT;

	for (int i = 0; list->kind == YAML_LIST && i < list->n; i++)
		buf_addf(&joined, "%s%s", i ? "," : "",
			 list->entries[i].value->text ? list->entries[i].value->text : "?");
	return list->kind == YAML_LIST && strcmp(buf_str(&joined), items) == 0;
}

static bool setting_stands(const struct yaml_node *root, const struct setting *s)
{
	const struct yaml_node *n = yaml_get(yaml_get(yaml_get(root, "buckets"), s->name), s->key);

	if (!n)
		return false;
	if (s->known->type == VALUE_GLOBS)
		return list_is(n, s->value);
	return n->kind == YAML_SCALAR && strcmp(n->text, s->value) == 0;
}

static int refuse(struct findings *findings, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A complaint about what was asked for, which stands in no file. */
static int refuse(struct findings *findings, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	findings_add(findings, FINDING_ERROR, &(struct place){0}, "%s", buf_str(&text));
	return -EINVAL;
}

/* Checks one item, or the whole scalar. A variable may be set only where the daemon runs. */
static int check_item(const struct setting *s, const char *item, struct findings *findings)
{
	_cleanup_buf_ struct buf text = BUF_INIT, why = BUF_INIT;
	_cleanup_value_ struct settings_value v = {0};
	int r = settings_expand(item, &text, &why);

	if (r == 0)
		r = settings_value_parse(s->known, buf_str(&text), &v, &why);
	return r == -EINVAL ? refuse(findings, "%s: %s", s->key, buf_str(&why)) : r == -ENXIO ? 0 : r;
}

/* The value as YAML: a scalar, or for a key that takes a list its items in []. */
static int write_value(struct setting *s, struct findings *findings)
{
	struct buf *out = &s->scalar;
	bool is_text = s->known->type == VALUE_TEXT || s->known->type == VALUE_PATH || s->known->type == VALUE_GLOBS;
	const char *item = s->value;
	int r = 0;

	if (s->known->type != VALUE_GLOBS) {
		yaml_add_scalar(out, s->value, is_text);
		return check_item(s, s->value, findings);
	}
	buf_addc(out, '[');
	while (*item && r == 0) {
		size_t n = strcspn(item, ",");
		_cleanup_free_ char *one = strndup(item, n);

		if (!one)
			return -ENOMEM;
		buf_adds(out, item == s->value ? "" : ", ");
		yaml_add_scalar(out, one, is_text);
		r = check_item(s, one, findings);
		item += n + (item[n] == ',');
	}
	buf_addc(out, ']');
	return r;
}

static int check_setting(struct setting *s, struct findings *findings)
{
	_cleanup_buf_ struct buf hint = BUF_INIT, shown = BUF_INIT;
	const char *problem = bucket_name_problem(s->name);

	buf_add_shown(&shown, s->name, strlen(s->name));
	if (problem)
		return refuse(findings, "%s: a bucket cannot have a name that %s", buf_str(&shown), problem);
	s->known = settings_key_find(SECTION_BUCKET, s->key);
	if (s->known)
		return 0;
	settings_key_suggest(&hint, SECTION_BUCKET, s->key);
	buf_clear(&shown);
	buf_add_shown(&shown, s->key, strlen(s->key));
	return refuse(findings, "%s: unknown key of a bucket%s", buf_str(&shown), buf_str(&hint));
}

static void edit_setting(struct change *c, const struct setting *s)
{
	const char *const path[] = {"buckets", s->name, s->key};
	const char *scalar = buf_str(&s->scalar);
	const struct yaml_node *map = c->tree.root;

	for (int i = 0; i < 3; i++) {
		const struct yaml_entry *entry = yaml_get_entry(map, path[i]);

		if (!entry)
			yaml_edit_insert(&c->edits, map, path + i, 3 - i, scalar);
		else if (i == 2)
			yaml_edit_replace(&c->edits, entry, scalar);
		else if (yaml_is_null(entry->value))
			yaml_edit_insert_below(&c->edits, map, entry, path + i + 1, 2 - i, scalar);
		if (!entry || yaml_is_null(entry->value))
			return;
		map = entry->value;
		/* What is written once for several buckets cannot be changed for one. */
		if (map->shared)
			c->edits.error = -EINVAL;
	}
}

/* Several settings of one bucket. */
struct settings_wanted {
	struct setting *list;
	int n;
};

static void wanted_release(struct settings_wanted *w)
{
	for (int i = 0; i < w->n; i++)
		buf_release(&w->list[i].scalar);
	free(w->list);
}

/* Nothing of the file is needed to tell whether they are right: all of them are looked at first. */
static int check_wanted(struct settings_wanted *w, struct findings *findings)
{
	int r = 0;

	for (int i = 0; i < w->n && r == 0; i++) {
		r = check_setting(&w->list[i], findings);
		if (r == 0)
			r = write_value(&w->list[i], findings);
		for (int k = 0; k < i && r == 0; k++)
			if (strcmp(w->list[k].key, w->list[i].key) == 0)
				r = refuse(findings, "%s: given twice", w->list[i].key);
	}
	return r;
}

static bool all_stand(const struct yaml_node *root, const void *arg)
{
	const struct settings_wanted *w = arg;

	for (int i = 0; i < w->n; i++)
		if (!setting_stands(root, &w->list[i]))
			return false;
	return true;
}

int settings_set_bucket(const char *lake, const char *name, const struct bucket_setting *set, int n,
			struct findings *findings)
{
	_cleanup_(wanted_release) struct settings_wanted w = {.list = calloc((size_t)n, sizeof(*w.list))};
	_cleanup_change_ struct change c = {.folder = -1};
	int r;

	if (!w.list)
		return -ENOMEM;
	for (; w.n < n; w.n++)
		w.list[w.n] = (struct setting){.name = name, .key = set[w.n].key, .value = set[w.n].value};
	r = check_wanted(&w, findings);
	if (r == 0)
		r = change_begin(&c, lake, findings);
	for (int i = 0; i < n && r == 0; i++) {
		if (i > 0) /* where it goes is known once the one before is there */
			r = change_apply(&c);
		if (r == 0)
			edit_setting(&c, &w.list[i]);
	}
	return r < 0 ? r : change_commit(&c, all_stand, &w);
}

/* Calls FN with each map of buckets: the file's, and those of its environments (ENV: their names). */
static void for_each_buckets(struct change *c, void (*fn)(struct change *, struct yaml_node *, const char *env, void *),
			     void *arg)
{
	const struct yaml_node *environments = yaml_get(c->tree.root, "environments");
	struct yaml_node *map = yaml_get(c->tree.root, "buckets");

	if (map && map->kind == YAML_MAP)
		fn(c, map, "", arg);
	for (int i = 0; environments && i < environments->n; i++) {
		map = yaml_get(environments->entries[i].value, "buckets");
		if (map && map->kind == YAML_MAP)
			fn(c, map, environments->entries[i].key->text, arg);
	}
}

static bool is_declared(const struct yaml_node *root, const char *name)
{
	const struct yaml_node *environments = yaml_get(root, "environments");
	bool found = yaml_get(yaml_get(root, "buckets"), name);

	for (int i = 0; environments && i < environments->n; i++)
		found = found || yaml_get(yaml_get(environments->entries[i].value, "buckets"), name);
	return found;
}

struct renaming {
	const char *from, *to;
};

/* Is the bucket's `path` only another way to say LAKE/buckets/NAME? */
static bool path_is_usual(struct change *c, const char *env, const char *name)
{
	struct settings *s = NULL;
	bool usual = false;

	if (load_quietly(c, &c->text, env, &s, NULL) == 0)
		usual = settings_bucket(s, name)->path == NULL;
	settings_unref(s);
	return usual;
}

/* A usual path ends with the bucket's name, which changes. */
static void rename_path(struct change *c, const struct yaml_entry *bucket, const char *env, const struct renaming *r)
{
	const struct yaml_entry *path = yaml_get_entry(bucket->value, "path");
	_cleanup_buf_ struct buf text = BUF_INIT, scalar = BUF_INIT;
	size_t len, from = strlen(r->from);

	if (!path || path->value->kind != YAML_SCALAR || yaml_is_null(path->value) || !path_is_usual(c, env, r->from))
		return;
	len = path->value->len;
	while (len && strchr("/\\", path->value->text[len - 1]))
		len--;
	if (len < from || strncmp(path->value->text + len - from, r->from, from) != 0)
		return;
	buf_add(&text, path->value->text, len - from);
	buf_adds(&text, r->to);
	yaml_add_scalar(&scalar, buf_str(&text), true);
	if (bucket->value->shared)
		c->edits.error = -EINVAL;
	yaml_edit_replace(&c->edits, path, buf_str(&scalar));
}

static void rename_in(struct change *c, struct yaml_node *buckets, const char *env, void *arg)
{
	const struct renaming *r = arg;
	const struct yaml_entry *from = yaml_get_entry(buckets, r->from), *to = yaml_get_entry(buckets, r->to);

	if (!from)
		return;
	if (to)
		yaml_edit_remove(&c->edits, buckets, to);
	yaml_edit_rename(&c->edits, from, r->to);
	rename_path(c, from, env, r);
}

static bool is_renamed(const struct yaml_node *root, const void *arg)
{
	const struct renaming *r = arg;

	return !is_declared(root, r->from) && is_declared(root, r->to);
}

int settings_rename_bucket(const char *lake, const char *from, const char *to, struct findings *findings)
{
	struct renaming r = {from, to};
	_cleanup_change_ struct change c = {.folder = -1};
	int ret = change_begin(&c, lake, findings);

	if (ret < 0 || strcmp(from, to) == 0)
		return ret;
	for_each_buckets(&c, rename_in, &r);
	return change_commit(&c, is_renamed, &r);
}

static void remove_in(struct change *c, struct yaml_node *buckets, const char *env, void *arg)
{
	const struct yaml_entry *entry = yaml_get_entry(buckets, arg);

	(void)env;
	if (entry)
		yaml_edit_remove(&c->edits, buckets, entry);
}

static bool is_removed(const struct yaml_node *root, const void *arg)
{
	return !is_declared(root, arg);
}

int settings_remove_bucket(const char *lake, const char *name, struct findings *findings)
{
	_cleanup_change_ struct change c = {.folder = -1};
	int r = change_begin(&c, lake, findings);

	if (r < 0)
		return r;
	for_each_buckets(&c, remove_in, (void *)name);
	return change_commit(&c, is_removed, name);
}
