# SPDX-License-Identifier: GPL-3.0-or-later
# The tests, and the files that they need; included by Makefile.am.

# A real S3 server, and what is tested with it. They stand together, so that the server is started once.
s3_tests = \
	tests/s3/server.sh \
	tests/s3/conform-curl.sh \
	tests/s3/conform-libs3.sh \
	tests/s3/conform-dir.sh \
	tests/integration/cloud-burst.sh \
	tests/integration/cloud-credentials.sh \
	tests/integration/cloud-faults.sh \
	tests/integration/cloud-spaces.sh

# Stubs in lakes that are killed or whose power fails.
stub_tests = \
	tests/integration/stub-crash.sh \
	tests/integration/stub-exchange.sh \
	tests/integration/stub-history.sh \
	tests/integration/stub-looks.sh \
	tests/integration/stub-power.sh \
	tests/integration/stub-write.sh

lint_tests = \
	tests/lint/banned \
	tests/lint/layers \
	tests/lint/length \
	tests/lint/man \
	tests/lint/no-machine-paths \
	tests/lint/settings-keys \
	tests/lint/shell \
	tests/lint/sources \
	tests/lint/verbs

# What files are, beside what DuckDB takes them for.
sniff_tests = \
	tests/sniff/files.sh \
	tests/sniff/fuzz.sh

unit_tests = \
	tests/unit/test_base_array \
	tests/unit/test_base_buf \
	tests/unit/test_base_caller \
	tests/unit/test_base_fhandle \
	tests/unit/test_base_log \
	tests/unit/test_base_moment \
	tests/unit/test_base_which \
	tests/unit/test_cli_control \
	tests/unit/test_cli_copying \
	tests/unit/test_cli_csv \
	tests/unit/test_cli_human \
	tests/unit/test_cli_mount_options \
	tests/unit/test_cli_mounts \
	tests/unit/test_cli_place \
	tests/unit/test_cli_verbs \
	tests/unit/test_cli_version_path \
	tests/unit/test_config_broken \
	tests/unit/test_config_edit \
	tests/unit/test_config_policy \
	tests/unit/test_config_settings \
	tests/unit/test_config_table \
	tests/unit/test_content_chain \
	tests/unit/test_content_draft \
	tests/unit/test_content_frames \
	tests/unit/test_content_mark \
	tests/unit/test_content_pack \
	tests/unit/test_content_pack_map \
	tests/unit/test_content_recall \
	tests/unit/test_content_remote \
	tests/unit/test_content_stub \
	tests/unit/test_content_undo \
	tests/unit/test_content_xattrs \
	tests/unit/test_lineage_origin \
	tests/unit/test_lineage_redact \
	tests/unit/test_meta_asset \
	tests/unit/test_meta_catalog \
	tests/unit/test_meta_changes \
	tests/unit/test_meta_cloud \
	tests/unit/test_meta_crash \
	tests/unit/test_meta_fault \
	tests/unit/test_meta_job \
	tests/unit/test_meta_label \
	tests/unit/test_meta_line \
	tests/unit/test_meta_lineage \
	tests/unit/test_meta_node \
	tests/unit/test_meta_open \
	tests/unit/test_meta_pack \
	tests/unit/test_meta_past \
	tests/unit/test_meta_random \
	tests/unit/test_meta_scrub \
	tests/unit/test_meta_threads \
	tests/unit/test_meta_version \
	tests/unit/test_meta_wal \
	tests/unit/test_ns_folder_times \
	tests/unit/test_sniff_checks \
	tests/unit/test_sniff_csv \
	tests/unit/test_sniff_description \
	tests/unit/test_sniff_json \
	tests/unit/test_sniff_mime \
	tests/unit/test_sniff_parquet \
	tests/unit/test_sniff_sqlite \
	tests/unit/test_sniff_worker \
	tests/unit/test_tier_credentials \
	tests/unit/test_tier_dir \
	tests/unit/test_tier_key \
	tests/unit/test_tier_pace \
	tests/unit/test_tier_s3 \
	tests/unit/test_work_cloud_pack \
	tests/unit/test_work_expire \
	tests/unit/test_work_gc \
	tests/unit/test_work_handle \
	tests/unit/test_work_hash \
	tests/unit/test_work_job \
	tests/unit/test_work_pack \
	tests/unit/test_work_purge \
	tests/unit/test_work_race \
	tests/unit/test_work_scan \
	tests/unit/test_work_upload

