/*
 * Every verb, as its file defines it. A new one is a file, a line here and a line in verb.c.
 */
#ifndef TARN_CLI_VERB_LIST_H
#define TARN_CLI_VERB_LIST_H

#include "cli/cli.h"

extern const struct verb verb_init, verb_adopt, verb_mount, verb_umount, verb_reload, verb_status, verb_doctor,
	verb_bucket, verb_versions, verb_restore, verb_diff, verb_label, verb_publish, verb_gc, verb_purge,
	verb_restore_lake, verb_tier, verb_evict, verb_recall, verb_pin, verb_unpin, verb_import, verb_sync, verb_fsck,
	verb_scrub, verb_sql, verb_tag, verb_find, verb_check, verb_catalog, verb_lineage, verb_why;

#endif
