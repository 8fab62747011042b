/*
 * Two walks over the same tree by the same functions: the first with a NULL struct settings finds what is wrong in all
 * of the file, environments included; the second, over the tree with the chosen environment merged in, stores.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/settings_load.h"

/* Where the walk is: "environments", "production", "storage" from the inside out. */
struct scope {
	const struct scope *up;
	const char *name;
};

struct walk {
	const struct loading *loading;
	struct settings *settings; /* NULL: only check */
	bool may_lack_variables;   /* in an environment that is not the chosen one */
	int error;		   /* -ENOMEM */
};

static void add_scope(struct buf *b, const struct scope *s)
{
	if (!s)
		return;
	add_scope(b, s->up);
	buf_add_key(b, s->name);
	buf_addc(b, '.');
}

static void say(struct walk *w, enum finding_level level, const struct yaml_node *n, const struct scope *in,
		const char *name, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* "storage.min_age: message", at N. */
static void say(struct walk *w, enum finding_level level, const struct yaml_node *n, const struct scope *in,
		const char *name, const char *fmt, ...)
{
	struct place at = {w->loading->file, n->line, n->col};
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	if (w->settings)
		return;
	add_scope(&text, in);
	buf_add_key(&text, name);
	buf_adds(&text, ": ");
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	findings_add(w->loading->findings, level, &at, "%s", buf_str(&text));
}

static void say_unknown(struct walk *w, const struct yaml_node *key, const struct scope *in, const char *section)
{
	_cleanup_buf_ struct buf hint = BUF_INIT;

	settings_key_suggest(&hint, section, key->text);
	say(w, FINDING_WARNING, key, in, key->text, "unknown key%s", buf_str(&hint));
}

static void walk_scalar(struct walk *w, const struct yaml_node *n, const struct scope *in, const struct settings_key *k,
			struct settings_value *v)
{
	_cleanup_buf_ struct buf text = BUF_INIT, why = BUF_INIT;
	int r;

	if (n->kind != YAML_SCALAR) {
		say(w, FINDING_ERROR, n, in, k->name, "one value is expected, not %s", yaml_kind_name(n));
		return;
	}
	r = settings_expand(n->text, &text, &why);
	if (r == 0)
		r = settings_value_parse(k, buf_str(&text), v, &why);
	if (r == -ENOMEM)
		w->error = r;
	else if (r < 0 && !(r == -ENXIO && w->may_lack_variables))
		say(w, FINDING_ERROR, n, in, k->name, "%s", buf_str(&why));
}

static void walk_value(struct walk *w, const struct yaml_node *n, const struct scope *in, const struct settings_key *k,
		       void *base)
{
	_cleanup_value_ struct settings_value v = {0};

	if (yaml_is_null(n))
		return;
	if (k->type == VALUE_GLOBS && n->kind == YAML_LIST) {
		for (int i = 0; i < n->n; i++)
			walk_scalar(w, n->entries[i].value, in, k, &v);
		/* `exclude: []` excludes nothing, which differs from not saying it. */
		if (!v.globs)
			v.globs = calloc(1, sizeof(*v.globs));
	} else {
		walk_scalar(w, n, in, k, &v);
	}
	if (w->settings && w->error == 0)
		settings_value_store(k, &v, base);
}

/* Is N a map? Nothing is as good as an empty one. */
static bool is_section(struct walk *w, const struct yaml_node *n, const struct scope *in, const char *name)
{
	if (n->kind == YAML_MAP)
		return true;
	if (!yaml_is_null(n))
		say(w, FINDING_ERROR, n, in, name, "keys and values are expected, not %s", yaml_kind_name(n));
	return false;
}

static void walk_section(struct walk *w, const struct yaml_node *map, const struct scope *in, const char *section,
			 void *base)
{
	for (int i = 0; i < map->n; i++) {
		const struct yaml_entry *e = &map->entries[i];
		const struct settings_key *k = settings_key_find(section, e->key->text);

		if (k)
			walk_value(w, e->value, in, k, base);
		else
			say_unknown(w, e->key, in, section);
	}
}

static struct bucket_policy *new_policy(struct walk *w, const char *name)
{
	struct settings *s = w->settings;
	struct bucket_policy *p = realloc(s->buckets, (size_t)(s->nbuckets + 1) * sizeof(*p));

	if (!p) {
		w->error = -ENOMEM;
		return NULL;
	}
	s->buckets = p;
	p += s->nbuckets;
	bucket_policy_init(p);
	p->declared = true;
	p->name = strdup(name);
	if (!p->name)
		w->error = -ENOMEM;
	s->nbuckets++;
	return p;
}

static void walk_bucket(struct walk *w, const struct yaml_entry *e, const struct scope *in)
{
	struct scope here = {in, e->key->text};
	const char *problem = bucket_name_problem(e->key->text);
	struct bucket_policy *p = NULL;

	if (problem)
		say(w, FINDING_ERROR, e->key, in, e->key->text, "a bucket cannot have a name that %s", problem);
	else if (e->key->text[0] == '.')
		say(w, FINDING_WARNING, e->key, in, e->key->text,
		    "a bucket whose name begins with a dot is private: its tier, retention and catalog are not used");
	if (w->settings)
		p = new_policy(w, e->key->text);
	if (w->error == 0 && is_section(w, e->value, in, e->key->text))
		walk_section(w, e->value, &here, SECTION_BUCKET, p);
	if (p && e->key->text[0] == '.')
		bucket_policy_set_private(p);
}

static void walk_sections(struct walk *w, const struct yaml_node *map, const struct scope *in);

static void walk_environments(struct walk *w, const struct yaml_node *map)
{
	struct scope in = {NULL, "environments"};

	for (int i = 0; i < map->n; i++) {
		const struct yaml_entry *e = &map->entries[i];
		const char *chosen = w->loading->environment;
		struct scope here = {&in, e->key->text};

		w->may_lack_variables = !chosen || strcmp(chosen, e->key->text) != 0;
		if (is_section(w, e->value, &in, e->key->text))
			walk_sections(w, e->value, &here);
	}
	w->may_lack_variables = false;
}

static bool is_header(const char *name)
{
	return strcmp(name, "tarn") == 0 || strcmp(name, "neurolake") == 0;
}

static void walk_top_level(struct walk *w, const struct yaml_entry *e, const struct scope *in)
{
	const char *name = e->key->text;
	struct scope here = {in, name};
	bool known = false, only_at_top = is_header(name) || strcmp(name, "environments") == 0;

	for (int i = 0; settings_sections[i]; i++)
		known = known || strcmp(name, settings_sections[i]) == 0;
	if (known && only_at_top && in) {
		say(w, FINDING_WARNING, e->key, in, name, "unknown key, it belongs to the top level of the file");
	} else if (!known) {
		say_unknown(w, e->key, in, NULL);
	} else if (!is_section(w, e->value, in, name)) {
		return;
	} else if (strcmp(name, "environments") == 0) {
		if (!w->settings)
			walk_environments(w, e->value);
	} else if (strcmp(name, "buckets") == 0) {
		for (int i = 0; i < e->value->n && w->error == 0; i++)
			walk_bucket(w, &e->value->entries[i], &here);
	} else {
		walk_section(w, e->value, &here, is_header(name) ? SECTION_HEADER : name, w->settings);
	}
}

static void walk_sections(struct walk *w, const struct yaml_node *map, const struct scope *in)
{
	for (int i = 0; i < map->n; i++)
		walk_top_level(w, &map->entries[i], in);
}

static void check_environment(const struct loading *l)
{
	const struct yaml_entry *e = yaml_get_entry(l->root, "environments");
	struct place at = {l->file, e ? e->key->line : 1, e ? e->key->col : 1};
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!l->environment || (e && yaml_get(e->value, l->environment)))
		return;
	buf_add_shown(&text, l->environment, strlen(l->environment));
	buf_adds(&text, " (TARN_ENV) is none of the environments");
	if (!e || e->value->kind != YAML_MAP || e->value->n == 0)
		buf_adds(&text, ", for the file has none");
	for (int i = 0; e && e->value->kind == YAML_MAP && i < e->value->n; i++) {
		buf_adds(&text, i ? ", " : ": ");
		buf_add_key(&text, e->value->entries[i].key->text);
	}
	findings_add(l->findings, FINDING_ERROR, &at, "%s", buf_str(&text));
}

