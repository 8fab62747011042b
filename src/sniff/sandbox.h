/*
 * What the helper that looks into files cannot do: anything but read the descriptors that it is given and answer.
 *
 *	user		nobody, where it was root; never new privileges
 *	system calls	reading, memory, the answer (seccomp); all others fail with EPERM: no file is opened, no process
 *			or socket made, no memory becomes executable
 *	limits		1 GiB of memory, no file written, no core
 */
#ifndef TARN_SNIFF_SANDBOX_H
#define TARN_SNIFF_SANDBOX_H

#include <stdbool.h>

/* For good. 0 or -errno: then it is not confined, and must end. Before it all libraries and their data are loaded. */
int sandbox_enter(void);
/* The processor's time from now on: then SIGXCPU ends the process. */
void sandbox_allow_seconds(unsigned seconds);
/* Built with a sanitizer, which needs all of the address space, threads of its own and a way to say what it found. */
bool sandbox_is_relaxed(void);

#endif
