# SPDX-License-Identifier: GPL-3.0-or-later
# The sources of each layer (src/README.md), a line for each pair; included by Makefile.am.

libbase_a_SOURCES = \
	src/base/array.c src/base/array.h \
	src/base/banned.h \
	src/base/buf.c src/base/buf.h \
	src/base/caller.c src/base/caller.h \
	src/base/cleanup.h \
	src/base/clock.c src/base/clock.h \
	src/base/csv_read.c src/base/csv_read.h \
	src/base/fhandle.c src/base/fhandle.h \
	src/base/fnv.h \
	src/base/full_io.c src/base/full_io.h \
	src/base/json.h \
	src/base/kernel_order.h \
	src/base/log.c src/base/log.h \
	src/base/moment.c src/base/moment.h \
	src/base/unmount.c src/base/unmount.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/which.c src/base/which.h \
	src/base/xattr_blob.c src/base/xattr_blob.h

libconfig_a_SOURCES = \
	src/config/finding.c src/config/finding.h \
	src/config/hours.c src/config/hours.h \
	src/config/policy.c \
	src/config/settings.c src/config/settings.h \
	src/config/settings_check.c \
	src/config/settings_edit.c src/config/settings_edit.h \
	src/config/settings_keys.c src/config/settings_keys.h \
	src/config/settings_load.h \
	src/config/settings_paths.c \
	src/config/settings_template.c \
	src/config/settings_value.c \
	src/config/table.h src/config/table_load.c \
	src/config/yaml_edit.c src/config/yaml_edit.h \
	src/config/yaml_node.c \
	src/config/yaml_tree.c src/config/yaml_tree.h

liblineage_a_SOURCES = \
	src/lineage/lineage.h \
	src/lineage/origin.c \
	src/lineage/patience.c src/lineage/patience.h \
	src/lineage/pipes.c \
	src/lineage/proc.c src/lineage/proc.h \
	src/lineage/redact.c src/lineage/redact.h \
	src/lineage/table.c \
	src/lineage/table_int.h

libmeta_a_SOURCES = \
	src/meta/apply/apply.c src/meta/apply/apply.h \
	src/meta/apply/apply_catalog.c \
	src/meta/apply/apply_cloud.c \
	src/meta/apply/apply_day.c \
	src/meta/apply/apply_entry.c \
	src/meta/apply/apply_forget.c \
	src/meta/apply/apply_lineage.c \
	src/meta/apply/apply_node.c \
	src/meta/apply/apply_pack.c \
	src/meta/apply/apply_same.c \
	src/meta/apply/apply_version.c \
	src/meta/asset_read.c \
	src/meta/catalog_read.c \
	src/meta/changes.h \
	src/meta/changes_file.c src/meta/changes_file.h \
	src/meta/check.c \
	src/meta/cloud_read.c \
	src/meta/conn.c src/meta/conn.h \
	src/meta/functions.c src/meta/functions.h \
	src/meta/group.c \
	src/meta/journal.c src/meta/journal.h \
	src/meta/label_read.c \
	src/meta/line.c src/meta/line.h \
	src/meta/lineage_read.c \
	src/meta/node_read.c \
	src/meta/numbers.c \
	src/meta/pack_read.c \
	src/meta/past_entries.c \
	src/meta/past_read.c \
	src/meta/record.c src/meta/record.h \
	src/meta/record_catalog.c \
	src/meta/record_lineage.c \
	src/meta/record_pack.c \
	src/meta/record_read.c \
	src/meta/replay.c \
	src/meta/reserve.c src/meta/reserve.h \
	src/meta/run.c \
	src/meta/schema.c src/meta/schema.h \
	src/meta/snapshot.c \
	src/meta/sql.c src/meta/sql.h \
	src/meta/store.c src/meta/store.h \
	src/meta/store_catalog.h \
	src/meta/store_int.h \
	src/meta/store_lineage.h \
	src/meta/store_past.h \
	src/meta/store_test.h \
	src/meta/tally.c src/meta/tally.h \
	src/meta/version_read.c \
	src/meta/wal.c src/meta/wal.h \
	src/meta/writer.c src/meta/writer.h \
	src/meta/writer_int.h

