/* The remote that is a folder. */
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "test_tier.h"

static bool own_mounts;
static char top[64], folder[80], lake[80];
static struct settings settings = {.refs = 1, .cloud_allow_same_disk = true};

static struct tier *open_folder(void)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;

	settings.cloud_provider = (char *)"dir";
	settings.cloud_path = folder;
	if (tier_open(&settings, NULL, lake, &t, &why) < 0)
		printf("Bail out! %s\n", buf_str(&why));
	return t;
}

static const char *below(const char *name)
{
	static char path[1200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_plain(const char *name, const char *text)
{
	FILE *f = fopen(below(name), "w");

	fputs(text, f);
	fclose(f);
}

/* The lake forgets which folder it has used. */
static void unlink_memo(void)
{
	char memo[120];

	snprintf(memo, sizeof(memo), "%s/catalog/cloud-folder", lake);
	unlink(memo);
}

/* How many files of facts there are. */
static int count_facts(void)
{
	char command[1300], line[16] = "";
	FILE *f;

	snprintf(command, sizeof(command), "find %s -type f | wc -l", below(".tarn%own/facts"));
	f = popen(command, "r");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		pclose(f);
	return atoi(line);
}

static void test_plain(struct tier *t)
{
	struct tier_head head, again;
	struct stat st;

	is_int(put_len(t, "lake/raw/a.csv", "hello", 5, &head), 0, "put");
	is_str(get(t, "lake/raw/a.csv"), "hello", "and got back");
	ok(stat(below("lake/raw/a.csv"), &st) == 0 && st.st_size == 5, "it is a plain file there");
	is_int(tier_head(t, "lake/raw/a.csv", NULL, &again), 0, "its head");
	ok(memcmp(&head, &again, sizeof(head)) == 0, "is what the put told");
	ok(again.facts.known == (TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE) && again.facts.size == 5, "with its facts");
	is_int(put(t, "empty", ""), 0, "an empty object");
	is_str(get(t, "empty"), "", "is empty");
	is_int(put(t, "lake/raw/a.csv", "another"), 0, "put over it");
	is_str(get(t, "lake/raw/a.csv"), "another", "the new bytes");
	is_str(get(t, "none"), "-2", "what is not there");
	is_int(tier_head(t, "lake/raw", NULL, &head), -ENOENT, "a folder is no object");
	is_int(remove_one(t, "lake/raw/a.csv"), 0, "removed");
	is_int(remove_one(t, "lake/raw/a.csv"), 0, "and again");
	is_str(get(t, "lake/raw/a.csv"), "-2", "it is gone");
	ok(access(below("lake"), F_OK) < 0, "with its empty folders");
	is_int(put(t, "", "x"), -EINVAL, "no key");
	remove_one(t, "empty");
}

static void test_ranges(struct tier *t)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct tier_get g = {.key = "r", .etag = "0", .length = TIER_TO_END, .sink = take, .arg = &b};
	struct tier_head head;

	put(t, "r", "0123456789");
	is_int(get_range(t, "r", 3, 4, &b), 0, "a range");
	is_str(buf_str(&b), "3456", "its bytes");
	is_int(get_range(t, "r", 8, 100, &b), 0, "beyond the end");
	is_str(buf_str(&b), "89", "what there is");
	is_int(get_range(t, "r", 10, 1, &b), -ERANGE, "from the end");
	is_int(get_range(t, "r", 4, TIER_TO_END, &b), 0, "to the end");
	is_str(buf_str(&b), "456789", "the rest");
	is_int(tier_get(t, &g, NULL, NULL), -ESTALE, "of another ETag");
	tier_head(t, "r", NULL, &head);
	g.etag = head.etag;
	buf_clear(&b);
	is_int(tier_get(t, &g, NULL, NULL), 0, "of its ETag");
	put(t, "r", "0123456788");
	is_int(tier_get(t, &g, NULL, NULL), -ESTALE, "which it has no more");
	remove_one(t, "r");
}

static void test_changed_by_others(struct tier *t)
{
	struct tier_head head, other;

	put_len(t, "c", "tarn's", 6, &head);
	write_plain("c", "theirs");
	is_int(tier_head(t, "c", NULL, &other), 0, "an object that somebody wrote");
	ok(strcmp(head.etag, other.etag) != 0 && other.facts.known == 0, "has another ETag and no facts");
	write_plain("theirs", "x");
	is_int(tier_head(t, "theirs", NULL, &other), 0, "a file that somebody put there");
	ok(other.size == 1 && other.etag[0], "is an object");
	ok(symlink("/etc/passwd", below("link")) == 0, "a symlink");
	is_int(tier_head(t, "link", NULL, &other), -ENOENT, "is none");
	unlink(below("link"));
	remove_one(t, "c");
	remove_one(t, "theirs");
}

static void test_hostile_keys(struct tier *t)
{
	static const char *const keys[] = {"a//b", "a/../b",  "./x",	      "/",	 "//",
					   "a/",   "..",      ".tarn%own/id", ".tarn%x", " ",
					   "\n",   "caf\xe9", "%2f",	      "a+b",	 "ä/\xf0\x9f\x90\x9f"};
	char longest[1025], slashes[1025];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ok(put(t, keys[i], keys[i]) == 0 && strcmp(get(t, keys[i]), keys[i]) == 0, "key \"%s\"", keys[i]);
	}
	memset(longest, 'k', 1024);
	longest[1024] = '\0';
	memset(slashes, '/', 1024);
	slashes[1024] = '\0';
	ok(put(t, longest, "long") == 0 && strcmp(get(t, longest), "long") == 0, "a name of 1,024 bytes");
	ok(put(t, slashes, "slashes") == 0 && strcmp(get(t, slashes), "slashes") == 0, "1,024 slashes");
	is_int(put(t, "kk/1", "x"), 0, "a sibling");
	is_str(list(t, "a", NULL, false), "a+b;a/;a/../b;a//b;", "listed in order");
	ok(strncmp(list(t, "k", NULL, true), "kk/;kkkk", 8) == 0, "beside the long one");
	is_str(list(t, "", "~", false), "ä/\xf0\x9f\x90\x9f;", "after ~");
	ok(access(below(".tarn%own/id"), F_OK) == 0, "the engine's own are not touched");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		remove_one(t, keys[i]);
	remove_one(t, longest);
	remove_one(t, slashes);
	remove_one(t, "kk/1");
	is_str(list(t, "", NULL, false), "", "all removed");
	ok(rmdir(below(".tarn%e")) < 0 && errno == ENOENT, "with all of their folders");
}

