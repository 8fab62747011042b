/*
 * Inside work/: what the parts of the work on the cloud share.
 *
 *	cloud.c		what all of them ask and record
 *	burst.c		when: watermarks, what may leave, who has to wait; the thread that begins all the rest
 *	policy.c	which files, in which order
 *	upload.c	one file's way to the cloud; upload_pool.c: many at once
 *	cloud_key.c	objects whose files have another name now
 *	cloud_spare.c	what must not be lost when an object is overwritten or removed
 *	history.c	when old versions leave; cloud_history.c: those that the cloud has, too; cloud_pack.c: as packs;
 *			cloud_loose.c: those that packing gains nothing for
 *	cloud_remove.c	objects that nothing needs
 *
 * Who changes objects holds the remote (content/cloud/remote.h). Who changes one claims its key first, so that two of
 * them never do it at once, and reads what the store has of it only then: a row that was read before says what was, and
 * the object may be another's by now. Before a claim is given up, what was recorded can be read. What the cloud is told
 * comes after the store knows that it may happen (an intent, which the store refuses over the last object of something
 * that needs it), and what is believed of it after it was asked again.
 */
#ifndef TARN_WORK_CLOUD_CLOUD_H
#define TARN_WORK_CLOUD_CLOUD_H

#include "content/cloud/remote.h"
#include "tier/key.h"
#include "work/work_int.h"

/* Between which steps a crash may come; tests make it come there. */
enum cloud_step {
	STEP_INTENT = 1, /* of an upload: it is recorded */
	STEP_SENT,	 /* the object is there */
	STEP_LOOKED,	 /* and was asked for */
	STEP_COPY_INTENT,
	STEP_COPIED,
	STEP_SPARED,  /* the copy is recorded */
	STEP_REMOVED, /* the object is gone */
	STEP_PACK_INTENT,
	STEP_PACK_SENT,
	STEP_PACK_VERIFIED, /* and recorded so */
	STEP_PACK_AWAY,	    /* it is recorded that the pack is only there, and its file is gone */
	STEP_LAST
};
extern void (*cloud_step_hook)(enum cloud_step step); /* NULL but in tests */
static inline void cloud_step(enum cloud_step step)
{
	if (cloud_step_hook)
		cloud_step_hook(step);
}

/* ---- keys ---- */

struct claims;
struct claims *claims_new(void); /* NULL: no memory */
void claims_free(struct claims *c);
/* False: somebody else has it, or no memory. Try again later. */
bool claim_key(struct claims *c, const char *key);
void disclaim_key(struct claims *c, const char *key);
/*
 * The key that an object of NODE, COMPRESSed or not, has by the name of the file. 0; CLOUD_NAMELESS: there is no such
 * name, or its bucket keeps its files here; CLOUD_NAME_TAKEN: another file is called as the compressed object would
 * be; -errno.
 */
enum { CLOUD_NAMELESS = 1, CLOUD_NAME_TAKEN };
int cloud_key_by_name(struct lake *lake, struct tier *t, uint64_t node, bool compress, char key[CLOUD_KEY_BYTES + 1]);
/* Those below .tarn/objects/: of VERSION alone; of all versions with C's content. 0 or -errno. */
int cloud_key_of_version(struct tier *t, uint64_t version, bool compress, char key[CLOUD_KEY_BYTES + 1]);
int cloud_key_of_content(struct tier *t, const struct cloud_row *c, char key[CLOUD_KEY_BYTES + 1]);
/* KEY is what was FOUND for it. 0; -ENAMETOOLONG; -ENOMEM. */
int cloud_set_key(char key[CLOUD_KEY_BYTES + 1], const struct buf *found);
/* C's key is claimed: is its row still as C says? 0; -ESTALE; -errno. */
int cloud_is_still(struct lake *lake, const struct cloud_row *c);
/* The intent of C was recorded and can be read: is it there? 0; -EAGAIN: it was refused; -errno. */
int cloud_has_intent(struct lake *lake, const struct cloud_row *c);
/* R is recorded, and durable. 0 or -errno. */
int cloud_record(struct lake *lake, struct record *r);
/* C, an intent, is recorded, durable, and was not refused. 0; -EAGAIN: it was; -errno. */
int cloud_intend(struct lake *lake, const struct cloud_row *c);
/* C, which was asked for, is recorded as verified, durably so. 0 or -errno. */
int cloud_verified(struct lake *lake, const struct cloud_row *c);

/* ---- what goes to the cloud ---- */

struct upload_pool;
struct upload {
	uint64_t node, version, size;
	uint64_t job; /* of JOB_UPLOAD, that is done with it; 0: none */
	bool release; /* its local bytes go at once afterwards */
};

int upload_pool_new(struct work *w, struct upload_pool **out);
/* Its threads. */
int upload_pool_start(struct upload_pool *p);
/* What is being uploaded is given up. NULL is fine. */
void upload_pool_stop(struct upload_pool *p);
/* Queued. False: it is already, it failed a moment ago, or there are enough. */
bool upload_add(struct upload_pool *p, const struct upload *u);
/* Is it queued or on its way, or did it fail a moment ago? */
bool upload_is_known(struct upload_pool *p, uint64_t version);
#define UPLOAD_QUEUE 4096 /* so many are queued at most */
/* Those queued or on their way. */
void upload_waiting(struct upload_pool *p, uint64_t *files, uint64_t *bytes);

