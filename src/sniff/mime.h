/*
 * What a file is: its MIME type, by its first bytes (libmagic), and by its name where bytes do not tell.
 *
 * Threads: any; each has a libmagic of its own, loaded at its first call and freed at its end.
 */
#ifndef TARN_SNIFF_MIME_H
#define TARN_SNIFF_MIME_H

#include <stddef.h>

#define MIME_ROOM 128
#define MIME_BYTES (256 * 1024) /* as many bytes as are looked at */

/*
 * The type of what FD has (read with pread from its beginning, at most MIME_BYTES). NAME: the file's name, without its
 * folders, or NULL. "inode/x-empty" for an empty file, "application/octet-stream" for what is not known. 0 or -errno:
 * of the read, or -ENOENT when libmagic's database cannot be loaded (logged once).
 */
int mime_of_fd(int fd, const char *name, char mime[MIME_ROOM]);
/* The same of bytes at hand; no more than MIME_BYTES are looked at. */
int mime_of_bytes(const void *bytes, size_t len, const char *name, char mime[MIME_ROOM]);

#define MIME_SAID 512
/* What libmagic says of bytes in words: "PNG image data, 640 x 480, …". 0, -ENOENT, -EBADMSG. */
int mime_says(const void *bytes, size_t len, char said[MIME_SAID]);

#endif
