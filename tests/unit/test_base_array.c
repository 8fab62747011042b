/* Arrays that grow. */
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "tap.h"

int main(void)
{
	uint64_t *list = NULL;
	size_t room = 0, wrong = 0, grown = 0;

	for (size_t n = 0; n < 10000; n++) {
		size_t before = room;

		wrong += array_grow(&list, n, &room, sizeof(*list)) != 0 || room <= n;
		grown += room != before;
		list[n] = n;
	}
	for (size_t n = 0; n < 10000; n++)
		wrong += list[n] != n;
	is_int((int64_t)wrong, 0, "ten thousand elements have room, and stay what they are");
	ok(grown < 10, "which grew a few times (%zu)", grown);
	wrong = room;
	is_int(array_grow(&list, room, &room, SIZE_MAX / 2), -ENOMEM, "what does not fit is refused");
	ok(room == wrong && list[9999] == 9999, "and nothing has changed");
	free(list);
	return done();
}