void settings_check(struct loading *l)
{
	struct walk w = {.loading = l};

	walk_sections(&w, l->root, NULL);
	check_environment(l);
}

int settings_store(struct loading *l, struct settings *s)
{
	struct walk w = {.loading = l, .settings = s};

	if (l->environment) {
		const struct yaml_node *chosen = yaml_get(yaml_get(l->root, "environments"), l->environment);
		int r = chosen->kind == YAML_MAP ? yaml_merge(l->root, chosen) : 0;

		s->environment = strdup(l->environment);
		if (r < 0 || !s->environment)
			return -ENOMEM;
	}
	walk_sections(&w, l->root, NULL);
	return w.error;
}

static int override_one(const struct loading *l, struct settings *s, const struct settings_key *k, const char *variable)
{
	_cleanup_value_ struct settings_value v = {0};
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *text = getenv(variable);
	struct place nowhere = {0};
	int r;

	if (!text || !text[0])
		return 0;
	r = settings_value_parse(k, text, &v, &why);
	if (r == 0)
		settings_value_store(k, &v, s);
	else if (r == -EINVAL)
		findings_add(l->findings, FINDING_ERROR, &nowhere, "%s: %s", variable, buf_str(&why));
	return r == -ENOMEM ? r : 0;
}

/* Variables that look like ours, of a section but no key of it. */
static void find_unknown_variables(const struct loading *l)
{
	static const char *const sections[] = {"TARN_STORAGE_", "TARN_CATALOG_", "TARN_HYBRID_STORAGE_",
					       "TARN_MONITORING_"};
	struct place nowhere = {0};

	for (char **e = environ; e && *e; e++) {
		size_t len = strcspn(*e, "=");
		bool ours = false, known = false;

		for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
			ours = ours || strncmp(*e, sections[i], strlen(sections[i])) == 0;
		for (const struct settings_key *k = settings_keys; ours && !known && k->section; k++) {
			_cleanup_buf_ struct buf variable = BUF_INIT;

			known = settings_key_variable(k, &variable) && variable.len == len &&
				memcmp(variable.data, *e, len) == 0;
		}
		if (ours && !known)
			findings_add(l->findings, FINDING_WARNING, &nowhere,
				     "%.*s: this environment variable overrides no known key", (int)len, *e);
	}
}

int settings_override(struct loading *l, struct settings *s)
{
	int r = 0;

	for (const struct settings_key *k = settings_keys; k->section && r == 0; k++) {
		_cleanup_buf_ struct buf variable = BUF_INIT;

		if (settings_key_variable(k, &variable))
			r = override_one(l, s, k, buf_str(&variable));
	}
	find_unknown_variables(l);
	return r;
}

struct place settings_place(const struct loading *l, const char *section, const char *key, struct buf *name)
{
	const struct settings_key *k = settings_key_find(section, key);
	const struct yaml_node *n = yaml_get(yaml_get(l->root, section), key);
	const char *value = NULL;

	buf_clear(name);
	if (k && settings_key_variable(k, name))
		value = getenv(buf_str(name));
	if (value && value[0])
		return (struct place){0};
	buf_clear(name);
	buf_addf(name, "%s.%s", section, key);
	return n ? (struct place){l->file, n->line, n->col} : (struct place){l->file, 0, 0};
}
