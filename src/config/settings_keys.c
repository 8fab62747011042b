#include "config/settings_keys.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/finding.h"
#include "config/settings.h"

static const struct settings_word tiers[] = {
	{"local", TIER_LOCAL}, {"pinned", TIER_PINNED}, {"mirror", TIER_MIRROR},
	{"cloud", TIER_CLOUD}, {"hybrid", TIER_LOCAL},	{NULL, 0},
};
static const struct settings_word backends[] = {{"json", 1}, {"sqlite", 0}, {NULL, 0}};
static const struct settings_word compressions[] = {{"none", 0}, {"zstd", 1}, {NULL, 0}};
static const struct settings_word providers[] = {{"s3", 1}, {"dir", 1}, {"none", 0}, {NULL, 0}};
static const struct settings_word signatures[] = {{"v2", 1}, {"v4", 1}, {NULL, 0}};
static const struct settings_word path_styles[] = {{"auto", 1}, {"true", 1}, {"false", 1}, {NULL, 0}};
static const struct settings_word encryptions[] = {{"AES256", 1}, {"aws:kms", 1}, {NULL, 0}};
static const struct settings_word levels[] = {
	{"ERROR", LOG_LEVEL_ERROR},
	{"WARNING", LOG_LEVEL_WARNING},
	{"INFO", LOG_LEVEL_INFO},
	{"DEBUG", LOG_LEVEL_DEBUG},
	{NULL, 0},
};

const char *const settings_sections[] = {
	"tarn", "neurolake", "storage", "buckets", "catalog", "hybrid_storage", "monitoring", "environments", NULL,
};

#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define IN(member) MEMBER(struct settings, member)
#define OF(member) MEMBER(struct bucket_policy, member)
#define NOT_KEPT .size = 0

#define FROM(low, high) .min = (low), .max = (high)
#define ABOVE(low, high) .min = (low), .max = (high), .range = RANGE_ABOVE_MIN
#define OR_FOR_EVER(high) .min = 0, .max = (high), .range = RANGE_OR_FOR_EVER

#define GB_MAX 1e9	 /* 10^18 bytes */
#define SECONDS_MAX 1e10 /* three centuries */
#define DAYS_MAX 1e6
#define COUNT_MAX 1e6

const struct settings_key settings_keys[] = {
	{"tarn", "version", VALUE_TEXT, NOT_KEPT},
	{"tarn", "initialized_at", VALUE_TEXT, NOT_KEPT},
	{"tarn", "platform", VALUE_TEXT, NOT_KEPT},

	{"storage", "base_path", VALUE_PATH, IN(base_path)},
	{"storage", "local_capacity_gb", VALUE_NUMBER, IN(local_capacity_gb), ABOVE(0, GB_MAX)},
	{"storage", "cloud_burst_enabled", VALUE_BOOL, IN(cloud_burst_enabled)},
	{"storage", "cloud_burst_threshold_percent", VALUE_NUMBER, IN(cloud_burst_threshold_percent), ABOVE(0, 100)},
	{"storage", "cloud_burst_target_percent", VALUE_NUMBER, IN(cloud_burst_target_percent), FROM(0, 100)},
	{"storage", "min_age", VALUE_TIME, IN(min_age), FROM(0, SECONDS_MAX)},
	{"storage", "history_budget_gb", VALUE_NUMBER, IN(history_budget_gb), FROM(0, GB_MAX)},
	{"storage", "pack_after", VALUE_TIME, IN(pack_after), FROM(0, SECONDS_MAX)},
	{"storage", "version_interval", VALUE_TIME, IN(version_interval), FROM(1, SECONDS_MAX)},
	{"storage", "passthrough_stack_depth", VALUE_COUNT, IN(passthrough_stack_depth), FROM(1, 2)},

	{"bucket", "path", VALUE_PATH, OF(path)},
	{"bucket", "tier", VALUE_WORD, OF(tier), .words = tiers},
	{"bucket", "retention_days", VALUE_TIME, OF(retention_days), OR_FOR_EVER(DAYS_MAX)},
	{"bucket", "keep_last", VALUE_COUNT, OF(keep_last), FROM(0, COUNT_MAX)},
	{"bucket", "purpose", VALUE_TEXT, OF(purpose)},
	{"bucket", "auto_catalog", VALUE_BOOL, OF(auto_catalog)},
	{"bucket", "exclude", VALUE_GLOBS, OF(exclude)},
	{"bucket", "compress", VALUE_WORD, OF(compress), .words = compressions},

	{"catalog", "storage_path", VALUE_PATH, IN(catalog_path)},
	{"catalog", "backend", VALUE_WORD, IN(backend_json), .words = backends},
	{"catalog", "auto_lineage", VALUE_BOOL, IN(auto_lineage)},
	{"catalog", "redact", VALUE_GLOBS, IN(redact)},
	{"catalog", "auto_schema_detection", VALUE_BOOL, IN(auto_schema_detection)},

	{"hybrid_storage", "local_threshold_gb", VALUE_NUMBER, IN(local_threshold_gb), ABOVE(0, GB_MAX)},
	{"hybrid_storage", "cloud_provider", VALUE_CHOICE, IN(cloud_provider), .words = providers},
	{"hybrid_storage", "cloud_bucket", VALUE_TEXT, IN(cloud_bucket)},
	{"hybrid_storage", "cloud_prefix", VALUE_TEXT, IN(cloud_prefix)},
	{"hybrid_storage", "cloud_region", VALUE_TEXT, IN(cloud_region)},
	{"hybrid_storage", "cloud_endpoint", VALUE_URL, IN(cloud_endpoint)},
	{"hybrid_storage", "cloud_path", VALUE_PATH, IN(cloud_path)},
	{"hybrid_storage", "cloud_allow_same_disk", VALUE_BOOL, IN(cloud_allow_same_disk)},
	{"hybrid_storage", "recall_deny", VALUE_GLOBS, IN(recall_deny)},
	{"hybrid_storage", "recall_budget_gb", VALUE_NUMBER, IN(recall_budget_gb), FROM(0, GB_MAX)},
	{"hybrid_storage", "cloud_ca_file", VALUE_PATH, IN(cloud_ca_file)},
	{"hybrid_storage", "cloud_profile", VALUE_TEXT, IN(cloud_profile)},
	{"hybrid_storage", "cloud_path_style", VALUE_CHOICE, IN(cloud_path_style), .words = path_styles},
	{"hybrid_storage", "cloud_storage_class", VALUE_TEXT, IN(cloud_storage_class)},
	{"hybrid_storage", "cloud_sse", VALUE_CHOICE, IN(cloud_sse), .words = encryptions},
	{"hybrid_storage", "cloud_sse_key", VALUE_TEXT, IN(cloud_sse_key)},
	{"hybrid_storage", "cloud_bandwidth_mb", VALUE_NUMBER, IN(cloud_bandwidth_mb), FROM(0, COUNT_MAX)},
	{"hybrid_storage", "cloud_hours", VALUE_TEXT, IN(cloud_hours)},
	{"hybrid_storage", "signature", VALUE_CHOICE, IN(cloud_signature), .words = signatures},
	{"hybrid_storage", "cloud_price_get", VALUE_NUMBER, IN(cloud_price_get), FROM(0, COUNT_MAX)},
	{"hybrid_storage", "cloud_price_put", VALUE_NUMBER, IN(cloud_price_put), FROM(0, COUNT_MAX)},
	{"hybrid_storage", "cloud_price_out", VALUE_NUMBER, IN(cloud_price_out), FROM(0, COUNT_MAX)},
	{"hybrid_storage", "metadata_backup", VALUE_BOOL, IN(metadata_backup)},
	{"hybrid_storage", "metadata_full", VALUE_BOOL, IN(metadata_full)},
	{"hybrid_storage", "metadata_interval", VALUE_TIME, IN(metadata_interval), FROM(1, 60)},

	{"monitoring", "log_level", VALUE_WORD, IN(log_level), .words = levels},
	{"monitoring", "log_path", VALUE_PATH, IN(log_path)},
	{"monitoring", "metrics_enabled", VALUE_BOOL, IN(metrics_enabled)},
	{"monitoring", "audit_enabled", VALUE_BOOL, IN(audit_enabled)},
	{"monitoring", "audit_reads", VALUE_BOOL, IN(audit_reads)},

	{.section = NULL},
};

