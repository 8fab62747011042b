#include "sniff/sniff.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "sniff/csv.h"
#include "sniff/input.h"
#include "sniff/json.h"
#include "sniff/mime.h"
#include "sniff/parquet.h"
#include "sniff/sqlite.h"
#include "sniff/text.h"

/* Which of them looks into what is of a type: the first. PREFIX: of the type's name. */
static const struct sniffer {
	const char *prefix;
	int (*sniff)(struct input *in, struct description *d);
} sniffers[] = {
	{"text/csv", csv_sniff},
	{"application/csv", csv_sniff},
	{"text/tab-separated-values", csv_sniff},
	{"application/json", json_sniff},
	{"application/x-ndjson", json_sniff},
	{"application/geo+json", json_sniff},
	{"application/vnd.apache.parquet", parquet_sniff},
	{"application/vnd.sqlite3", sqlite_sniff},
	{"application/x-sqlite3", sqlite_sniff},
	{"application/geopackage+sqlite3", sqlite_sniff},
	{"text/", text_sniff},
	{"application/yaml", text_sniff},
	{"application/toml", text_sniff},
	{"application/sql", text_sniff},
	{"application/javascript", text_sniff},
	{"image/", image_sniff},
};

void sniff_prepare(void)
{
	char mime[MIME_ROOM];

	mime_of_bytes("x", 1, NULL, mime); /* libmagic loads its database with the first bytes */
	sqlite_prepare();
}

/* Of what is in a compressed file, by its own name. */
static int inner_mime(struct input *in, char mime[MIME_ROOM])
{
	size_t len;
	const char *head = input_head(in, &len);

	return mime_of_bytes(head, len, input_name(in), mime);
}

static int look_into(struct input *in, const char *mime, struct description *d)
{
	for (size_t i = 0; i < sizeof(sniffers) / sizeof(sniffers[0]); i++)
		if (!strncmp(mime, sniffers[i].prefix, strlen(sniffers[i].prefix)))
			return sniffers[i].sniff(in, d);
	return 0;
}

static int sniff_with(int fd, const char *name, bool mime_only, struct checks *c, struct description *d)
{
	_cleanup_input_ struct input *in = NULL;
	char mime[MIME_ROOM];
	int rc = mime_of_fd(fd, name, mime);

	if (!rc)
		rc = description_set(&d->mime, mime);
	if (rc || mime_only)
		return rc;
	rc = input_open(fd, name, &in);
	if (!rc && input_compression(in)) {
		rc = description_set(&d->compression, input_compression(in));
		if (!rc)
			rc = inner_mime(in, mime);
	}
	if (!rc && input_encoding(in))
		rc = description_set(&d->encoding, input_encoding(in));
	if (!rc)
		input_set_checks(in, c);
	return rc ? rc : look_into(in, mime, d);
}

int sniff_file(int fd, const char *name, bool mime_only, struct description *d)
{
	return sniff_with(fd, name, mime_only, NULL, d);
}

int sniff_rows(int fd, const char *name, struct checks *c, struct description *d, const char **why)
{
	int rc = sniff_with(fd, name, false, c, d);

	*why = d->unreadable ? d->unreadable : d->sampled ? "only its beginning was looked at" : NULL;
	return rc;
}
