/*
 * Applying records to the tables: the writer's half of the store. Inside meta/ only.
 *
 * Every function returns SQLITE_OK or the code of an error that concerns the whole group (disk full, out of memory, a
 * damaged file): the group is then rolled back and tried again later. A row that does not fit what is there (an unknown
 * node, an id that is taken) is no such error: it is logged and left out, and the rest of its record is applied, for
 * one wrong row must not stop the store for ever.
 */
#ifndef TARN_META_APPLY_APPLY_H
#define TARN_META_APPLY_APPLY_H

#include "meta/conn.h"
#include "meta/record.h"
#include "meta/tally.h"

/* A node that this record made, known without looking. */
struct fresh_node {
	uint64_t id, size;
	enum node_kind kind;
	bool named, stub;
};

/* A series that this record hands over: what OVER had before any of them moved, so that two may swap. */
struct series_take {
	uint64_t node, over, asset;
};

/* A folder that has this day (apply_day.c). */
struct noted_day {
	uint64_t folder;
	int64_t day;
};
#define DAYS_CACHED 1021
#define ALONE_CACHED 509

struct apply {
	struct conn *conn;
	struct tally *tally;
	const struct record *record;
	struct fresh_node *fresh;
	size_t fresh_count, fresh_room;
	struct series_take *takes;
	size_t take_count, take_room, take_next;
	uint64_t left; /* the node that left its series in this record */
	struct noted_day days[DAYS_CACHED];
	uint64_t alone[ALONE_CACHED]; /* folders that took nobody's place (line.h) */
	bool jobs;		      /* jobs were added since this was cleared */
	bool found;		      /* the index of what files are was changed in this group */
	bool forgotten;		      /* and something in it is not to be kept in any form */
	uint64_t *unindexed;	      /* nodes that are to be put into it at the end of the group */
	size_t unindexed_count, unindexed_room;
	struct described_text {
		const void *text, *sample; /* packed, borrowed from the record; NULL: none */
		size_t text_len, sample_len;
	} described;
	int complaints; /* in this minute */
	int64_t minute;
};

int apply_record(struct apply *a, const struct record *r);
/* Frees what it keeps between records. */
void apply_release(struct apply *a);

/* ---- shared by the apply_*.c files ---- */

/*
 * What a failed statement means: SQLITE_OK when it was this row's fault (then it is logged, with WHAT and ID), else RC,
 * for the group.
 */
