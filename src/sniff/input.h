/*
 * The bytes of a file as sniffers read them: unpacked (gzip, zstd), and text as UTF-8 without its byte order mark
 * (UTF-16 by its mark, ISO-8859-1 where its beginning is no UTF-8). As a stream that can begin again, in bounded
 * memory.
 *
 * Hostile files: no more than INPUT_MAX bytes are unpacked, and a file that ends in the middle ends there;
 * input_error() says so afterwards.
 */
#ifndef TARN_SNIFF_INPUT_H
#define TARN_SNIFF_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INPUT_HEAD (256 * 1024)	      /* as much of the beginning is always at hand */
#define INPUT_MAX (UINT64_C(4) << 30) /* bytes that are unpacked; a sniffer stops earlier */

struct input;

/* FD stays the caller's and is read by pread(2). 0, -ENOMEM, -errno of the first read. */
int input_open(int fd, const char *name, struct input **out);
void input_close(struct input *in); /* NULL is fine */

/* The file as it is: descriptor, size, its first bytes. */
int input_fd(const struct input *in);
uint64_t input_size(const struct input *in);
const char *input_raw_head(const struct input *in, size_t *len);
const char *input_compression(const struct input *in); /* "gzip", "zstd" or NULL */

/* What is in it: its name ("a.csv" of "a.csv.gz"), and its first bytes, followed by a NUL. */
const char *input_name(const struct input *in);
const char *input_head(const struct input *in, size_t *len);
bool input_head_is_all(const struct input *in);
/* What text it is, by the head; what is read is UTF-8 then. Static; NULL: it has NULs, or is no text. */
const char *input_encoding(const struct input *in);

struct checks;
/* Who checks the rows that are found in it (sniff/checks.h); borrowed, NULL at first. */
void input_set_checks(struct input *in, struct checks *c);
struct checks *input_checks(const struct input *in);

/* From the beginning again. 0 or -errno. */
int input_rewind(struct input *in);
/* Up to LEN bytes (>= 16); 0 at the end. -errno: what is there cannot be read or unpacked. */
ssize_t input_read(struct input *in, void *to, size_t len);
/* How far the file itself was read: an estimate of how much is left. */
uint64_t input_raw_at(const struct input *in);
/* Why the stream ended, when that was not its end; static, or NULL. */
const char *input_error(const struct input *in);

static inline void input_closep(struct input **in)
{
	input_close(*in);
}
#define _cleanup_input_ __attribute__((cleanup(input_closep)))

#endif
