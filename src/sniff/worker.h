/*
 * The helper process that looks into files: they may be made to harm whoever parses them. It is this program again,
 * without privileges (sniff/sandbox.h), and gets one thing at a time: a descriptor to read and a file's name. What it
 * says is a description (sniff/description.h). When it dies, or takes too long, it is replaced, and the file is
 * "unreadable": nothing that a file contains stops the daemon or the next file.
 *
 * It is started when the first file comes, and ended after some idle time by who calls worker_rest(), and with the
 * daemon in any case.
 *
 *	daemon -> helper	struct worker_request, with the descriptor beside it (SCM_RIGHTS); the name, the rules
 *	helper -> daemon	struct worker_answer; the description, or what was found of the rules, as JSON
 *
 * Threads: one worker, one thread at a time.
 */
#ifndef TARN_SNIFF_WORKER_H
#define TARN_SNIFF_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sniff/description.h"

#define WORKER_NAME "tarn-sniff" /* argv[0] of the helper, by which main() knows it */
#define WORKER_SOCKET 3		 /* its descriptor for the daemon */
#define WORKER_CPU_SECONDS 20	 /* that one file may take, */
#define WORKER_SECONDS 120	 /* on a busy machine */
#define WORKER_FILES 5000	 /* then another process takes over, whatever the libraries have leaked */
#define WORKER_IDLE_SECONDS 30
#define WORKER_NAME_MAX 255

enum worker_flags {
	WORKER_MIME_ONLY = 1, /* its MIME type, nothing that is in it */
	WORKER_CHECK = 2,     /* whether its rows keep rules (sniff/checks.h), in place of a description */
};

struct worker_request {
	uint32_t flags;
	uint32_t name_len;  /* bytes of the name that follows, at most WORKER_NAME_MAX */
	uint32_t rules_len; /* of WORKER_CHECK: bytes of the rules behind the name, */
	uint32_t keys;	    /* and how many descriptors of other tables are beside this one's */
};

struct worker_answer {
	uint32_t len; /* bytes of JSON that follow, at most DESCRIPTION_JSON_MAX */
};

struct worker;

/* What is run: set once, by main(), before the first worker. NULL: no helper, for programs without such a main(). */
extern const char *worker_program;

/* NULL: out of memory. */
struct worker *worker_new(void);
void worker_free(struct worker *w); /* ends it; NULL is fine */
void worker_rest(struct worker *w); /* ends it when it was idle for WORKER_IDLE_SECONDS */

/*
 * What FD has, which is NAME without its folders: into *D, initialised by this in any case. FD is read with pread(2)
 * only and must not be writable. STOP (may be NULL) is asked some 50 times a second.
 *
 * 0, also for a file that could not be read: then D says why. -ECANCELED when STOP said so. -errno: there is no helper,
 * and no file is to blame; logged, once until there is one again.
 */
int worker_describe(struct worker *w, int fd, const char *name, unsigned flags, bool (*stop)(void *arg), void *arg,
		    struct description *d);

/* A table, the rules that its rows are to keep (checks_add_rules()), and those that these refer to. */
struct worker_table {
	int fd;
	const char *name;  /* without its folders */
	const char *rules; /* JSON */
	const int *keys;   /* descriptors in the order of the rules' keys; of one that cannot be looked at: fd */
	size_t nkeys;	   /* at most CHECKS_KEYS */
};
/* As worker_describe(): adds to FOUND what the helper says, JSON that nobody has looked at yet. 0; -ECANCELED; -errno,
 * also when the helper was lost to these files: then WHY says so. */
int worker_check(struct worker *w, const struct worker_table *t, bool (*stop)(void *arg), void *arg, struct buf *found,
		 struct buf *why);

pid_t worker_pid(const struct worker *w); /* 0: none runs */

/* The helper itself, after exec: does not return. */
_Noreturn void worker_main(void);

#endif