libsniff_a_SOURCES = \
	src/sniff/checks.c src/sniff/checks.h \
	src/sniff/csv.c src/sniff/csv.h \
	src/sniff/csv_dialect.c src/sniff/csv_dialect.h \
	src/sniff/description.c src/sniff/description.h \
	src/sniff/description_json.c \
	src/sniff/input.c src/sniff/input.h \
	src/sniff/json.c src/sniff/json.h \
	src/sniff/json_shape.c src/sniff/json_shape.h \
	src/sniff/json_stream.c src/sniff/json_stream.h \
	src/sniff/mime.c src/sniff/mime.h \
	src/sniff/parquet.c src/sniff/parquet.h \
	src/sniff/parquet_int.h \
	src/sniff/parquet_schema.c \
	src/sniff/personal.c src/sniff/personal.h \
	src/sniff/rows.c src/sniff/rows.h \
	src/sniff/sandbox.c src/sniff/sandbox.h \
	src/sniff/sniff.c src/sniff/sniff.h \
	src/sniff/sqlite.c src/sniff/sqlite.h \
	src/sniff/statistics.c src/sniff/statistics.h \
	src/sniff/text.c src/sniff/text.h \
	src/sniff/thrift.c src/sniff/thrift.h \
	src/sniff/value.c src/sniff/value.h \
	src/sniff/worker.c src/sniff/worker.h \
	src/sniff/worker_main.c

libtier_a_SOURCES = \
	src/tier/s3/credentials.c src/tier/s3/credentials.h \
	src/tier/dir/dir.c \
	src/tier/dir/dir_facts.c \
	src/tier/dir/dir_int.h \
	src/tier/dir/dir_list.c \
	src/tier/dir/dir_path.c \
	src/tier/dir/dir_put.c \
	src/tier/errand.c src/tier/errand.h \
	src/tier/facts.c src/tier/facts.h \
	src/tier/s3/http.c src/tier/s3/http.h \
	src/tier/s3/imds.c src/tier/s3/imds.h \
	src/tier/s3/ini.c src/tier/s3/ini.h \
	src/tier/key.c src/tier/key.h \
	src/tier/pace.c src/tier/pace.h \
	src/tier/s3/s3_curl.c \
	src/tier/s3/s3_error.c \
	src/tier/s3/s3_int.h \
	src/tier/s3/s3_libs3.c \
	src/tier/s3/s3_libs3_int.h \
	src/tier/s3/s3_libs3_run.c \
	src/tier/s3/s3_list.c \
	src/tier/s3/s3_object.c \
	src/tier/s3/s3_parts.c \
	src/tier/s3/s3_remove.c \
	src/tier/s3/s3_request.c \
	src/tier/s3/s3_sign.c src/tier/s3/s3_sign.h \
	src/tier/tier.c src/tier/tier.h \
	src/tier/tier_call.c \
	src/tier/tier_get.c \
	src/tier/tier_int.h \
	src/tier/tier_list.c \
	src/tier/tier_ops.h \
	src/tier/tier_parts.c \
	src/tier/tier_sweep.c \
	src/tier/s3/xml.c src/tier/s3/xml.h

