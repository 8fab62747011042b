/* Inside config/: the steps of settings_load(), in their order. */
#ifndef TARN_CONFIG_SETTINGS_LOAD_H
#define TARN_CONFIG_SETTINGS_LOAD_H

#include "config/settings_keys.h"
#include "config/yaml_tree.h"

struct loading {
	const char *lake;
	const char *file;	 /* as findings name it */
	const char *environment; /* NULL: none chosen */
	struct findings *findings;
	int first; /* findings before this one are not of this load */
	struct yaml_node *root;
};

/* LAKE/config/settings.yaml, whole. A malloc'ed text; -errno with a finding. */
int settings_read_file(const char *file, struct buf *text, struct findings *f);
/* As settings_load(), for a text that need not be in its file yet. */
int settings_load_text(const char *lake, const char *file, const struct buf *text, const char *env,
		       struct settings **out, struct findings *findings);

/* settings_check.c: finds all that is wrong in the file, chosen or not; stores what it means. 0, -ENOMEM. */
void settings_check(struct loading *l);
int settings_store(struct loading *l, struct settings *s);
int settings_override(struct loading *l, struct settings *s); /* the TARN_* variables */

/* Where the value of a key comes from, for what concerns two keys: the variable, the file's value, or the file. */
struct place settings_place(const struct loading *l, const char *section, const char *key, struct buf *name);

/* settings_paths.c: makes all paths those of this machine, NULL where they are the lake's own. */
int settings_resolve_paths(struct loading *l, struct settings *s);

/* policy.c */
void bucket_policy_init(struct bucket_policy *p);    /* the policy of an undeclared bucket; no name */
int bucket_policy_complete(struct bucket_policy *p); /* fills what was not said; 0, -ENOMEM */
void bucket_policy_set_private(struct bucket_policy *p);
void bucket_policy_release(struct bucket_policy *p);
/* Of recall_deny: the usual one, when it was not said. */
void policy_complete_deny(struct settings *s);
void policy_release_deny(struct settings *s);
/* The same of redact. */
void policy_complete_redact(struct settings *s);
void policy_release_redact(struct settings *s);

#endif