static void test_file_and_folder(struct tier *t)
{
	put(t, "n", "file");
	is_int(put(t, "n/1", "below"), 0, "a key below an object");
	is_str(get(t, "n"), "file", "the object stays");
	is_str(get(t, "n/1"), "below", "and the other is there");
	put(t, "m/1", "below");
	is_int(put(t, "m", "file"), 0, "an object called as a folder");
	is_str(get(t, "m"), "file", "is there");
	is_str(get(t, "m/1"), "below", "beside it");
	is_str(list(t, "", NULL, false), "m;m/1;n;n/1;", "all four are listed");
	is_str(list(t, "", "m", false), "m/1;n;n/1;", "and after one");
	remove_one(t, "m/1");
	is_int(put(t, "m", "again"), 0, "put when the folder is gone");
	is_str(get(t, "m"), "again", "the new one");
	remove_one(t, "m");
	is_str(get(t, "m"), "-2", "and no older one comes back");
	remove_one(t, "n");
	is_str(get(t, "n/1"), "below", "below the name of a removed object");
	is_int(put(t, "n/2", "x"), 0, "and another there");
	is_str(list(t, "n", NULL, false), "n/1;n/2;", "both");
	remove_one(t, "n/1");
	remove_one(t, "n/2");
}

static void test_listing(struct tier *t)
{
	static const char *const keys[] = {"p/a.txt", "p/a/1", "p/a/2", "p/a-b", "p/b/c/d", "q"};
	char key[32], after[64];
	int n = 0;

	for (int i = 0; i < 6; i++)
		put(t, keys[i], "x");
	is_str(list(t, "p/", NULL, false), "p/a-b;p/a.txt;p/a/1;p/a/2;p/b/c/d;", "in the order of bytes");
	is_str(list(t, "p/", NULL, true), "p/a-b;p/a.txt;p/a/;p/b/;", "with folders");
	is_str(list(t, "p/", "p/a.txt", true), "p/a/;p/b/;", "with folders, after");
	is_str(list(t, "p/", "p/a/", true), "p/b/;", "after a folder");
	is_str(list(t, "p/a/", "p/a/1", false), "p/a/2;", "after a key");
	is_str(list(t, "p/a", NULL, false), "p/a-b;p/a.txt;p/a/1;p/a/2;", "a prefix that is half a name");
	is_str(list(t, "x", NULL, false), "", "where nothing is");
	for (int i = 0; i < 6; i++)
		remove_one(t, keys[i]);
	for (int i = 0; i < 2500; i++) {
		snprintf(key, sizeof(key), "many/%02d/%04d", i % 7, i);
		n += put(t, key, "") == 0;
	}
	is_int(n, 2500, "many objects");
	is_int((int)strlen(list(t, "many/", NULL, false)), 2500 * 13, "all of them in pages");
	snprintf(after, sizeof(after), "many/06/%04d", 2490);
	is_str(list(t, "many/", after, false), "many/06/2491;many/06/2498;", "from the middle");
	for (int i = 0; i < 2500; i++) {
		snprintf(key, sizeof(key), "many/%02d/%04d", i % 7, i);
		remove_one(t, key);
	}
}