/* One file, read and ready to be sent. */
struct parcel;
#define PARCEL_SMALL (UINT64_C(1) << 20) /* up to this size it is read at once */

/*
 * Makes ready to upload the version of U: 0 and a parcel whose intent is added to R, which has to be durable before
 * parcel_send(). 1: it is in the cloud already, or is not to go there any more. -EAGAIN, -EBUSY: later; -errno.
 */
int parcel_new(struct work *w, struct tier *t, const struct upload *u, struct record *r, struct parcel **out);
/* Its intent is durable: may it be sent? 0; -EAGAIN: something came to need what it would have overwritten. */
int parcel_check(struct parcel *p);
/* To the cloud, and looks whether it is there. 0: what is to be recorded is added to R. -errno. */
int parcel_send(struct parcel *p, struct record *r);
uint64_t parcel_size(const struct parcel *p);
void parcel_free(struct parcel *p); /* NULL is fine */

/* Drops the local bytes of NODE, whose version is in the cloud. As stub_evict(); -EAGAIN: the remote is not held. */
int release_node(struct work *w, uint64_t node, uint64_t size);

/* ---- objects ---- */

/* For background calls: they end when the daemon does. */
struct tier_call cloud_call(struct work *w);
/* False when no request has been answered for 30 s, or what lies there is another lake's: then nobody waits for it. */
bool cloud_is_usable(struct lake *lake, struct tier *t);

/*
 * The object of C is about to be overwritten or removed: what can be read only from it is copied first, and is read
 * from there from now on, durably so. Its key is claimed, and C was read since. 0; -errno: it must stay.
 */
int cloud_spare(struct work *w, struct tier *t, const struct cloud_row *c);

/*
 * A copy of FROM's object by the server under the key of TO (both are claimed), whose intent is made durable first; TO
 * gets what is to be recorded as verified. 0 or -errno.
 */
int cloud_copy(struct work *w, struct tier *t, const struct cloud_row *from, struct cloud_row *to);

/* Does HEAD describe C's content, stored as C says, as tarn puts it? */
bool cloud_is(const struct tier_head *head, const struct cloud_row *c);

/* Has HEAD's object been put by LAKE, or is it what KNOWN (NULL: nothing) says of its key? */
bool cloud_is_ours(const struct lake *lake, const struct cloud_row *known, const struct tier_head *head);
/* C's object is what HEAD says. */
void cloud_note_head(struct cloud_row *c, const struct tier_head *head);

/* JOB_MOVE_KEY of what is due. How many there were, or -errno. */
int move_keys(struct work *w, struct tier *t);
/* Removes what is CLOUD_GOING; settles what crashed uploads left. How many it was about, or -errno. */
int cloud_collect(struct work *w, struct tier *t);
/* One of these at once: C as it was read, its key claimed by nobody. 0; -EBUSY: somebody has it, or it is another by
 * now; -errno. */
int cloud_remove_one(struct work *w, struct tier *t, const struct cloud_row *c);

/* ---- history ---- */

/* Old versions that the cloud has, too, are read from there from now on; their local bytes go. How many, or -errno.
 * There may be more. */
int cloud_history(struct work *w, struct tier *t);
/* The same for V alone. 0 or -errno. */
int cloud_history_leave(struct work *w, struct tier *t, const struct version_row *v);
/*
 * The oldest pack that may leave goes to the cloud, and from here when LEAVE; else only packs that are not there yet
 * and are as large as packs should be. 1, 0: there is none, or -errno.
 */
int cloud_pack(struct work *w, struct tier *t, bool leave);
/* The same for the oldest version that was not packed since that gained nothing: its content as a plain object. */
int cloud_loose(struct work *w, struct tier *t);

/* ---- the policy ---- */

/* What a look at the files is for. */
struct policy_wish {
	uint64_t release; /* bytes that are to go from here */
	uint64_t ready;	  /* bytes that are to be both here and in the cloud, those that go included */
	bool pressed;	  /* files younger than min_age may be uploaded, too */
	bool is_short;	  /* a file's age counts from when it was written, not from when it was opened */
	bool whole;	  /* look at all files: some may be wanted in the cloud at once */
	/* Called about once a second while files are released, since that takes long. May be NULL. */
	void (*still_releasing)(void *arg);
	void *arg;
};
/* What came of it. */
struct policy_result {
	uint64_t seen, queued, queued_bytes, released, released_bytes;
	uint64_t ready; /* bytes that are both here and there */
	uint64_t young; /* bytes that may go when they are older */
	int64_t looked; /* ns that looking took, without releasing */
	bool ended;	/* all files were looked at */
};
int policy_run(struct work *w, const struct policy_wish *wish, struct policy_result *out);
/* Does NODE lie in a cloud bucket, and is not pinned? */
bool policy_is_cloud(struct work *w, uint64_t node);

#endif
