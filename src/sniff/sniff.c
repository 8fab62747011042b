#include "sniff/sniff.h"

#include "sniff/mime.h"

void sniff_prepare(void)
{
	char mime[MIME_ROOM];

	mime_of_bytes("x", 1, NULL, mime); /* libmagic loads its database with the first bytes */
}

int sniff_file(int fd, const char *name, bool mime_only, struct description *d)
{
	char mime[MIME_ROOM];
	int rc = mime_of_fd(fd, name, mime);

	(void)mime_only;
	return rc ? rc : description_set(&d->mime, mime);
}