static void test_if_none_match(struct tier *t)
{
	struct bytes b = {"x", 1, 0, 0};
	struct tier_put p = {.key = "once", .source = {1, read_bytes, &b}, .if_none_match = true};

	is_int(tier_put(t, &p, NULL, NULL), 0, "where nothing is");
	is_int(tier_put(t, &p, NULL, NULL), -EEXIST, "where something is");
	put(t, "once-folder/1", "x");
	p.key = "once-folder";
	is_int(tier_put(t, &p, NULL, NULL), 0, "where a folder is");
	is_int(tier_put(t, &p, NULL, NULL), -EEXIST, "and then not");
	remove_one(t, "once");
	remove_one(t, "once-folder");
	remove_one(t, "once-folder/1");
}

static void test_wrong_source(struct tier *t)
{
	static const uint8_t wrong[32] = {1};
	struct bytes b = {"12345", 5, 0, 0};
	struct tier_put p = {.key = "w", .source = {5, read_bytes, &b}, .sha256 = wrong};

	put(t, "w", "before");
	is_int(tier_put(t, &p, NULL, NULL), -ESTALE, "bytes of another hash");
	p.sha256 = NULL;
	p.source.size = 6;
	is_int(tier_put(t, &p, NULL, NULL), -ESTALE, "a source that is shorter");
	b.fail = -EIO;
	is_int(tier_put(t, &p, NULL, NULL), -EIO, "a source that cannot be read");
	is_str(get(t, "w"), "before", "the object is as before");
	remove_one(t, "w");
}

