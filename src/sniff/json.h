/* JSON, JSON lines, GeoJSON: columns, types, statistics, as DuckDB's read_json finds them. */
#ifndef TARN_SNIFF_JSON_H
#define TARN_SNIFF_JSON_H

#include "sniff/description.h"
#include "sniff/input.h"

#define JSON_TYPE_ROWS 20480		/* whose values decide on types */
#define JSON_EXACT (UINT64_C(64) << 20) /* bytes of the file that are read */

/* 0; then D->unreadable may say why not all of it was read. -ENOMEM, -errno. */
int json_sniff(struct input *in, struct description *d);

#endif
