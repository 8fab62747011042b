/* Arrays that grow by an element at a time. */
#ifndef TARN_BASE_ARRAY_H
#define TARN_BASE_ARRAY_H

#include <stddef.h>

/*
 * Room for one more: *LIST, a pointer to elements of SIZE bytes (NULL at first), has N of them and room for *ROOM,
 * which doubles when that is too little. 0; -ENOMEM: nothing has changed. The caller frees *LIST.
 */
int array_grow(void *list, size_t n, size_t *room, size_t size);

#endif