static void test_copy(struct tier *t)
{
	struct tier_facts facts = {.known = TIER_KNOWS_VERSION, .node = 3, .version = 4};
	struct tier_copy c = {.from = "f", .to = "x/t", .etag = "0"};
	struct tier_head head, from;

	put_len(t, "f", "copied", 6, &from);
	is_int(tier_copy(t, &c, NULL, NULL), -ESTALE, "a copy of another ETag");
	c.etag = from.etag;
	is_int(tier_copy(t, &c, NULL, &head), 0, "a copy");
	is_str(get(t, "x/t"), "copied", "has the bytes");
	ok(strcmp(head.etag, from.etag) == 0 && (head.facts.known & TIER_KNOWS_SHA256), "and the facts");
	c.facts = &facts;
	is_int(tier_copy(t, &c, NULL, &head), 0, "with other facts");
	is_int(head.facts.known, TIER_KNOWS_VERSION, "it has those");
	c.to = "f";
	is_int(tier_copy(t, &c, NULL, &head), 0, "onto itself");
	tier_head(t, "f", NULL, &head);
	ok(head.facts.version == 4 && strcmp(get(t, "f"), "copied") == 0, "changes its facts");
	c.from = "none";
	c.etag = NULL;
	is_int(tier_copy(t, &c, NULL, NULL), -ENOENT, "of nothing");
	write_plain("theirs", "foreign");
	c = (struct tier_copy){.from = "theirs", .to = "ours", .if_none_match = true};
	is_int(tier_copy(t, &c, NULL, NULL), 0, "of a file that somebody put there");
	is_str(get(t, "ours"), "foreign", "its bytes");
	is_int(tier_copy(t, &c, NULL, NULL), -EEXIST, "not over another");
	remove_one(t, "f");
	remove_one(t, "x/t");
	remove_one(t, "theirs");
	remove_one(t, "ours");
}

static void test_large(struct tier *t)
{
	size_t len = 5 * 1024 * 1024 + 1;
	char *data = malloc(len);
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 1000);
	is_int(put_len(t, "large", data, len, NULL), 0, "5 MiB and a byte");
	ok(get_range(t, "large", 0, TIER_TO_END, &b) == 0 && b.len == len && memcmp(b.data, data, len) == 0,
	   "the same bytes");
	ok(get_range(t, "large", 1234567, 2345678, &b) == 0 && memcmp(b.data, data + 1234567, 2345678) == 0,
	   "from the middle");
	remove_one(t, "large");
	free(data);
}

static void test_sweep(struct tier *t)
{
	uint64_t removed;

	write_plain(".tarn%own/temp/left", "x");
	is_int(tier_sweep(t, "", clock_wall() - 3600 * NSEC_PER_SEC, NULL, &removed), 0, "sweep");
	is_int((int64_t)removed, 0, "what is young stays");
	is_int(tier_unfinished(t, "", clock_wall() - 3600 * NSEC_PER_SEC, NULL, &removed), 0, "looking");
	is_int((int64_t)removed, 0, "what is young does not count");
	is_int(tier_unfinished(t, "", clock_wall() + NSEC_PER_SEC, NULL, &removed), 0, "looking");
	is_int((int64_t)removed, 1, "what is old is counted, and stays");
	is_int(tier_sweep(t, "", clock_wall() + NSEC_PER_SEC, NULL, &removed), 0, "sweep");
	is_int((int64_t)removed, 1, "what is old goes");
}

/* A disk whose files cannot have attributes: facts lie in files of their own. */
static void test_without_attributes(struct tier *t)
{
	struct tier_head head;

	if (!own_mounts || mount("none", folder, "ramfs", 0, NULL) < 0) {
		skip("facts in files", "the right to mount");
		return;
	}
	write_plain("probe", "");
	ok(setxattr(below("probe"), "user.x", "x", 1, 0) < 0, "a disk without attributes");
	unlink(below("probe"));
	unlink_memo();
	is_int(put_len(t, "a/b", "one", 3, NULL), 0, "put without attributes");
	is_int(tier_head(t, "a/b", NULL, &head), 0, "its head");
	ok(head.facts.known == (TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE) && strlen(head.etag) == 32, "has the facts");
	is_int(put_len(t, "a/b", "two!", 4, NULL), 0, "put over it");
	tier_head(t, "a/b", NULL, &head);
	ok(head.facts.size == 4 && strcmp(get(t, "a/b"), "two!") == 0, "has the new ones");
	write_plain("a/b", "theirs");
	tier_head(t, "a/b", NULL, &head);
	is_int(head.facts.known, 0, "which are not told of what somebody wrote");
	is_str(list(t, "", NULL, false), "a/b;", "and are no objects");
	is_int(remove_one(t, "a/b"), 0, "removed");
	is_int(count_facts(), 0, "with its facts");
	umount(folder);
	unlink_memo();
}

