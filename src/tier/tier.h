/*
 * A remote: where the bytes of files go that leave the local disk. What lies there under a key is called an object; it
 * is plain, so that every tool of that provider brings it back as the very file.
 *
 * One struct tier is one remote: a bucket of S3 or a folder (tier_ops.h says what an engine is). Any thread, many calls
 * at once. A call returns when the remote has answered; it is tried again, after a pause that grows, where that can
 * help (no connection, reset, timeout, 429, 5xx, a body that was cut off), and what was transferred is not transferred
 * twice by tier_get() and in parts by tier_put(). Every wait is bounded and ends soon when STOP says so; tier_open()
 * and the functions without a struct tier_call never touch the network or a disk that may hang.
 *
 * Keys are bytes without a NUL, at most TIER_KEY_MAX of them, and whole: with the prefix of the settings (tier/key.h).
 *
 * Errors, of every call:
 *
 *	-ENOENT			no such object (or bucket: the log tells)
 *	-EACCES			refused: secret, region, clock or rights are wrong, and the log says which
 *	-EEXIST			there is one already, and if_none_match was said
 *	-ESTALE			the object has another ETag than was asked for; the source another SHA-256
 *	-ERANGE			the offset is at the object's end or beyond
 *	-ENODATA		archived: tier_restore() must bring it back before it can be read
 *	-ENOSPC, -EDQUOT	the remote is full
 *	-EHOSTUNREACH		the remote cannot be reached, or is not the one it was (a folder that is not mounted)
 *	-ETIMEDOUT		it did not answer in time
 *	-ECANCELED		STOP said so
 *	-EINVAL			a key, a class or a setting that this remote cannot have
 *	-ENOTSUP		this remote cannot do that
 *	-EIO			all else, also answers that make no sense
 *
 * Only -ENOENT says that something is not there. What is logged is logged here, a remote that is down once a minute.
 */
#ifndef TARN_TIER_TIER_H
#define TARN_TIER_TIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "config/settings.h"

struct tier;

#define TIER_KEY_MAX 1024
#define TIER_ETAG_ROOM 80
#define TIER_CLASS_ROOM 32
#define TIER_TO_END UINT64_MAX

/*
 * For whom a call is. NULL stands for all zeros: in the foreground, with TIER_PATIENCE, never stopped. Several calls
 * may share one, at once too.
 */
struct tier_call {
	int64_t deadline; /* clock_monotonic() when it must have ended, whatever it is doing; 0: none */
	/* ns without one byte or answer, retries and pauses included, that end it. 0: TIER_PATIENCE, four times as long
	 * in the background */
	int64_t patience;
	bool (*stop)(void *arg); /* asked about ten times a second, from any thread; may be NULL */
	void *arg;
	bool background; /* keeps to the bandwidth of the settings, and pauses when too many requests fail */
};
#define TIER_PATIENCE (INT64_C(25) * 1000 * 1000 * 1000)

/*
 * What tarn writes to an object's metadata. A fact that is not in `known` is not there. mode, uid, gid and mtime are
 * also read from objects of others (s3fs and rclone have the same names).
 */
enum tier_known {
	TIER_KNOWS_SHA256 = 1,
	TIER_KNOWS_SIZE = 2,
	TIER_KNOWS_VERSION = 4, /* lake, node and version */
	TIER_KNOWS_MODE = 8,
	TIER_KNOWS_UID = 16,
	TIER_KNOWS_GID = 32,
	TIER_KNOWS_MTIME = 64
};
struct tier_facts {
	unsigned known;
	uint8_t sha256[32]; /* of the content: the file's own bytes */
	uint64_t size;	    /* of the content; the object's differs when it is compressed */
	uint64_t lake, node, version;
	uint32_t mode, uid, gid; /* mode: the permissions, 07777 */
	int64_t mtime;		 /* ns */
	bool zstd;		 /* the object is the content, compressed */
};

