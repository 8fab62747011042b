/* Loading: read, parse, check everything, then store, override and resolve. */
#include "config/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/hours.h"
#include "config/settings_load.h"

static int settings_new(struct settings **out)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->cloud_burst_threshold_percent = 80;
	s->cloud_burst_target_percent = -1;
	s->min_age = 60;
	s->pack_after = 600;
	s->history_budget_gb = -1;
	s->recall_budget_gb = -1;
	s->version_interval = 15 * 60;
	s->metadata_backup = true;
	s->metadata_interval = 20;
	s->passthrough_stack_depth = 1;
	s->auto_lineage = s->auto_schema_detection = true;
	s->log_level = LOG_LEVEL_INFO;
	s->metrics_enabled = s->audit_enabled = true;
	bucket_policy_init(&s->undeclared);
	bucket_policy_init(&s->undeclared_private);
	bucket_policy_set_private(&s->undeclared_private);
	*out = s;
	return 0;
}

static void settings_free(struct settings *s)
{
	for (int i = 0; i < s->nbuckets; i++)
		bucket_policy_release(&s->buckets[i]);
	bucket_policy_release(&s->undeclared);
	bucket_policy_release(&s->undeclared_private);
	free(s->buckets);
	free(s->cloud_provider);
	free(s->cloud_bucket);
	free(s->cloud_prefix);
	free(s->cloud_region);
	free(s->cloud_endpoint);
	free(s->cloud_path);
	free(s->cloud_signature);
	free(s->cloud_ca_file);
	free(s->cloud_profile);
	free(s->cloud_storage_class);
	free(s->cloud_sse);
	free(s->cloud_sse_key);
	free(s->cloud_path_style);
	free(s->cloud_hours);
	policy_release_deny(s);
	policy_release_redact(s);
	free(s->log_path);
	free(s->base_path);
	free(s->catalog_path);
	free(s->environment);
	free(s);
}

struct settings *settings_ref(struct settings *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void settings_unref(struct settings *s)
{
	if (s && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
		settings_free(s);
}

static int say_error(const char *file, struct findings *f, int error, const char *what)
{
	findings_add(f, FINDING_ERROR, &(struct place){.file = file}, "%s: %s", what, strerror(-error));
	return error;
}

int settings_read_file(const char *file, struct buf *text, struct findings *f)
{
	/* Not to hang where the file is a FIFO. */
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char chunk[65536];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return say_error(file, f, -errno, "cannot open the settings");
	if (fstat(fd, &st) < 0)
		return say_error(file, f, -errno, "cannot read the settings");
	if (!S_ISREG(st.st_mode))
		return say_error(file, f, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, "the settings are no plain file");
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say_error(file, f, -errno, "cannot read the settings");
		buf_add(text, chunk, (size_t)n);
		if (text->len > YAML_TEXT_MAX) {
			findings_add(f, FINDING_ERROR, &(struct place){file, 1, 1}, "larger than %d MiB",
				     YAML_TEXT_MAX >> 20);
			return -EINVAL;
		}
	}
	return buf_error(text);
}

/* What only shows in two values together. */
static void check_together(const struct loading *l, struct settings *s)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct hours hours;
	struct place at;

	if (s->cloud_burst_target_percent < 0)
		s->cloud_burst_target_percent =
			s->cloud_burst_threshold_percent > 10 ? s->cloud_burst_threshold_percent - 10 : 0;
	if (s->cloud_burst_target_percent > s->cloud_burst_threshold_percent) {
		at = settings_place(l, "storage", "cloud_burst_target_percent", &name);
		findings_add(l->findings, FINDING_ERROR, &at,
			     "%s: %.15g is above cloud_burst_threshold_percent (%.15g)", buf_str(&name),
			     s->cloud_burst_target_percent, s->cloud_burst_threshold_percent);
	}
	at = settings_place(l, "hybrid_storage", "cloud_hours", &name);
	if (!hours_parse(s->cloud_hours, &hours))
		findings_add(l->findings, FINDING_ERROR, &at, "%s: \"%s\" is not HH:MM-HH:MM", buf_str(&name),
			     s->cloud_hours);
	at = settings_place(l, "hybrid_storage", "cloud_provider", &name);
	if (s->cloud_provider && strcmp(s->cloud_provider, "s3") == 0 && !s->cloud_bucket)
		findings_add(l->findings, FINDING_WARNING, &at, "%s: s3 needs cloud_bucket, until then all stays local",
			     buf_str(&name));
	if (s->cloud_provider && strcmp(s->cloud_provider, "dir") == 0 && !s->cloud_path)
		findings_add(l->findings, FINDING_WARNING, &at, "%s: dir needs cloud_path, until then all stays local",
			     buf_str(&name));
}

