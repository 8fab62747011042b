/* Text of any kind, and images as far as libmagic tells their size. */
#ifndef TARN_SNIFF_TEXT_H
#define TARN_SNIFF_TEXT_H

#include "sniff/description.h"
#include "sniff/input.h"

#define TEXT_READ (UINT64_C(64) << 20) /* bytes in which words and lines are counted */

/* Words and lines as facts, and the text to search. 0, -ENOMEM, -errno. */
int text_sniff(struct input *in, struct description *d);
/* Width and height as facts. 0, -ENOMEM. */
int image_sniff(struct input *in, struct description *d);

#endif