libcontent_a_SOURCES = \
	src/content/appends.c src/content/appends.h \
	src/content/aside.c src/content/aside.h \
	src/content/backing.c \
	src/content/cloud/backup.c src/content/cloud/backup.h \
	src/content/past/base.c src/content/past/base.h \
	src/content/past/chain.c src/content/past/chain.h \
	src/content/past/chain_int.h \
	src/content/past/chain_load.c \
	src/content/cut.c src/content/cut.h \
	src/content/database.c src/content/database.h \
	src/content/cloud/draft.c src/content/cloud/draft.h \
	src/content/cloud/draft_int.h \
	src/content/cloud/draft_load.c \
	src/content/durable.c src/content/durable.h \
	src/content/recall/extents.c src/content/recall/extents.h \
	src/content/folder.c src/content/folder.h \
	src/content/past/former.c src/content/past/former.h \
	src/content/cloud/frames.c src/content/cloud/frames.h \
	src/content/cloud/frames_get.c \
	src/content/cloud/frames_int.h \
	src/content/past/gone.c \
	src/content/handle.c src/content/handle.h \
	src/content/recall/handle_cloud.c \
	src/content/handle_int.h \
	src/content/handle_wait.c \
	src/content/hash.c src/content/hash.h \
	src/content/cloud/holding.c src/content/cloud/holding.h \
	src/content/recall/inflate.c src/content/recall/inflate.h \
	src/content/inode.c src/content/inode.h \
	src/content/past/kept.c src/content/past/kept.h \
	src/content/lake.c src/content/lake.h \
	src/content/lease.c src/content/lease.h \
	src/content/cloud/mark.c src/content/cloud/mark.h \
	src/content/mend.c src/content/mend.h \
	src/content/outside.c src/content/outside.h \
	src/content/outside_int.h \
	src/content/cloud/outside_stub.c \
	src/content/pack/pack_add.c src/content/pack/pack_add.h \
	src/content/pack/pack_ahead.c src/content/pack/pack_ahead.h \
	src/content/pack/pack_cache.c src/content/pack/pack_cache.h \
	src/content/pack/pack_cut.c src/content/pack/pack_cut.h \
	src/content/pack/pack_file.c src/content/pack/pack_file.h \
	src/content/pack/pack_index.c src/content/pack/pack_index.h \
	src/content/pack/pack_io.c src/content/pack/pack_io.h \
	src/content/pack/pack_map.c src/content/pack/pack_map.h \
	src/content/pack/pack_object.c src/content/pack/pack_object.h \
	src/content/pack/pack_writer.c src/content/pack/pack_writer.h \
	src/content/pack/packs.c src/content/pack/packs.h \
	src/content/recall/part_map.c src/content/recall/part_map.h \
	src/content/partial.c src/content/partial.h \
	src/content/past/past.c src/content/past/past.h \
	src/content/past/pin.c src/content/past/pin.h \
	src/content/reach.c src/content/reach.h \
	src/content/cloud/rebuild.c src/content/cloud/rebuild.h \
	src/content/cloud/rebuild_int.h \
	src/content/cloud/rebuild_store.c \
	src/content/cloud/rebuild_versions.c \
	src/content/recall/recall.c src/content/recall/recall.h \
	src/content/recall/recall_caller.c src/content/recall/recall_caller.h \
	src/content/recall/recall_ends.c \
	src/content/recall/recall_fetch.c \
	src/content/recall/recall_int.h \
	src/content/recall/recall_keep.c \
	src/content/recall/recall_read.c \
	src/content/recall/recall_room.c \
	src/content/recall/recall_version.c src/content/recall/recall_version.h \
	src/content/recall/recall_walk.c src/content/recall/recall_walk.h \
	src/content/recover.c src/content/recover.h \
	src/content/registered.c src/content/registered.h \
	src/content/cloud/remote.c src/content/cloud/remote.h \
	src/content/pack/repack.c src/content/pack/repack.h \
	src/content/room.c src/content/room.h \
	src/content/run.c src/content/run.h \
	src/content/scrub_state.c src/content/scrub_state.h \
	src/content/settle.c src/content/settle.h \
	src/content/cloud/stub.c src/content/cloud/stub.h \
	src/content/cloud/stub_evict.c \
	src/content/cloud/stub_int.h \
	src/content/cloud/stub_recall.c \
	src/content/swap.c src/content/swap.h \
	src/content/sync.c \
	src/content/tables.c src/content/tables.h \
	src/content/truncate.c \
	src/content/past/undo_file.c src/content/past/undo_file.h \
	src/content/past/undo_int.h \
	src/content/past/undo_save.c \
	src/content/volume.c src/content/volume.h \
	src/content/past/whole.c src/content/past/whole.h \
	src/content/witness.c src/content/witness.h \
	src/content/xattrs.c src/content/xattrs.h

