/* Does a column hold what is personal? A guess, for a tag that people are offered. */
#ifndef TARN_SNIFF_PERSONAL_H
#define TARN_SNIFF_PERSONAL_H

#include <stddef.h>

#define PERSONAL_LOOKED_AT 1000 /* values */

struct personal {
	unsigned values, emails, phones, cards;
};

void personal_add(struct personal *p, const char *text, size_t len);
/* "email", "phone", "card", "name" or NULL; static. NAME: the column's. */
const char *personal_guess(const struct personal *p, const char *name);

#endif