static bool stop_soon(void *arg)
{
	return clock_monotonic() > *(int64_t *)arg;
}

static void test_full(struct tier *t)
{
	size_t len = 32 * 1024 * 1024;
	char *data = calloc(1, len);
	int rc;

	is_int(put_len(t, "too-large", data, len, NULL), -ENOSPC, "a disk that is full");
	is_str(get(t, "too-large"), "-2", "has nothing of it");
	rc = put_len(t, "fits", data, 1024 * 1024, NULL);
	for (int i = 0; i < 100 && rc == -ENOSPC; i++) { /* blocks are free when that is written down */
		usleep(50000);
		rc = put_len(t, "fits", data, 1024 * 1024, NULL);
	}
	is_int(rc, 0, "and room again");
	remove_one(t, "fits");
	free(data);
}

/* Runs it; false: it failed. */
static bool run(const char *fmt, const char *a, const char *b)
{
	char command[400];

	snprintf(command, sizeof(command), fmt, a, b);
	return system(command) == 0;
}

/* A disk of its own, that can be full, and can hang: a frozen one lets no write end. */
static void test_own_disk(struct tier *t)
{
	struct tier_call call = {.patience = NSEC_PER_SEC};
	char image[100];
	int fd;

	snprintf(image, sizeof(image), "%s/image", top);
	if (!own_mounts || !run("truncate -s 24M %s && mkfs.ext4 -q -F %s >/dev/null 2>&1", image, image) ||
	    !run("mount -o loop %s %s 2>/dev/null", image, folder)) {
		skip("a disk that is full, and one that hangs", "the right to mount a loop device");
		return;
	}
	unlink_memo();
	put(t, "before", "x");
	test_full(t);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ok(ioctl(fd, FIFREEZE, 0) == 0, "a disk that hangs")) {
		int64_t begun = clock_monotonic();
		struct bytes b = {"new", 3, 0, 0};
		struct tier_put p = {.key = "new", .source = {3, read_bytes, &b}};

		is_int(tier_put(t, &p, &call, NULL), -ETIMEDOUT, "nobody waits for ever");
		ok(clock_monotonic() - begun < 8 * NSEC_PER_SEC, "but soon knows");
		begun = clock_monotonic() + NSEC_PER_SEC / 5;
		call = (struct tier_call){.stop = stop_soon, .arg = &begun};
		is_int(tier_put(t, &p, &call, NULL), -ECANCELED, "or gives up");
		is_str(get(t, "before"), "x", "what can be read is read");
	}
	ioctl(fd, FITHAW, 0);
	close(fd);
	is_int(put(t, "after", "y"), 0, "it goes on");
	is_str(get(t, "after"), "y", "as before");
	for (int i = 0; i < 100 && umount(folder) < 0; i++)
		usleep(50000);
	unlink(image);
	unlink_memo();
}

static void test_moved_away(struct tier *t)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier_call call = {.patience = NSEC_PER_SEC / 10};
	struct tier_head head;
	char away[100];

	put(t, "kept", "x");
	snprintf(away, sizeof(away), "%s.away", folder);
	ok(rename(folder, away) == 0, "the folder is gone");
	is_int(tier_head(t, "kept", &call, &head), -EHOSTUNREACH, "then nothing can be said");
	mkdir(folder, 0700);
	is_int(tier_head(t, "kept", &call, &head), -EHOSTUNREACH, "nor where another is in its place");
	is_int(tier_check(t, &call, &why), -EHOSTUNREACH, "which is told");
	ok(strstr(buf_str(&why), "is its disk mounted"), "%s", buf_str(&why));
	rmdir(folder);
	ok(rename(away, folder) == 0, "and is back");
	is_str(get(t, "kept"), "x", "then it is there");
	remove_one(t, "kept");
}

