#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 64

int array_grow(void *list, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : LEAST;
	void *now, *grown;

	if (n < *room)
		return 0;
	if (more > SIZE_MAX / size) /* a sanitizer's reallocarray() would end the program for it */
		return -ENOMEM;
	memcpy(&now, list, sizeof(now)); /* LIST points to a pointer of any type */
	grown = realloc(now, more * size);
	if (!grown)
		return -ENOMEM;
	memcpy(list, &grown, sizeof(grown));
	*room = more;
	return 0;
}
