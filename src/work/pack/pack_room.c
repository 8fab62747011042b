#include <sys/statvfs.h>

#include "base/clock.h"
#include "content/reach.h"
#include "work/pack/pack_int.h"

#define PRESSED_NS (2 * NSEC_PER_SEC) /* after that it is cold where history leaves */
#define ROOM_PART 4		      /* a short disk is filled by one part in so many of what is free, at most */
#define ROOM_LEAST (UINT64_C(2) << 20)

int64_t pack_cold_after(struct lake *lake)
{
	struct settings *settings = lake_settings(lake);
	int64_t ns = settings->pack_after * NSEC_PER_SEC;

	settings_unref(settings);
	return atomic_load(&lake->cloud.history_leaves) && ns > PRESSED_NS ? PRESSED_NS : ns;
}

uint64_t pack_room(struct lake *lake)
{
	uint64_t least = UINT64_MAX;
	struct volume *volume;
	struct statvfs fs;

	if (!atomic_load(&lake->space_short))
		return UINT64_MAX;
	/* A pack needs room before it makes some. What expired for want of room gives it up at once. */
	if (!atomic_load(&lake->cloud.history_leaves))
		return 0;
	for (int i = 0; (volume = reach_volume(lake, i)); i++)
		if (!fstatvfs(volume->mountfd, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize / ROOM_PART < least)
			least = (uint64_t)fs.f_bavail * fs.f_frsize / ROOM_PART;
	return least < ROOM_LEAST ? 0 : least;
}