libns_a_SOURCES = \
	src/ns/attributes.c \
	src/ns/change.h \
	src/ns/creation.c \
	src/ns/facts.c src/ns/facts.h \
	src/ns/find.c src/ns/find.h \
	src/ns/graph.c src/ns/graph.h \
	src/ns/import.c src/ns/import.h \
	src/ns/listing.c \
	src/ns/look_up.c \
	src/ns/ns.h \
	src/ns/open_file.c \
	src/ns/opened.c src/ns/opened.h \
	src/ns/parts.c src/ns/parts.h \
	src/ns/publish/publish.c src/ns/publish/publish.h \
	src/ns/publish/publish_int.h \
	src/ns/publish/publish_intent.c \
	src/ns/publish/publish_plan.c \
	src/ns/reader.c src/ns/reader.h \
	src/ns/real.h \
	src/ns/removal.c \
	src/ns/renaming.c \
	src/ns/sheet.c src/ns/sheet.h \
	src/ns/view/view.c src/ns/view/view.h \
	src/ns/view/view_access.c src/ns/view/view_access.h \
	src/ns/view/view_catalog.c src/ns/view/view_catalog.h \
	src/ns/view/view_catalog_declared.c \
	src/ns/view/view_catalog_export.c \
	src/ns/view/view_catalog_files.c \
	src/ns/view/view_catalog_lists.c \
	src/ns/view/view_catalog_parts.c \
	src/ns/view/view_catalog_search.c \
	src/ns/view/view_catalog_sets.c \
	src/ns/view/view_catalog_table.c \
	src/ns/view/view_file.c \
	src/ns/view/view_file_versions.c \
	src/ns/view/view_history.c \
	src/ns/view/view_lineage.c \
	src/ns/view/view_listing.c \
	src/ns/view/view_moments.c \
	src/ns/view/view_page.c \
	src/ns/view/view_past.c src/ns/view/view_past.h \
	src/ns/view/view_table.c \
	src/ns/view/view_tree.c \
	src/ns/virtual_xattr.c src/ns/virtual_xattr.h

libwork_a_SOURCES = \
	src/work/cloud/backup.c \
	src/work/cloud/backup_int.h \
	src/work/cloud/backup_snapshot.c \
	src/work/cloud/burst.c \
	src/work/cloud/claims.c \
	src/work/cloud/cloud.c src/work/cloud/cloud.h \
	src/work/cloud/cloud_history.c \
	src/work/cloud/cloud_key.c \
	src/work/cloud/cloud_loose.c \
	src/work/cloud/cloud_pack.c \
	src/work/cloud/cloud_remove.c \
	src/work/cloud/cloud_spare.c \
	src/work/described.c src/work/described.h \
	src/work/durable.c \
	src/work/expire.c \
	src/work/fsck/fsck.c src/work/fsck/fsck.h \
	src/work/fsck/fsck_cloud.c \
	src/work/fsck/fsck_history.c \
	src/work/fsck/fsck_int.h \
	src/work/fsck/fsck_tree.c \
	src/work/gc.c src/work/gc.h \
	src/work/cloud/history.c \
	src/work/keeper.c \
	src/work/leftovers.c \
	src/work/pack/pack_int.h \
	src/work/pack/pack_job.c \
	src/work/pack/pack_leftovers.c \
	src/work/pack/pack_own.c \
	src/work/pack/pack_room.c \
	src/work/cloud/policy.c \
	src/work/purge.c src/work/purge.h \
	src/work/purge_folder.c \
	src/work/quality.c src/work/quality.h \
	src/work/cloud/recall_job.c \
	src/work/remove_job.c \
	src/work/retention.c src/work/retention.h \
	src/work/scan.c \
	src/work/fsck/scrub.c src/work/fsck/scrub.h \
	src/work/settle.c \
	src/work/sniff_job.c \
	src/work/cloud/tier_plan.c src/work/cloud/tier_plan.h \
	src/work/tree.c src/work/tree.h \
	src/work/tree_file.c \
	src/work/tree_int.h \
	src/work/cloud/upload.c \
	src/work/cloud/upload_pool.c \
	src/work/work.c src/work/work.h \
	src/work/work_int.h

libfuse_a_SOURCES = \
	src/fuse/lowlevel.h \
	src/fuse/notify.c src/fuse/notify.h \
	src/fuse/ops.h \
	src/fuse/ops_attributes.c \
	src/fuse/ops_files.c \
	src/fuse/ops_folders.c \
	src/fuse/ops_names.c \
	src/fuse/passthrough.h \
	src/fuse/passthrough_api.c \
	src/fuse/passthrough_register.c \
	src/fuse/passthrough_reply.c \
	src/fuse/session.c src/fuse/session.h \
	src/fuse/waiting.c src/fuse/waiting.h