# What one program asks and is answered: nothing happens beside it that TSan could see and other tests do not show.
verb_tests = \
	tests/integration/acl.sh \
	tests/integration/bucket-added.sh \
	tests/integration/bucket-elsewhere.sh \
	tests/integration/bucket-private.sh \
	tests/integration/bucket-root.sh \
	tests/integration/bucket-verbs.sh \
	tests/integration/catalog-copy.sh \
	tests/integration/catalog-declared.sh \
	tests/integration/catalog-find.sh \
	tests/integration/catalog-tables.sh \
	tests/integration/catalog-tags.sh \
	tests/integration/catalog-page.sh \
	tests/integration/catalog-parts.sh \
	tests/integration/catalog-users.sh \
	tests/integration/cloud-mark.sh \
	tests/integration/copy-lake.sh \
	tests/integration/diff-folders.sh \
	tests/integration/diff-tables.sh \
	tests/integration/diff.sh \
	tests/integration/disk-full.sh \
	tests/integration/doctor-cloud.sh \
	tests/integration/doctor.sh \
	tests/integration/fsck-cloud.sh \
	tests/integration/fsck.sh \
	tests/integration/import-s3.sh \
	tests/integration/import.sh \
	tests/integration/init-layout.sh \
	tests/integration/label.sh \
	tests/integration/mount-elsewhere.sh \
	tests/integration/mount-foreground.sh \
	tests/integration/mount-fstab.sh \
	tests/integration/mount-other-users.sh \
	tests/integration/mount-read-only.sh \
	tests/integration/mount-user.sh \
	tests/integration/numbers.sh \
	tests/integration/ownership.sh \
	tests/integration/past-attributes.sh \
	tests/integration/past-labels.sh \
	tests/integration/past-listing.sh \
	tests/integration/past-mount-users.sh \
	tests/integration/past-mount.sh \
	tests/integration/past-permissions.sh \
	tests/integration/past-read-only.sh \
	tests/integration/past-times.sh \
	tests/integration/past-tree.sh \
	tests/integration/purge.sh \
	tests/integration/restore-acl.sh \
	tests/integration/restore-database.sh \
	tests/integration/restore-folders.sh \
	tests/integration/restore-gone.sh \
	tests/integration/restore-lake.sh \
	tests/integration/restore.sh \
	tests/integration/scrub.sh \
	tests/integration/settings-errors.sh \
	tests/integration/settings-values.sh \
	tests/integration/sql.sh \
	tests/integration/statfs.sh \
	tests/integration/stats.sh \
	tests/integration/status.sh \
	tests/integration/suid.sh \
	tests/integration/tier-verbs.sh \
	tests/integration/usage.sh \
	tests/integration/version-mode.sh \
	tests/integration/version-mtime.sh \
	tests/integration/version-names.sh \
	tests/integration/version-permissions.sh \
	tests/integration/version-read-only.sh \
	tests/integration/version-real-names.sh \
	tests/integration/version-times.sh \
	tests/integration/versions.sh \
	tests/integration/xattr.sh

integration_tests = \
	tests/integration/allocate.sh \
	tests/integration/append-late.sh \
	tests/integration/appends.sh \
	tests/integration/aside-lost.sh \
	tests/integration/aside-mapped.sh \
	tests/integration/aside-unsynced.sh \
	tests/integration/burst-history.sh \
	tests/integration/burst.sh \
	tests/integration/catalog-assets.sh \
	tests/integration/catalog-background.sh \
	tests/integration/cloud-compress.sh \
	tests/integration/cloud-hours.sh \
	tests/integration/cloud-metadata.sh \
	tests/integration/cloud-packs-crash.sh \
	tests/integration/cloud-packs.sh \
	tests/integration/cloud-secrets.sh \
	tests/integration/crash-loop.sh \
	tests/integration/database.sh \
	tests/integration/deleted-reopened.sh \
	tests/integration/disk-history.sh \
	tests/integration/fsync-crash.sh \
	tests/integration/gc.sh \
	tests/integration/hard-links.sh \
	tests/integration/in-place-lost.sh \
	tests/integration/in-place-ways.sh \
	tests/integration/in-place-xfs.sh \
	tests/integration/in-place.sh \
	tests/integration/lineage.sh \
	tests/integration/locks.sh \
	tests/integration/many-names.sh \
	tests/integration/mapping.sh \
	tests/integration/model.sh \
	tests/integration/mount-in-place.sh \
	tests/integration/mount-stale.sh \
	tests/integration/mount-synth.sh \
	tests/integration/mount-wedged.sh \
	tests/integration/names-reused.sh \
	tests/integration/names-with-at.sh \
	tests/integration/odirect.sh \
	tests/integration/one-run.sh \
	tests/integration/outside.sh \
	tests/integration/partial.sh \
	tests/integration/passthrough.sh \
	tests/integration/past-busy.sh \
	tests/integration/past-passthrough.sh \
	tests/integration/power-failure.sh \
	tests/integration/programs-append.sh \
	tests/integration/programs-backup.sh \
	tests/integration/programs-duckdb.sh \
	tests/integration/programs-editors.sh \
	tests/integration/programs-git.sh \
	tests/integration/programs-in-place.sh \
	tests/integration/programs-log.sh \
	tests/integration/programs-logrotate.sh \
	tests/integration/programs-open.sh \
	tests/integration/programs-overwrite.sh \
	tests/integration/programs-past-folder.sh \
	tests/integration/programs-replace.sh \
	tests/integration/programs-rsync.sh \
	tests/integration/programs-sqlite.sh \
	tests/integration/programs-unchanged.sh \
	tests/integration/programs-walk.sh \
	tests/integration/publish-crash.sh \
	tests/integration/publish-race.sh \
	tests/integration/publish.sh \
	tests/integration/readdir-delete.sh \
	tests/integration/recall-who.sh \
	tests/integration/recall.sh \
	tests/integration/reload.sh \
	tests/integration/rename-flags.sh \
	tests/integration/rename-remount.sh \
	tests/integration/same-content.sh \
	tests/integration/series-content.sh \
	tests/integration/series-folder.sh \
	tests/integration/series.sh \
	tests/integration/store-damaged.sh \
	tests/integration/stub.sh \
	tests/integration/sync-open.sh \
	tests/integration/text-busy.sh \
	tests/integration/tmpfile.sh \
	tests/integration/truncate-unlink.sh \
	tests/integration/umount-busy.sh \
	tests/integration/unlinked-open.sh \
	tests/integration/upload.sh \
	tests/integration/version-excluded.sh \
	tests/integration/version-keep.sh \
	tests/integration/version-loop.sh \
	tests/integration/version-open-expired.sh \
	tests/integration/version-packed-crash.sh \
	tests/integration/version-packed-in-place.sh \
	tests/integration/version-packed.sh \
	tests/integration/version-taken.sh \
	tests/integration/version-temporary.sh \
	tests/integration/volume-order.sh

