/* What tarn restore-lake says when it is done. */
#include <inttypes.h>

#include "cli/facts.h"
#include "cli/human.h"
#include "cli/restore/restore_lake.h"

void restored_tell_names(const struct restoring *r)
{
	const struct rebuild_counts *c = &r->counts;
	_cleanup_buf_ struct buf size = BUF_INIT, lost = BUF_INIT, at = BUF_INIT, word = BUF_INIT;

	human_size(&size, c->bytes);
	human_size(&lost, c->lost_bytes);
	human_time(&at, r->time);
	shell_word(&word, r->lake);
	printf("restored the lake %s as of %s: %" PRIu64 " folders, %" PRIu64 " files (%s)\n", r->lake, buf_str(&at),
	       c->folders, c->files, buf_str(&size));
	if (c->versions)
		printf("%" PRIu64 " of %" PRIu64 " old versions are there\n", c->versions - c->versions_lost,
		       c->versions);
	if (c->lost)
		printf("%" PRIu64 " files (%s) were only on the lost disk; %s/" LOST " names them\n", c->lost,
		       buf_str(&lost), r->lake);
	if (!r->all)
		printf("\nnext:\n  tarn mount %s      files come when they are opened\n", buf_str(&word));
}

void restored_tell_data(const struct restored_data *d)
{
	_cleanup_buf_ struct buf size = BUF_INIT;

	human_size(&size, d->bytes);
	printf("brought back the bytes of %" PRIu64 " files (%s)\n", d->files, buf_str(&size));
	if (d->failed)
		printf("%" PRIu64 " files could not be brought back; do it again, or open them\n", d->failed);
}

void restored_tell_json(const struct restoring *r)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	const struct rebuild_counts *c = &r->counts;
	_cleanup_buf_ struct buf at = BUF_INIT;

	buf_add_time(&at, r->time);
	json_object_object_add(o, "lake", json_object_new_string(r->lake));
	json_object_object_add(o, "as_of", json_object_new_string(buf_str(&at)));
	json_add_number(o, "commit", r->commit);
	json_add_number(o, "folders", c->folders);
	json_add_number(o, "files", c->files);
	json_add_number(o, "bytes", c->bytes);
	json_add_number(o, "symlinks", c->symlinks);
	json_add_number(o, "lost", c->lost);
	json_add_number(o, "lost_bytes", c->lost_bytes);
	json_add_number(o, "versions", c->versions);
	json_add_number(o, "versions_lost", c->versions_lost);
	json_add_number(o, "versions_lost_bytes", c->versions_lost_bytes);
	if (r->all) {
		json_add_number(o, "data_files", r->data.files);
		json_add_number(o, "data_bytes", r->data.bytes);
		json_add_number(o, "data_failed", r->data.failed);
	}
	json_print(o);
}