/* An object, as the remote describes it. */
struct tier_head {
	uint64_t size;		     /* bytes that lie there */
	char etag[TIER_ETAG_ROOM];   /* without quotes; "": the server said none */
	char class[TIER_CLASS_ROOM]; /* storage class; "": the usual one */
	int64_t mtime;		     /* ns: when it was put */
	bool archived;		     /* cannot be read before tier_restore() */
	bool restoring;		     /* which has been asked for */
	struct tier_facts facts;     /* a listing has none (known == 0) */
};

/* ---- opening ---- */

/*
 * The remote that the settings name; with URL (NULL: none) another: "s3://BUCKET/PREFIX" on the same endpoint with the
 * same credentials, or "/FOLDER". LAKE: the lake's folder, absolute; NULL: there is none yet. 0; -ENODEV, quietly: no
 * remote is configured; -EINVAL or -errno, with one line for the user in WHY. It keeps a reference to S.
 */
int tier_open(struct settings *s, const char *url, const char *lake, struct tier **out, struct buf *why);
/* Counted: whoever keeps a pointer over a reload holds a reference. The last one closes it and waits for no network. */
struct tier *tier_ref(struct tier *t);
void tier_unref(struct tier *t);

/* "s3://bucket/prefix" or "/folder": for logs and status. */
const char *tier_url(const struct tier *t);
/* What keys begin with: "", or a prefix without a slash at its end. */
const char *tier_prefix(const struct tier *t);
/* The key of a file: that of tier_key_of_path() (tier/key.h), or, where the engine cannot name it, its hash. */
void tier_key_of(const struct tier *t, struct buf *key, const char *bucket, const char *path);
/* "dir", "curl", … : which engine talks to it. */
const char *tier_engine(const struct tier *t);

/*
 * Can the remote be used? One small listing, for doctor and at mount: 0 or -errno with one line in WHY: no route, TLS,
 * secret, region, clock, no such bucket, folder not mounted, on the lake's own disk.
 */
int tier_check(struct tier *t, const struct tier_call *call, struct buf *why);

/* ---- objects ---- */

/*
 * Where the bytes of a put come from. READ fills BYTES with LEN bytes from OFFSET: how many (fewer only at the end), or
 * -errno, which ends the put with that error. It is called by several threads at once, and again for the same bytes.
 */
struct tier_source {
	uint64_t size;
	ssize_t (*read)(void *arg, void *bytes, size_t len, uint64_t offset);
	void *arg;
};
/* A descriptor as a source: ARG points to an int. */
ssize_t tier_source_fd(void *arg, void *bytes, size_t len, uint64_t offset);

/*
 * Does an answer with ETAG prove that the object has these bytes? S3's ETag of an object that was put with one request,
 * and not encrypted with a key of the server's, is their MD5. False: nothing is known; tier_head() tells.
 */
bool tier_etag_is_of(const char *etag, const void *bytes, size_t len);

struct tier_put {
	const char *key;
	struct tier_source source;
	struct tier_facts facts;
	const uint8_t *sha256; /* of the source's bytes; NULL: not known. Else other bytes are -ESTALE and no object */
	const char *class;     /* NULL: that of the settings */
	bool if_none_match;    /* only where no object is: for what must never be overwritten */
};
/*
 * The object is there, whole and durable, or it is as before; after an error it may be either. The remote has checked
 * every byte against a hash that was signed with the request. Above TIER_PART_FROM in parallel parts. HEAD (may be
 * NULL): as tier_head() would tell.
 */
int tier_put(struct tier *t, const struct tier_put *p, const struct tier_call *call, struct tier_head *head);
#define TIER_PART_FROM (UINT64_C(64) * 1024 * 1024)

/*
 * LENGTH bytes (or TIER_TO_END) from OFFSET of the object, which must have ETAG (NULL: any; it stays the same one
 * during the call). SINK gets each byte once, in order, from the calling thread; other than 0 ends the call with that
 * value. Fewer bytes than asked for come only at the object's end; a body that was cut off is an error. An empty object
 * gives 0 and no bytes at offset 0. HEAD (may be NULL): what was read, and all its facts; it is filled in before the
 * first byte comes.
 */
