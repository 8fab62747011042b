/* Parquet: what the footer says of columns, rows, row groups and least and greatest values. */
#ifndef TARN_SNIFF_PARQUET_H
#define TARN_SNIFF_PARQUET_H

#include "sniff/description.h"
#include "sniff/input.h"

#define PARQUET_FOOTER_MAX (64 << 20) /* bytes; of a longer one nothing is read */

/* 0; then D->unreadable may say why it could not be read. -ENOMEM, -errno. */
int parquet_sniff(struct input *in, struct description *d);

#endif
