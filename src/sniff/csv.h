/* CSV and its kin: columns, types, statistics. As DuckDB's read_csv finds them, where it reads the file at all. */
#ifndef TARN_SNIFF_CSV_H
#define TARN_SNIFF_CSV_H

#include "sniff/description.h"
#include "sniff/input.h"

#define CSV_TYPE_ROWS 20480	       /* whose values decide on types, as DuckDB's sample_size */
#define CSV_EXACT (UINT64_C(64) << 20) /* bytes whose values are counted; of more only the rows are */
#define CSV_COUNT_SECONDS 8	       /* of a processor; then rows are estimated */

/* 0; then D->unreadable may say why not all of it was read. -ENOMEM, -errno. */
int csv_sniff(struct input *in, struct description *d);

#endif
