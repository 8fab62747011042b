/*
 * The remote of a lake: opened by its settings, another one after they were read again, none where they name none.
 */
#include "test_work.h"

#include "content/cloud/remote.h"

static const char none[] = "storage: {local_capacity_gb: 1}\n";

static void name_folder(const char *folder)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml),
		 "hybrid_storage: {cloud_provider: dir, cloud_path: \"%s\", cloud_allow_same_disk: true}\n", folder);
	set_settings(yaml);
}

static void reload(void)
{
	struct findings findings = {0};

	is_int(lake_reload(lake, &findings), 0, "the settings are read again");
	findings_release(&findings);
}

int main(void)
{
	struct tier *first, *second;
	uint64_t id;

	test_begin(none);
	open_lake();
	id = lake->id;
	ok(!lake_tier(lake) && !lake->has_tier, "a lake without a remote");
	ok(id != 0, "has a number of its own");
	name_folder(in_lake("first"));
	reload();
	first = lake_tier(lake);
	ok(first && lake->has_tier, "gets the one that the settings name");
	ok(first && strstr(tier_url(first), "first"), "where they say");
	name_folder(in_lake("second"));
	reload();
	second = lake_tier(lake);
	ok(second && strstr(tier_url(second), "second"), "another one then");
	ok(first && strstr(tier_url(first), "first"), "while who has the first goes on with it");
	tier_unref(first);
	tier_unref(second);
	set_settings(none);
	reload();
	ok(!lake_tier(lake) && !lake->has_tier, "and none again");
	close_lake();
	open_lake();
	ok(lake->id == id, "the number stays");
	close_lake();
	return test_end();
}
