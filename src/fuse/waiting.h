/*
 * Requests that wait for a remote. The threads of the session's loop are few and must not wait for long: `ls` needs
 * them. So what has to wait is handed over to threads of its own, at most WAITING_THREADS, which answer when the wait
 * is over; what comes when all of them wait stands in a queue.
 *
 * A request whose caller was interrupted or killed ends soon, and so do all when the session does.
 */
#ifndef TARN_FUSE_WAITING_H
#define TARN_FUSE_WAITING_H

#include "fuse/lowlevel.h"
#include "tier/tier.h"

#define WAITING_THREADS 64

struct waiting;

/* What a request waits for, and how it is answered then. */
struct wait {
	int (*wait)(void *arg, const struct tier_call *call); /* 0 or -errno; ends soon once CALL's stop() says so */
	void (*reply)(fuse_req_t req, void *arg, int rc);     /* once, with what `wait` returned; frees ARG */
	void *arg;
};

int waiting_new(struct waiting **out);
/* Ends all waits; each is answered. NULL is fine. */
void waiting_free(struct waiting *w);
/* Hands REQ over: from now on it belongs to W. */
void waiting_add(struct waiting *w, fuse_req_t req, const struct wait *what);

#endif
