/*
 * libmagic says what the bytes are. Two small tables mend what it cannot know:
 *
 *	magics		formats that it takes for unknown data although they say what they are
 *	extensions	kinds of text. Bytes of a .md or a .yaml are plain text, or look a little like some programming
 *			language: then the name says more. It never overrules what the bytes say of themselves: an image
 *			called x.csv is an image
 *
 * Hostile bytes: only a bounded piece in memory is handed over, never the file, so nothing is sought, decompressed or
 * executed, and what comes back is used only if it is a media type (RFC 6838).
 */
#include "sniff/mime.h"

#include <errno.h>
#include <magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/full_io.h"
#include "base/cleanup.h"
#include "base/log.h"

#define UNKNOWN "application/octet-stream"

static const struct {
	const char *bytes; /* at the beginning */
	size_t len;
	const char *mime;
} magics[] = {
	{"PAR1", 4, "application/vnd.apache.parquet"},
	{"PARE", 4, "application/vnd.apache.parquet"}, /* with an encrypted footer */
	{"ARROW1", 6, "application/vnd.apache.arrow.file"},
	{"Obj\x01", 4, "application/vnd.apache.avro"},
};

static const struct {
	const char *extension, *mime;
} extensions[] = {
	{"csv", "text/csv"},
	{"tsv", "text/tab-separated-values"},
	{"tab", "text/tab-separated-values"},
	{"json", "application/json"}, /* longer than what is looked at, or not whole */
	{"jsonl", "application/x-ndjson"},
	{"ndjson", "application/x-ndjson"},
	{"geojson", "application/geo+json"},
	{"md", "text/markdown"},
	{"markdown", "text/markdown"},
	{"yaml", "application/yaml"},
	{"yml", "application/yaml"},
	{"toml", "application/toml"},
	{"sql", "application/sql"},
	{"xml", "text/xml"},
	{"html", "text/html"},
	{"css", "text/css"},
	{"js", "text/javascript"},
	{"py", "text/x-script.python"},
};

/* ---- libmagic ---- */

static pthread_key_t magic_key;

static void close_magic(void *m)
{
	magic_close(m);
}

static void make_key(void)
{
	if (pthread_key_create(&magic_key, close_magic))
		abort(); /* only with 1,024 keys in use: a mistake of ours */
}

static magic_t load_magic(void)
{
	static atomic_bool told;
	magic_t m = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR);

	if (m && !magic_load(m, NULL))
		return m;
	if (!atomic_exchange(&told, true))
		log_error("libmagic: cannot load its database, so no MIME types: %s",
			  m ? magic_error(m) : strerror(errno));
	if (m)
		magic_close(m);
	return NULL;
}

/* This thread's own; a magic_t must not be shared. */
static magic_t own_magic(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	magic_t m;

	pthread_once(&once, make_key);
	m = pthread_getspecific(magic_key);
	if (m)
		return m;
	m = load_magic();
	if (m && pthread_setspecific(magic_key, m)) {
		magic_close(m);
		m = NULL;
	}
	return m;
}

/* ---- what to make of its answer ---- */

/* "type/subtype" of RFC 6838's characters, and with room for a NUL. */
static bool is_media_type(const char *s)
{
	static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
	size_t type = strspn(s, name);
	size_t subtype = s[type] == '/' ? strspn(s + type + 1, name) : 0;

	return type && subtype && !s[type + 1 + subtype] && type + 1 + subtype < MIME_ROOM;
}

static const char *by_magic(const char *mime, const void *bytes, size_t len)
{
	if (strcmp(mime, UNKNOWN))
		return mime;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (len >= magics[i].len && !memcmp(bytes, magics[i].bytes, magics[i].len))
			return magics[i].mime;
	return mime;
}

/* Can what is said to be MIME be REFINED? Text of no kind, or of one that was only guessed from its words; JSON when
 * the name says which. */
static bool leaves_open(const char *mime, const char *refined)
{
	if (!strcmp(mime, "application/json"))
		return strstr(refined, "json") != NULL;
	return !strcmp(mime, "text/plain") || !strncmp(mime, "text/x-", 7) || !strcmp(mime, "text/csv") ||
	       !strcmp(mime, "application/csv");
}

static const char *by_extension(const char *mime, const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (!dot || dot == name)
		return mime;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (!strcasecmp(dot + 1, extensions[i].extension))
			return leaves_open(mime, extensions[i].mime) ? extensions[i].mime : mime;
	return mime;
}

int mime_of_bytes(const void *bytes, size_t len, const char *name, char mime[MIME_ROOM])
{
	const char *found = "inode/x-empty";
	magic_t m;

	if (len > MIME_BYTES)
		len = MIME_BYTES;
	if (len) {
		m = own_magic();
		if (!m)
			return -ENOENT;
		found = magic_buffer(m, bytes, len);
		if (!found) { /* a limit of its own that these bytes overran: no fault of ours, nor of the disk */
			log_debug("libmagic: %s", magic_error(m));
			found = UNKNOWN;
		}
		if (!is_media_type(found))
			found = UNKNOWN;
		found = by_extension(by_magic(found, bytes, len), name);
	}
	snprintf(mime, MIME_ROOM, "%s", found);
	return 0;
}

int mime_of_fd(int fd, const char *name, char mime[MIME_ROOM])
{
	_cleanup_free_ char *bytes = malloc(MIME_BYTES);
	ssize_t len = bytes ? read_full_at(fd, bytes, MIME_BYTES, 0) : -ENOMEM;

	return len < 0 ? (int)len : mime_of_bytes(bytes, (size_t)len, name, mime);
}

int mime_says(const void *bytes, size_t len, char said[MIME_SAID])
{
	magic_t m = own_magic();
	const char *found;

	if (!m)
		return -ENOENT;
	magic_setflags(m, MAGIC_NONE);
	found = magic_buffer(m, bytes, len < MIME_BYTES ? len : MIME_BYTES);
	snprintf(said, MIME_SAID, "%s", found ? found : "");
	magic_setflags(m, MAGIC_MIME_TYPE | MAGIC_ERROR);
	return found ? 0 : -EBADMSG;
}
