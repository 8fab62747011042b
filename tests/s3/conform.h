/*
 * The conformance test of tier/: one table of cases, run over each engine: dir, curl and libs3. A case is one point. It
 * has keys of its own, and a remote that is empty but for what other cases have left below theirs.
 *
 * The environment: CONFORM_SETTINGS, the lines of settings.yaml for the remote itself; CONFORM_FAULTY, the same through
 * the proxy (tests/s3/faults), which listens on S3_PROXY. Without the latter the cases that make faults are left out.
 */
#ifndef TARN_TESTS_S3_CONFORM_H
#define TARN_TESTS_S3_CONFORM_H

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "../unit/tap.h"
#include "tier/key.h"
#include "tier/tier.h"

/* The tables say only what a case has. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Engines. */
#define DIR_ 1
#define CURL_ 2
#define LIBS3_ 4
#define S3_ (CURL_ | LIBS3_)
#define ALL_ (DIR_ | S3_)

struct conform {
	unsigned engine;
	struct tier *t;	     /* the remote */
	struct tier *faulty; /* through the proxy; NULL: there is none */
};
extern struct conform the;

struct conform_case {
	const char *name;
	unsigned engines; /* that it is for */
	bool (*run)(const struct conform_case *c);
	/* What RUN makes of these is its business. */
	const char *text, *rules;
	uint64_t size, offset, length;
	int error;
	int requests; /* that reach the proxy; 0: not looked at */
};
extern const struct conform_case conform_keys[], conform_bytes[], conform_lists[], conform_faults[], conform_access[];

/* Ends the case as failed, saying why. */
#define WANT(got, wanted)                                                               \
	do {                                                                            \
		int64_t got_ = (got), wanted_ = (wanted);                               \
		if (got_ != wanted_)                                                    \
			return conform_unlike(__FILE__, __LINE__, #got, got_, wanted_); \
	} while (0)
#define HOLDS(what)                                                             \
	do {                                                                    \
		if (!(what))                                                    \
			return conform_unlike(__FILE__, __LINE__, #what, 0, 1); \
	} while (0)
bool conform_unlike(const char *file, int line, const char *what, int64_t got, int64_t wanted);

/* ---- bytes that can be told apart: a stream for each seed ---- */

void bytes_fill(void *bytes, size_t len, uint64_t offset, uint64_t seed);
void bytes_sha256(uint64_t size, uint64_t seed, uint8_t out[32]);

/* A source of SIZE bytes of the stream SEED, and what is wrong with it. */
struct conform_source {
	uint64_t size, seed;
	uint64_t fail_at; /* reading at or beyond is -EIO; 0: never */
	uint64_t end_at;  /* nothing comes from there on; 0: never */
};
struct tier_source conform_source(struct conform_source *s);

/* A sink that compares with the stream SEED from OFFSET on. */
struct conform_sink {
	uint64_t seed, offset, got;
	bool other;	    /* a byte was another */
	uint64_t end_after; /* then it ends the call with -EPIPE; 0: never */
};
int conform_sink(void *arg, const void *bytes, size_t len);

/* ---- objects ---- */

/* A key below the case's own prefix; until the fourth call after it. */
const char *key_of(const char *name);
int put_to(struct tier *t, const char *key, uint64_t size, uint64_t seed);
/* 0 when SIZE bytes of SEED lie at KEY; -EBADMSG when others do. */
int get_from(struct tier *t, const char *key, uint64_t size, uint64_t seed, const struct tier_call *call);
int head_of(struct tier *t, const char *key, struct tier_head *head);
int remove_at(struct tier *t, const char *key);

/* The keys below PREFIX, a space before each; -errno or how many. */
int keys_below(struct tier *t, const char *prefix, struct buf *out);

/* ---- other remotes, and the proxy ---- */

/* Another remote: SETTINGS as CONFORM_SETTINGS. What tier_open() says. */
int open_remote(const char *settings, struct tier **out, struct buf *why);
/* With TEXT in place of the first WHAT of the settings. */
int open_changed(const char *settings, const char *what, const char *text, struct tier **out);

void proxy_rules(const char *json);
int proxy_requests(void); /* since the rules were set */

/* Seconds, as a difference to the real time, that all of this process believe in. */
extern long conform_skew;

#endif
