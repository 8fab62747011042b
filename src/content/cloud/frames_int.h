/* What making and reading of frames share: numbers of the format (frames.h). */
#ifndef TARN_CONTENT_CLOUD_FRAMES_INT_H
#define TARN_CONTENT_CLOUD_FRAMES_INT_H

#include "content/cloud/frames.h"

#define FRAMES_SKIPPABLE UINT32_C(0x184d2a5e)
#define FRAMES_MAGIC UINT32_C(0x8f92eab1)
#define FRAMES_FOOTER 9

static inline uint64_t frames_of(uint64_t size)
{
	return (size + FRAME_BYTES - 1) / FRAME_BYTES;
}

/* Of the skippable frame, for a content of SIZE. */
static inline uint64_t frame_table_bytes(uint64_t size)
{
	return 8 + frames_of(size) * 8 + FRAMES_FOOTER;
}

#endif
