/* json-c's objects as locals (base/cleanup.h). */
#ifndef TARN_BASE_JSON_H
#define TARN_BASE_JSON_H

#include <json-c/json.h>

static inline void json_putp(struct json_object **o)
{
	json_object_put(*o);
}
#define _cleanup_json_ __attribute__((cleanup(json_putp)))

#endif
