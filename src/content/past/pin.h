/*
 * Pins: files whose bytes stay on the local disk whatever its use. A pin is set on a file, or on a folder for all that
 * lies below it, now and later; the files of a bucket whose tier is `pinned` have one.
 */
#ifndef TARN_CONTENT_PAST_PIN_H
#define TARN_CONTENT_PAST_PIN_H

#include "content/lake.h"

enum pin { PIN_NONE, PIN_OWN, PIN_ABOVE /* of a folder above it, or of its bucket */ };

/* What keeps NODE here: enum pin, or -errno. Reads the store. */
int pin_of(struct lake *lake, uint64_t node);
/* Do old versions of NODE stay here, too? It may have been removed: then it is where it was last that counts. */
bool pin_keeps_past(struct lake *lake, uint64_t node);

#endif