const struct settings_key *settings_key_find(const char *section, const char *name)
{
	for (const struct settings_key *k = settings_keys; k->section; k++) {
		if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

bool settings_key_variable(const struct settings_key *k, struct buf *out)
{
	if (strcmp(k->section, SECTION_BUCKET) == 0 || strcmp(k->section, SECTION_HEADER) == 0 ||
	    k->type == VALUE_GLOBS)
		return false;
	buf_addf(out, "TARN_%s_%s", k->section, k->name);
	for (size_t i = 0; i < out->len; i++)
		out->data[i] = (char)toupper((unsigned char)out->data[i]);
	return true;
}

#define WORD_MAX 40 /* no key is as long: more of a wrong one tells nothing */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * The edit distance: how many letters must be inserted, dropped, replaced or swapped with their neighbour (optimal
 * string alignment).
 */
static unsigned distance(const char *a, const char *b)
{
	size_t la = strnlen(a, WORD_MAX), lb = strnlen(b, WORD_MAX);
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= la; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);

			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

struct nearest {
	const char *name;
	unsigned distance;
};

static void consider(struct nearest *n, const char *wrong, const char *candidate)
{
	unsigned d = distance(wrong, candidate);

	if (!n->name || d < n->distance)
		*n = (struct nearest){candidate, d};
}

static void add_nearest(struct buf *out, const struct nearest *n)
{
	if (n->distance <= 2 || n->distance <= strlen(n->name) / 3)
		buf_addf(out, ", did you mean %s?", n->name);
	else
		buf_addf(out, ", the nearest known key is %s", n->name);
}

void settings_suggest_among(struct buf *out, const char *const *known, const char *name)
{
	struct nearest n = {NULL, 0};

	for (; *known; known++)
		consider(&n, name, *known);
	add_nearest(out, &n);
}

void settings_key_suggest(struct buf *out, const char *section, const char *name)
{
	struct nearest n = {NULL, 0};

	for (int i = 0; !section && settings_sections[i]; i++)
		consider(&n, name, settings_sections[i]);
	for (const struct settings_key *k = settings_keys; section && k->section; k++) {
		if (strcmp(k->section, section) == 0)
			consider(&n, name, k->name);
	}
	/* The right key in the wrong place is the nearest of all. */
	for (const struct settings_key *k = settings_keys; n.distance > 2 && k->section; k++) {
		if (strcmp(k->name, name) == 0 && strcmp(k->section, SECTION_HEADER) != 0) {
			buf_addf(out, ", it belongs to %s",
				 strcmp(k->section, SECTION_BUCKET) == 0 ? "a bucket" : k->section);
			return;
		}
	}
	add_nearest(out, &n);
}