static int complete_policies(struct settings *s)
{
	int r = bucket_policy_complete(&s->undeclared);

	policy_complete_deny(s);
	policy_complete_redact(s);

	if (r == 0)
		r = bucket_policy_complete(&s->undeclared_private);
	for (int i = 0; r == 0 && i < s->nbuckets; i++)
		r = bucket_policy_complete(&s->buckets[i]);
	return r;
}

/* Among the findings of this load: the list may have others. */
static bool has_failed(const struct loading *l)
{
	for (int i = l->first; i < l->findings->n; i++)
		if (l->findings->list[i].level == FINDING_ERROR)
			return true;
	return false;
}

/* The file is right in itself; L->root is a map. */
static int build(struct loading *l, struct settings **out)
{
	struct settings *s;
	int r = settings_new(&s);

	if (r < 0)
		return r;
	r = settings_store(l, s);
	if (r == 0)
		r = settings_override(l, s);
	if (r == 0)
		r = settings_resolve_paths(l, s);
	if (r == 0)
		r = complete_policies(s);
	if (r == 0)
		check_together(l, s);
	if (r == 0 && has_failed(l))
		r = -EINVAL;
	if (r < 0)
		settings_unref(s);
	else
		*out = s;
	return r;
}

static int check_root(const struct loading *l)
{
	const struct yaml_node *root = l->root;
	struct place at = {l->file, root ? root->line : 1, root ? root->col : 1};

	if (root && root->kind == YAML_MAP)
		return 0;
	if (!root || yaml_is_null(root))
		findings_add(l->findings, FINDING_ERROR, &at, "there are no settings in this file, not one key");
	else
		findings_add(l->findings, FINDING_ERROR, &at, "sections with keys and values are expected, not %s",
			     yaml_kind_name(root));
	return -EINVAL;
}

int settings_load_text(const char *lake, const char *file, const struct buf *text, const char *env,
		       struct settings **out, struct findings *findings)
{
	struct loading l = {.lake = lake, .file = file, .environment = env, .findings = findings, .first = findings->n};
	_cleanup_yaml_ struct yaml_tree tree = {0};
	int r;

	if (!env)
		l.environment = getenv("TARN_ENV");
	if (l.environment && !l.environment[0])
		l.environment = NULL;
	r = yaml_tree_parse(&tree, buf_str(text), text->len, file, findings);
	l.root = tree.root;
	if (r == 0)
		r = check_root(&l);
	if (r < 0)
		return r;
	settings_check(&l);
	r = has_failed(&l) ? -EINVAL : build(&l, out);
	findings_sort(findings, l.first);
	return r;
}

static void file_name(const char *lake, struct buf *out)
{
	buf_addf(out, "%s/config/settings.yaml", lake);
}

int settings_load(const char *lake, const char *env, struct settings **out, struct findings *findings)
{
	_cleanup_buf_ struct buf file = BUF_INIT, text = BUF_INIT;
	int r;

	file_name(lake, &file);
	r = settings_read_file(buf_str(&file), &text, findings);
	return r < 0 ? r : settings_load_text(lake, buf_str(&file), &text, env, out, findings);
}

static int copy_keys(const struct yaml_node *map, char ***names)
{
	int n = map && map->kind == YAML_MAP ? map->n : 0;
	char **list = calloc((size_t)n + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		list[i] = strdup(map->entries[i].key->text);
		if (!list[i]) {
			while (i)
				free(list[--i]);
			free(list);
			return -ENOMEM;
		}
	}
	*names = list;
	return 0;
}

int settings_environments(const char *lake, char ***names)
{
	_cleanup_buf_ struct buf file = BUF_INIT, text = BUF_INIT;
	_cleanup_yaml_ struct yaml_tree tree = {0};
	struct findings ignored = {0};
	int r;

	file_name(lake, &file);
	r = settings_read_file(buf_str(&file), &text, &ignored);
	if (r == 0)
		r = yaml_tree_parse(&tree, buf_str(&text), text.len, buf_str(&file), &ignored);
	findings_release(&ignored);
	return r < 0 ? r : copy_keys(yaml_get(tree.root, "environments"), names);
}