struct tier_get {
	const char *key;
	const char *etag;
	uint64_t offset, length;
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *arg;
};
int tier_get(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head);

int tier_head(struct tier *t, const char *key, const struct tier_call *call, struct tier_head *head);

/*
 * The objects whose keys begin with PREFIX, after AFTER (NULL: from the first), in the order of their bytes. PAGE gets
 * up to 1,000 of them each time, in the calling thread; other than 0 ends the call with that value. With FOLDERS what
 * has a slash behind PREFIX is told as one entry, its key up to and with that slash, and no head (size 0, etag "").
 */
struct tier_entry {
	const char *key; /* until PAGE returns */
	bool folder;
	struct tier_head head;
};
struct tier_list {
	const char *prefix;
	const char *after;
	bool folders;
	int (*page)(void *arg, const struct tier_entry *entries, int n);
	void *arg;
};
int tier_list(struct tier *t, const struct tier_list *l, const struct tier_call *call);

/*
 * Removes N objects, many with one request where the server can. One that is not there is removed. RESULTS (may be
 * NULL) has 0 or -errno for each. 0, or the first error.
 */
int tier_remove(struct tier *t, const char *const *keys, int n, const struct tier_call *call, int *results);

/*
 * A copy made by the server, of any size. ETAG: that of FROM, which must still have it (NULL: any). FACTS: the copy's
 * (NULL: those of FROM). FROM and TO may be the same key, to change facts or class. SIZE: that of FROM, where known; 0
 * costs a tier_head().
 */
struct tier_copy {
	const char *from, *to;
	const char *etag;
	uint64_t size;
	const struct tier_facts *facts;
	const char *class; /* NULL: that of the settings */
	bool if_none_match;
};
int tier_copy(struct tier *t, const struct tier_copy *c, const struct tier_call *call, struct tier_head *head);

/*
 * Asks for an archived object to be readable for DAYS. 0: it is readable now; -EINPROGRESS: it will be, in minutes to
 * hours (tier_head() tells); -errno.
 */
int tier_restore(struct tier *t, const char *key, int days, const struct tier_call *call);

/*
 * Removes what puts that did not end have left under PREFIX, begun at or before OLDER (wall clock, ns). *REMOVED (may
 * be NULL): how many.
 */
int tier_sweep(struct tier *t, const char *prefix, int64_t older, const struct tier_call *call, uint64_t *removed);
/* *N: how many there are. */
int tier_unfinished(struct tier *t, const char *prefix, int64_t older, const struct tier_call *call, uint64_t *n);

/* ---- what it did ---- */

enum tier_verb {
	TIER_VERB_PUT,
	TIER_VERB_GET,
	TIER_VERB_HEAD,
	TIER_VERB_LIST,
	TIER_VERB_REMOVE,
	TIER_VERB_COPY,
	TIER_VERB_OTHER,
	TIER_VERBS
};
const char *tier_verb_name(enum tier_verb v);

/* Since tier_open(). Each request counts, retries too: that is what providers bill. */
struct tier_stats {
	struct {
		uint64_t requests,
			errors; /* errors: requests that failed for another reason than -ENOENT, -EEXIST, -ERANGE */
		uint64_t ns;	/* that they took, all together */
	} verb[TIER_VERBS];
	uint64_t sent, received; /* bytes of bodies */
	uint64_t retries;
	int64_t paused_until; /* wall clock: background calls wait until then, since too many requests failed; 0: no */
	int64_t unreachable_since; /* wall clock: no request has been answered since; 0: reachable, or not tried */
	char last_error[160];	   /* "" or what the last failure was, without a secret */
};
void tier_stats(struct tier *t, struct tier_stats *out);
/* Is it within the hours that the settings give to work that can wait? Calls do not ask by themselves. */
bool tier_in_hours(const struct tier *t);

#endif
