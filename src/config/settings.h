/*
 * The settings of a lake: config/settings.yaml, read with libyaml, checked, with defaults, environment sections and
 * TARN_* overrides applied. The format: tarn.yaml(5).
 *
 * A loaded struct settings never changes; a reload makes a new one. It is counted: whoever keeps a pointer holds a
 * reference. Any thread.
 */
#ifndef TARN_CONFIG_SETTINGS_H
#define TARN_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

enum bucket_tier { TIER_LOCAL = 1, TIER_PINNED, TIER_MIRROR, TIER_CLOUD };
const char *bucket_tier_name(enum bucket_tier t);

struct bucket_policy {
	char *name; /* "" in the policy that undeclared buckets share */
	char *path; /* absolute, when the bucket lies elsewhere; NULL: buckets/<name> */
	enum bucket_tier tier;
	int64_t retention_days; /* -1: for ever */
	int64_t keep_last;
	char *purpose; /* "" when not said */
	bool auto_catalog;
	bool versioned; /* false for private ones (a leading dot) */
	bool compress;	/* its objects in the cloud, with zstd */
	char **exclude; /* NULL-terminated globs: the bucket's own, else the default ones */
	bool declared;	/* stands in the file */
};

struct settings {
	/* storage */
	double local_capacity_gb; /* 0: not said */
	bool cloud_burst_enabled;
	double cloud_burst_threshold_percent, cloud_burst_target_percent;
	int64_t min_age;	     /* seconds */
	int64_t pack_after;	     /* seconds */
	double history_budget_gb;    /* <0: not said (20 % of the capacity) */
	int64_t version_interval;    /* seconds */
	int passthrough_stack_depth; /* 1; 2 on overlayfs */
	/* buckets, in the order of the file */
	struct bucket_policy *buckets;
	int nbuckets;
	struct bucket_policy undeclared, undeclared_private;
	/* catalog */
	bool backend_json, auto_lineage, auto_schema_detection;
	char **redact; /* NULL-terminated globs of options and variables; never NULL */
	/* hybrid_storage */
	double local_threshold_gb;							/* 0: not said */
	char *cloud_provider;								/* "s3", "dir"; NULL: none */
	char *cloud_bucket, *cloud_prefix, *cloud_region, *cloud_endpoint, *cloud_path; /* NULL: not said */
	char *cloud_signature;								/* "v2", "v4"; NULL: not said */
	bool cloud_allow_same_disk;
	char **recall_deny;			 /* NULL-terminated globs of programs; never NULL */
	double recall_budget_gb;		 /* <0: not said (a quarter of the disk) */
	double cloud_price_get, cloud_price_put; /* of 1,000 requests; 0: not said */
	double cloud_price_out;			 /* of 1 GB that is read */
	bool metadata_backup;			 /* the store is copied to the cloud */
	bool metadata_full;			 /* with command lines, text and samples */
	int64_t metadata_interval;		 /* seconds between what is copied */
	/* of s3; NULL: not said */
	char *cloud_ca_file, *cloud_profile, *cloud_storage_class, *cloud_sse, *cloud_sse_key;
	char *cloud_path_style;	   /* "auto", "true", "false" */
	char *cloud_hours;	   /* as config/hours.h has them; NULL: always */
	double cloud_bandwidth_mb; /* of background work, 10^6 bytes a second; 0: no limit */
	/* monitoring */
	enum log_level log_level;
	char *log_path; /* NULL: LAKE/logs */
	bool metrics_enabled, audit_enabled, audit_reads;

	char *base_path, *catalog_path; /* as the file has them, for doctor; NULL: not said. The lake is where it is */
	char *environment;		/* the one chosen by TARN_ENV, or NULL */
	unsigned refs;
};

/* One thing to say about the file: "FILE:LINE:COL: message". */
enum finding_level { FINDING_WARNING = 1, FINDING_ERROR };
struct finding {
	enum finding_level level;
	char *text;	    /* with file:line:col in front, or the variable's name */
	unsigned line, col; /* from 1; UINT_MAX for what is not in the file */
};
struct findings {
	struct finding *list;
	int n;
};
void findings_release(struct findings *f);
/* Has it an error? */
bool findings_failed(const struct findings *f);

/*
 * Loads LAKE/config/settings.yaml. LAKE is absolute. ENV: the environment section to merge (NULL: from TARN_ENV).
 * All findings go to FINDINGS, warnings and errors in the file's order; after an error -EINVAL, no settings. A file
 * that is not there or cannot be read: -errno with one finding.
 */
int settings_load(const char *lake, const char *env, struct settings **out, struct findings *findings);
/*
 * The names in `environments:`, for doctor; a NULL-terminated array that the caller frees with its strings. Reads the
 * YAML alone: -EINVAL where that is broken.
 */
int settings_environments(const char *lake, char ***names);

struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s);

/*
 * The policy of bucket NAME, declared or default; it lives as long as S. An undeclared one: local, 30 days, keep_last
 * 3, auto_catalog; a name with a leading dot: pinned, no versions, no catalog.
 */
const struct bucket_policy *settings_bucket(struct settings *s, const char *name);

/* Does a name (one path component) match one of the policy's exclude globs? "x/" matches folders only. */
bool policy_excludes(const struct bucket_policy *p, const char *name, bool is_folder);

/*
 * Why NAME cannot be a bucket's, as a phrase ("is a name that tarn makes itself"), or NULL when it can: any path
 * component, but for the synthetic names and what reads as a version ("x@v", "x@v3").
 */
const char *bucket_name_problem(const char *name);

/* Capacity in bytes: as set (1 GB is 10^9), else (USED + FREE) less 10 %. History's budget: as set, else 20 %. */
uint64_t settings_capacity(const struct settings *s, uint64_t used, uint64_t free_bytes);
uint64_t settings_history_budget(const struct settings *s, uint64_t capacity);
/* The bytes that may come back to stay within an hour because one program reads them, on a disk of DISK bytes. */
uint64_t settings_recall_budget(const struct settings *s, uint64_t disk);

#endif
