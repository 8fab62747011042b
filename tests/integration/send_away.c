/*
 * send_away LAKE [-s] PATH…: as uploads and evictions do it, while nothing is mounted: the files at these paths below
 * buckets/ are put into the cloud that the lake's settings name, and leave. PATH -: one path in each line of the input.
 * -s: they are sent, and stay. Exits 1 when one could not.
 */
#include "../unit/test_stub.h"

static bool stays;
static int failed;

static void send_away(const char *path)
{
	int rc = send_object(path) ? 0 : -EIO;

	if (!rc && !stays)
		rc = evict(path);
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-rc));
		failed = 1;
	}
}

static void send_listed(void)
{
	char path[4096];

	while (fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		send_away(path);
	}
}

int main(int argc, char **argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	if (argc < 3)
		return 2;
	snprintf(test_lake, sizeof(test_lake), "%s", argv[1]);
	run_lake();
	stop_work();
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-s"))
			stays = true;
		else if (!strcmp(argv[i], "-"))
			send_listed();
		else
			send_away(argv[i]);
	}
	close_lake();
	return failed;
}
