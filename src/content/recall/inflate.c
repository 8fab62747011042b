#include "content/recall/inflate.h"

#include <errno.h>
#include <stdlib.h>

#include <zstd.h>

struct inflate {
	ZSTD_DCtx *context;
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *arg;
	char *room;
	size_t hint; /* 0: a frame has ended */
};

int inflate_new(int (*sink)(void *arg, const void *bytes, size_t len), void *arg, struct inflate **out)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	*z = (struct inflate){.context = ZSTD_createDCtx(), .sink = sink, .arg = arg, .hint = 1};
	z->room = malloc(ZSTD_DStreamOutSize());
	if (!z->context || !z->room) {
		inflate_free(z);
		return -ENOMEM;
	}
	*out = z;
	return 0;
}

void inflate_free(struct inflate *z)
{
	if (!z)
		return;
	ZSTD_freeDCtx(z->context);
	free(z->room);
	free(z);
}

int inflate_take(void *arg, const void *bytes, size_t len)
{
	struct inflate *z = arg;
	ZSTD_inBuffer in = {bytes, len, 0};
	ZSTD_outBuffer o;
	int rc = 0;

	do {
		o = (ZSTD_outBuffer){z->room, ZSTD_DStreamOutSize(), 0};
		z->hint = ZSTD_decompressStream(z->context, &o, &in);
		if (ZSTD_isError(z->hint))
			return -EBADMSG;
		rc = o.pos ? z->sink(z->arg, z->room, o.pos) : 0;
	} while (!rc && (in.pos < in.size || (z->hint && o.pos == o.size)));
	return rc;
}

int inflate_end(const struct inflate *z)
{
	return z->hint ? -EBADMSG : 0;
}