int apply_failed(struct apply *a, int rc, const char *what, uint64_t id);
/* Logs that a row is left out, and why: SQLITE_OK. */
int apply_refused(struct apply *a, const char *what, uint64_t id, const char *reason);
/* The same because what it is about is not in the store. */
int apply_missing(struct apply *a, const char *what, uint64_t id);
/* Runs a statement whose parameters are all integers. CHANGES (may be NULL): how many rows. */
int apply_numbers(struct apply *a, enum sql id, int *changes, const int64_t *values, int count);
#define APPLY(a, id, changes, ...)                                    \
	apply_numbers(a, id, changes, (const int64_t[]){__VA_ARGS__}, \
		      sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* What many changes need to know of a node. */
struct node_brief {
	enum node_kind kind;
	uint64_t size, asset, version;
	bool stub;
	int64_t mode, uid, gid, acl, mtime;
	int volume;
	size_t handle_len;
	uint8_t handle[FHANDLE_BLOB_MAX];
};
int apply_node_brief(struct apply *a, uint64_t node, struct node_brief *out, bool *found);
int apply_node_named(struct apply *a, uint64_t node, bool *named);
/* The node when this record made it, else NULL. */
struct fresh_node *apply_fresh(struct apply *a, uint64_t node);

/* Something changed in FOLDER, or about NODE: in the folder that the record names, else in that of its first name. */
int apply_day(struct apply *a, uint64_t folder);
int apply_day_of(struct apply *a, uint64_t node);
/* After a group that was rolled back: what was learnt from its rows. */
void apply_forget(struct apply *a);

/* What the totals and the series count of a version. */
struct version_brief {
	uint64_t asset, node, size, stored;
	enum version_state state;
	enum version_how how;
	bool settled;
};

int apply_version_find(struct apply *a, uint64_t id, struct version_brief *out, bool *found);
bool apply_version_readable(const struct version_brief *v);
/* In the totals, SIGN times. */
void apply_version_count(struct apply *a, const struct version_brief *v, int sign);
/* One less is not kept for the reason that the row of version ID has now. */
int apply_uncount_reason(struct apply *a, uint64_t id);

/* What is deleted from now on is overwritten with zeros: ALL of it, or what costs nothing. */
int apply_overwrite(struct apply *a, bool all);

/* A live VERSION becomes the next one of series ASSET: its bytes are that path's content from this commit on. */
int apply_version_move(struct apply *a, uint64_t version, uint64_t asset);
/* The hash of a version is known: has one of its neighbours in its series the same content? */
int apply_version_compare(struct apply *a, uint64_t id);

/* VERSION, if it is live and in the cloud, SIGN times in the totals. */
int apply_uploaded(struct apply *a, uint64_t version, int sign);
/* PACK is no more: its objects in the cloud are to go. */
int apply_cloud_pack_over(struct apply *a, uint64_t pack);
/* NODE has another name, or none any more: its objects follow, if it has any; those of what is in a folder, too. */
int apply_cloud_follow(struct apply *a, uint64_t node, enum node_kind kind);
/* VERSION is over, or its content is another by now: its objects go, unless another version needs them, which has
 * them then. */
int apply_cloud_over(struct apply *a, uint64_t version);
/* The objects of OLDER are NEWER's, which has the same content. */
int apply_cloud_hand_over(struct apply *a, uint64_t older, uint64_t newer);

/* What a file is found by: it has another NAME; it has none any more; its extended attributes were set. */
int apply_found_name(struct apply *a, uint64_t node, const char *name);
int apply_found_end(struct apply *a, uint64_t node);
int apply_found_xattrs(struct apply *a, uint64_t node);
/* VERSION expired: only what is small is told of it still. It never was, or, with FORGET, is purged: nothing is. */
int apply_description_expire(struct apply *a, uint64_t version);
int apply_description_drop(struct apply *a, uint64_t version, bool forget);
/* At the end of a group: what changed is indexed, and what is forgotten leaves the index, too. */
int apply_found_finish(struct apply *a);
/* After a group, whatever became of it. */
void apply_found_done(struct apply *a);

/* A job that is due at once. */
int apply_job(struct apply *a, enum job_type type, uint64_t subject);

/* The edges of OLDER are NEWER's, which takes its place. */
int apply_edges_same(struct apply *a, uint64_t newer, uint64_t older);
/* Was something made from VERSION? Then it cannot be dropped. */
int apply_edges_lead_from(struct apply *a, uint64_t version, bool *found);
/* VERSION never was. */
int apply_edges_drop(struct apply *a, uint64_t version);
/* The hash of VERSION is known: which edges from and to it are copies? */
int apply_edges_hashed(struct apply *a, uint64_t version);

int apply_node_add(struct apply *a, struct record_reader *in);
int apply_node_set(struct apply *a, struct record_reader *in);
int apply_node_writing(struct apply *a, struct record_reader *in);
int apply_node_end(struct apply *a, struct record_reader *in);
int apply_node_stub(struct apply *a, struct record_reader *in);
int apply_node_pin(struct apply *a, struct record_reader *in);
int apply_cloud_set(struct apply *a, struct record_reader *in);
int apply_cloud_verified(struct apply *a, struct record_reader *in);
int apply_cloud_state(struct apply *a, struct record_reader *in);
int apply_cloud_remove(struct apply *a, struct record_reader *in);
int apply_cloud_handed(struct apply *a, struct record_reader *in);
int apply_node_target(struct apply *a, struct record_reader *in);
int apply_node_xattrs(struct apply *a, struct record_reader *in);
int apply_forget_handles(struct apply *a, struct record_reader *in);
int apply_entry_add(struct apply *a, struct record_reader *in);
int apply_entry_end(struct apply *a, struct record_reader *in);
int apply_series_take(struct apply *a, struct record_reader *in);
int apply_series_leave(struct apply *a, struct record_reader *in);
int apply_version_add(struct apply *a, struct record_reader *in);
int apply_version_state(struct apply *a, struct record_reader *in);
int apply_version_how(struct apply *a, struct record_reader *in);
int apply_version_same(struct apply *a, struct record_reader *in);
int apply_version_drop(struct apply *a, struct record_reader *in);
int apply_version_grow(struct apply *a, struct record_reader *in);
int apply_version_settled(struct apply *a, struct record_reader *in);
int apply_version_facts(struct apply *a, struct record_reader *in);
int apply_version_forget(struct apply *a, struct record_reader *in);
int apply_node_forget(struct apply *a, struct record_reader *in);
int apply_label_set(struct apply *a, struct record_reader *in);
int apply_label_remove(struct apply *a, struct record_reader *in);
int apply_pack_set(struct apply *a, struct record_reader *in);
int apply_pack_remove(struct apply *a, struct record_reader *in);
int apply_object_set(struct apply *a, struct record_reader *in);
int apply_object_remove(struct apply *a, struct record_reader *in);
int apply_job_add(struct apply *a, struct record_reader *in);
int apply_job_done(struct apply *a, struct record_reader *in);
int apply_job_retry(struct apply *a, struct record_reader *in);
int apply_run(struct apply *a, struct record_reader *in);
int apply_opens(struct apply *a, struct record_reader *in);
int apply_lake(struct apply *a, struct record_reader *in);
int apply_synced(struct apply *a, struct record_reader *in);
int apply_durable(struct apply *a, struct record_reader *in);
int apply_quality(struct apply *a, struct record_reader *in);
int apply_described_text(struct apply *a, struct record_reader *in);
int apply_description(struct apply *a, struct record_reader *in);
int apply_tags(struct apply *a, struct record_reader *in);
int apply_edge(struct apply *a, struct record_reader *in);
int apply_run_wrote(struct apply *a, struct record_reader *in);

/* The node that is made at this path goes on with the series that waits there, if one does. */
int apply_series_inherit(struct apply *a, uint64_t node, uint64_t parent, const char *name, size_t len);

#endif
