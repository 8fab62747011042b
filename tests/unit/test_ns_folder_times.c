/* A file's place is taken by another inode: nobody sees that by the folder's mtime, and nobody's own is lost by it. */
#include <pthread.h>
#include <stdatomic.h>

#include "content/swap.h"
#include "ns/ns.h"
#include "test_work.h"

#define ROUNDS 2000

static _Atomic bool ends;
static _Atomic int swaps;

/* One file takes the other's place, and so on. */
static void *swap_all_the_time(void *arg)
{
	const int *folders = arg;
	int folder = folders[0], other = folders[1];
	struct stat st;

	while (!atomic_load(&ends)) {
		if (fstatat(folder, "f", &st, 0) < 0 || swap_in(other, "staged", folder, "f", st.st_ino) != 1)
			bail_out("swap_in");
		atomic_fetch_add(&swaps, 1);
	}
	return NULL;
}

static int set_mtime(uint64_t folder, time_t seconds)
{
	struct stat want = {.st_mtim.tv_sec = seconds};
	struct actor actor = somebody();
	struct stat now;
	double timeout;

	return ns_set_attributes(lake, folder, &want, NS_SET_MTIME, NULL, &actor, &now, &timeout);
}

int main(void)
{
	struct inode *folder;
	struct stat st;
	pthread_t thread;
	int folders[2], lost = 0, failed = 0;

	test_begin("buckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n");
	make_folder(in_lake("buckets/raw"));
	make_folder(in_lake("other"));
	put_file(in_lake("buckets/raw/f"), "one");
	put_file(in_lake("other/staged"), "two");
	open_lake();
	folder = look_up("raw");
	stat(in_lake("buckets/raw"), &st);
	folders[0] = open(in_lake("buckets/raw"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	folders[1] = open(in_lake("other"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	pthread_create(&thread, NULL, swap_all_the_time, folders);
	for (int i = 1; i <= ROUNDS || atomic_load(&swaps) <= 10; i++) {
		failed += set_mtime(folder->id, i) != 0;
		pthread_mutex_lock(swap_times_lock(st.st_ino));
		fstat(folders[0], &st);
		pthread_mutex_unlock(swap_times_lock(st.st_ino));
		lost += st.st_mtim.tv_sec != i;
	}
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
	is_int(failed, 0, "times are set");
	is_int(lost, 0, "each is there beside exchanges");
	ok(atomic_load(&swaps) > 10, "of which there were many: %d", atomic_load(&swaps));
	close(folders[0]);
	close(folders[1]);
	inode_unref(lake, folder);
	close_lake();
	return test_end();
}
