#include "cli/diff/row_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define PART_ROWS (1u << 20) /* about 40 MiB in memory */
#define PARTS_MAX 128

int row_spool_parts(uint64_t rows)
{
	uint64_t parts = rows / PART_ROWS + 1;

	return parts < PARTS_MAX ? (int)parts : PARTS_MAX;
}

static FILE *open_part(const char *folder)
{
	_cleanup_close_ int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		return tmpfile();
	f = fd < 0 ? NULL : fdopen(fd, "w+");
	if (f)
		steal_fd(&fd);
	return f;
}

int row_spool_init(struct row_spool *s, int parts)
{
	const char *folder = getenv("TMPDIR");

	*s = (struct row_spool){.parts = calloc((size_t)parts, sizeof(*s->parts))};
	for (int i = 0; s->parts && i < parts; i++) {
		s->parts[i] = open_part(folder && *folder ? folder : "/var/tmp");
		if (!s->parts[i]) {
			int rc = -errno;

			row_spool_release(s);
			return rc;
		}
		s->n++;
	}
	return s->parts ? 0 : -ENOMEM;
}

void row_spool_release(struct row_spool *s)
{
	for (int i = 0; i < s->n; i++)
		fclose(s->parts[i]);
	free(s->parts);
	*s = (struct row_spool){0};
}

int row_spool_add(struct row_spool *s, const struct row_record *r)
{
	unsigned part = (unsigned)(r->key[0] | r->key[1] << 8) % (unsigned)s->n;

	return fwrite(r, sizeof(*r), 1, s->parts[part]) == 1 ? 0 : -errno;
}

static int by_key(const void *a, const void *b)
{
	const struct row_record *x = a, *y = b;
	int order = memcmp(x->key, y->key, DIGEST_BYTES);

	if (!order)
		order = memcmp(x->row, y->row, DIGEST_BYTES);
	if (!order)
		order = x->number < y->number ? -1 : x->number > y->number;
	return order;
}

int row_spool_load(struct row_spool *s, int part, struct row_record **out, size_t *n)
{
	_cleanup_free_ struct row_record *records = NULL;
	FILE *f = s->parts[part];
	struct stat st;

	if (fflush(f) || fstat(fileno(f), &st) < 0 || fseeko(f, 0, SEEK_SET) < 0)
		return -errno;
	*n = (size_t)st.st_size / sizeof(*records);
	records = malloc(*n * sizeof(*records) + 1);
	if (!records)
		return -ENOMEM;
	if (fread(records, sizeof(*records), *n, f) != *n)
		return -EIO;
	qsort(records, *n, sizeof(*records), by_key);
	*out = steal_ptr(&records);
	return 0;
}