# Programs that tests and benchmarks call.
test_programs = \
	tests/bench/catalog \
	tests/bench/evict \
	tests/bench/histbench \
	tests/bench/iobench \
	tests/bench/pack \
	tests/bench/policy \
	tests/bench/store \
	tests/crash/mapstore \
	tests/crash/stubstorm \
	tests/fuzz/sniff \
	tests/integration/send_away \
	tests/s3/conformance \
	tests/sniff/describe

tests_s3_conformance_SOURCES = \
	tests/s3/conform.c \
	tests/s3/conform.h \
	tests/s3/conform_access.c \
	tests/s3/conform_bytes.c \
	tests/s3/conform_faults.c \
	tests/s3/conform_keys.c \
	tests/s3/conform_lists.c

# What they need besides.
test_files = \
	tests/data tests/lsan.supp tests/summary tests/tsan.supp \
	tests/bench/arrival tests/bench/cloud tests/bench/history tests/bench/history.py tests/bench/report.py \
	tests/bench/run \
	tests/bench/scale tests/bench/space tests/bench/space_reads.py tests/bench/space_versions.py \
	tests/crash/kill.py tests/crash/model.py tests/crash/worker.py \
	tests/integration/cloud-lib.sh tests/integration/in-place.py tests/integration/lib.sh \
	tests/integration/programs-lib.sh \
	tests/lint/tap.sh \
	tests/long/SUITES.md tests/long/big.py tests/long/big.sh tests/long/cloud-burst.sh tests/long/cloud-faults.sh tests/long/cloud-rsync.sh \
	tests/long/cloud_faults.py tests/long/copies.sh tests/long/crash.sh tests/long/dpkg.sh tests/long/files.py \
	tests/long/fsstress.sh tests/long/fsx.sh tests/long/git.sh tests/long/lib.sh tests/long/libreoffice.sh \
	tests/long/log.sh tests/long/make.sh tests/long/mapping.py tests/long/mapping.sh tests/long/model.sh \
	tests/long/names.py tests/long/names.sh tests/long/outside.py tests/long/outside.sh tests/long/page.sh tests/long/pjdfstest.sh \
	tests/long/postgres.sh tests/long/power.sh tests/long/publish.py tests/long/publish.sh \
	tests/long/results/1c0e8e0-cloud.txt tests/long/results/1d454ca.txt tests/long/results/2fa38ed.txt \
	tests/long/results/38ded24-rsync.txt tests/long/results/54b27dc-scale.txt tests/long/results/58a7a0f-model-cloud.txt tests/long/results/58ccf64-log.txt \
	tests/long/results/712b42d-faults.txt tests/long/results/71061cb-model.txt tests/long/results/80206dd.txt tests/long/results/8cbd77c-model.txt \
	tests/long/results/8d5f53a.txt tests/long/results/9823a4d-model.txt tests/long/results/a40083e-fsx.txt tests/long/results/c08ee5b-big.txt \
	tests/long/results/e9bdd04-fsx-walk.txt tests/long/run tests/long/sqlite.sh \
	tests/long/sqlite_writers.py tests/long/tree.py tests/long/walk.py tests/long/walk.sh \
	tests/model/disk.py tests/model/lake.py tests/model/look.py tests/model/operations.py tests/model/past.py \
	tests/model/play.py tests/model/run.py tests/model/tree.py tests/model/worker.py \
	tests/page/browser.py tests/page/look.py tests/page/query.js tests/page/search.js \
	tests/s3/conform-s3.sh tests/s3/faults tests/s3/rgw tests/s3/s3 tests/s3/use.sh \
	tests/sniff/compare tests/sniff/differences tests/sniff/duckdb.expected tests/sniff/duckdb.mjs tests/sniff/samples \
	tests/unit/tap.h tests/unit/test_config.h tests/unit/test_content_pack.h tests/unit/test_http.h \
	tests/unit/test_meta.h tests/unit/test_stub.h tests/unit/test_tier.h tests/unit/test_work.h
