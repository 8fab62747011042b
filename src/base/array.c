#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 64

int array_grow(void *list, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : LEAST;
	void *now, *grown;

	if (n < *room)
		return 0;
	memcpy(&now, list, sizeof(now)); /* LIST points to a pointer of any type */
	grown = reallocarray(now, more, size);
	if (!grown)
		return -ENOMEM;
	memcpy(list, &grown, sizeof(grown));
	*room = more;
	return 0;
}