static bool stop_now(void *arg)
{
	(void)arg;
	return true;
}

static void test_stopped(struct tier *t)
{
	struct tier_call call = {.stop = stop_now};
	struct tier_call late = {.deadline = 1};
	struct tier_head head;

	is_int(tier_head(t, "x", &call, &head), -ECANCELED, "a call that is stopped");
	is_int(tier_head(t, "x", &late, &head), -ETIMEDOUT, "one that is late");
}

static void *put_and_remove(void *arg)
{
	struct tier *t = arg;
	char key[32];
	intptr_t failed = 0;

	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "race/%lx-%d", (unsigned long)pthread_self(), i % 3);
		failed += put(t, key, "x") < 0;
		failed += remove_one(t, key) < 0;
	}
	return (void *)failed;
}

/* Folders that are removed when empty, while others put into them. */
static void test_race(struct tier *t)
{
	pthread_t threads[4];
	intptr_t failed = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, put_and_remove, t);
	for (int i = 0; i < 4; i++) {
		void *r;

		pthread_join(threads[i], &r);
		failed += (intptr_t)r;
	}
	is_int(failed, 0, "four threads put into and remove from one folder");
	is_str(list(t, "race/", NULL, false), "", "and nothing is left");
}

static void test_same_disk(void)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier_call call = {.patience = NSEC_PER_SEC};
	struct tier *t;

	settings.cloud_allow_same_disk = false;
	t = open_folder();
	is_int(tier_check(t, &call, &why), -EINVAL, "not on the lake's own disk");
	ok(strstr(buf_str(&why), "cloud_allow_same_disk"), "which is told: %s", buf_str(&why));
	settings.cloud_allow_same_disk = true;
	tier_unref(t);
}

static void test_open(void)
{
	struct settings none = {.refs = 1};
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t;

	is_int(tier_open(&none, NULL, NULL, &t, &why), -ENODEV, "no remote in the settings");
	is_int(tier_open(&none, "folder", NULL, &t, &why), -EINVAL, "no URL");
	settings.cloud_prefix = (char *)"/lake/";
	t = open_folder();
	is_str(tier_prefix(t), "lake", "the prefix without slashes");
	is_str(tier_engine(t), "dir", "its engine");
	settings.cloud_prefix = NULL;
	tier_unref(t);
}

int main(void)
{
	char catalog[100], command[100];
	struct tier *t;

	/* Before there are threads, which would stay outside. */
	own_mounts = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	snprintf(top, sizeof(top), "/tmp/test-tier-dir-XXXXXX");
	if (!mkdtemp(top))
		return skip_all("a place for files");
	snprintf(folder, sizeof(folder), "%s/nas", top);
	snprintf(lake, sizeof(lake), "%s/lake", top);
	snprintf(catalog, sizeof(catalog), "%s/catalog", lake);
	if (mkdir(folder, 0700) < 0 || mkdir(lake, 0700) < 0 || mkdir(catalog, 0700) < 0)
		return skip_all("a place for files");
	test_open();
	t = open_folder();
	test_plain(t);
	test_ranges(t);
	test_changed_by_others(t);
	test_hostile_keys(t);
	test_file_and_folder(t);
	test_listing(t);
	test_if_none_match(t);
	test_wrong_source(t);
	test_copy(t);
	test_large(t);
	test_sweep(t);
	test_race(t);
	test_stopped(t);
	test_moved_away(t);
	test_without_attributes(t);
	test_own_disk(t);
	is_str(list(t, "", NULL, false), "", "nothing is left at the end");
	tier_unref(t);
	test_same_disk();
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command) == 0 ? done() : 1;
}
