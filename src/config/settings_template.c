#include "base/clock.h"
#include "config/settings_edit.h"

const struct starter_bucket starter_buckets[] = {
	{"raw-data", "Landing zone for raw data ingestion"},
	{"processed", "Cleaned and transformed data"},
	{"analytics", "Analytics-ready datasets"},
	{"ml-models", "ML model storage"},
	{"archive", "Long-term cold storage"},
	{NULL, NULL},
};

/* What the starter buckets have of their own, in the same order. */
static const struct {
	const char *tier, *retention_days, *auto_catalog;
} starter_policies[] = {
	{"local", "90", "true"},
	{"local", "365", "true"},
	{"local", "730", "true"},
	{"local", "-1  # for ever", "false"},
	{"cloud  # moves there without waiting", "1095", "false"},
};

static void add_buckets(struct buf *out)
{
	for (int i = 0; starter_buckets[i].name; i++) {
		buf_addf(out, "\n  %s:\n", starter_buckets[i].name);
		buf_addf(out, "    tier: %s\n", starter_policies[i].tier);
		buf_addf(out, "    retention_days: %s\n", starter_policies[i].retention_days);
		buf_addf(out, "    purpose: %s\n", starter_buckets[i].purpose);
		buf_addf(out, "    auto_catalog: %s\n", starter_policies[i].auto_catalog);
	}
}

void settings_template(struct buf *out, bool empty)
{
	buf_adds(out,
		 "# The settings of this lake: see tarn.yaml(5). `tarn reload` applies what you change.\n"
		 "\n"
		 "tarn:\n"
		 "  version: 1.0.0\n"
		 "  initialized_at: '");
	buf_add_time(out, clock_wall());
	buf_adds(out,
		 "'\n"
		 "  platform: linux\n"
		 "\n"
		 "storage:\n"
		 "  # local_capacity_gb: 100    # without it: what the lake uses and what is free, less 10 %\n"
		 "  # history_budget_gb: 20     # without it: 20 % of that\n"
		 "  cloud_burst_enabled: true\n"
		 "  cloud_burst_threshold_percent: 80\n"
		 "\n"
		 "# A bucket that is not named here is local and keeps old versions for 30 days.\n"
		 "buckets:\n");
	if (!empty)
		add_buckets(out);
	buf_adds(out,
		 "\n"
		 "catalog:\n"
		 "  backend: sqlite\n"
		 "  auto_lineage: true\n"
		 "  auto_schema_detection: true\n"
		 "\n"
		 "# Where cold files go. Without a provider everything stays on this disk.\n"
		 "# hybrid_storage:\n"
		 "#   cloud_provider: s3\n"
		 "#   cloud_bucket: my-bucket\n"
		 "#   cloud_region: us-east-1\n"
		 "\n"
		 "monitoring:\n"
		 "  log_level: INFO\n"
		 "  metrics_enabled: true\n"
		 "  audit_enabled: true\n");
}