libcli_a_SOURCES = \
	src/cli/adopt.c \
	src/cli/bucket.c \
	src/cli/catalog.c src/cli/catalog.h \
	src/cli/check.c \
	src/cli/cli.h \
	src/cli/control.h \
	src/cli/control_client.c \
	src/cli/daemon/control_server.c \
	src/cli/copying.c src/cli/copying.h \
	src/cli/daemon/daemon.c src/cli/daemon/daemon.h \
	src/cli/daemon/daemon_control.c src/cli/daemon/daemon_control.h \
	src/cli/daemon/daemon_fsck.c src/cli/daemon/daemon_fsck.h \
	src/cli/daemon/daemon_history.c src/cli/daemon/daemon_history.h \
	src/cli/daemon/daemon_import.c src/cli/daemon/daemon_import.h \
	src/cli/daemon/daemon_mounts.c src/cli/daemon/daemon_mounts.h \
	src/cli/daemon/daemon_ready.c \
	src/cli/daemon/daemon_tier.c src/cli/daemon/daemon_tier.h \
	src/cli/database.c src/cli/database.h \
	src/cli/diff/diff.c src/cli/diff/diff.h \
	src/cli/diff/diff_bytes.c \
	src/cli/diff/diff_folder.c \
	src/cli/diff/diff_table.c \
	src/cli/diff/diff_table_print.c \
	src/cli/diff/diff_text.c \
	src/cli/doctor/doctor.c src/cli/doctor/doctor.h \
	src/cli/doctor/doctor_cloud.c \
	src/cli/doctor/doctor_lake.c \
	src/cli/doctor/doctor_machine.c \
	src/cli/duckdb.c src/cli/duckdb.h \
	src/cli/facts.c src/cli/facts.h \
	src/cli/find.c \
	src/cli/fsck.c \
	src/cli/gc.c \
	src/cli/restore/gone.c src/cli/restore/gone.h \
	src/cli/history.c src/cli/history.h \
	src/cli/holders.c src/cli/holders.h \
	src/cli/human.c src/cli/human.h \
	src/cli/import.c \
	src/cli/init.c \
	src/cli/label.c \
	src/cli/layout.c src/cli/layout.h \
	src/cli/lineage.c \
	src/cli/lineage_graph.c src/cli/lineage_graph.h \
	src/cli/lock.c src/cli/lock.h \
	src/cli/message.c \
	src/cli/moments.c src/cli/moments.h \
	src/cli/mount.c \
	src/cli/mount_options.c src/cli/mount_options.h \
	src/cli/mount_report.c \
	src/cli/mounting.c src/cli/mounting.h \
	src/cli/mounting_ask.c \
	src/cli/mounts.c src/cli/mounts.h \
	src/cli/moving.c \
	src/cli/offline.c src/cli/offline.h \
	src/cli/pin.c \
	src/cli/place.c src/cli/place.h \
	src/cli/progress.c src/cli/progress.h \
	src/cli/publish.c \
	src/cli/purge.c \
	src/cli/reload.c src/cli/reload.h \
	src/cli/remote_url.c src/cli/remote_url.h \
	src/cli/restore/restore.c src/cli/restore/restore.h \
	src/cli/restore/restore_data.c \
	src/cli/restore/restore_file.c \
	src/cli/restore/restore_lake.c src/cli/restore/restore_lake.h \
	src/cli/restore/restore_lake_tell.c \
	src/cli/restore/restore_tree.c \
	src/cli/diff/row_changes.c src/cli/diff/row_changes.h \
	src/cli/diff/row_spool.c src/cli/diff/row_spool.h \
	src/cli/schema.c src/cli/schema.h \
	src/cli/scrub.c \
	src/cli/sql.c \
	src/cli/sql_print.c src/cli/sql_print.h \
	src/cli/status.c \
	src/cli/table.c src/cli/table.h \
	src/cli/table_run.c \
	src/cli/tag.c \
	src/cli/tier.c \
	src/cli/tier_ask.c src/cli/tier_ask.h \
	src/cli/umount.c \
	src/cli/verb.c \
	src/cli/verb_list.h \
	src/cli/version_path.c src/cli/version_path.h \
	src/cli/versions.c
