/*
 * The mark at a remote: one lake uses it, a copy of it is another one, and who comes second is told, whenever it comes.
 */
#include "test_work.h"

#include <sys/stat.h>

#include "base/full_io.h"
#include "content/cloud/mark.h"
#include "content/cloud/remote.h"

static struct tier *remote_tier;

/* The folder of a lake, as far as the mark goes. */
static int folder(const char *name)
{
	make_folder(in_lake("%s", name));
	make_folder(in_lake("%s/catalog", name));
	return open(in_lake("%s", name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static struct mark_of mark_of(int fd)
{
	return (struct mark_of){.lakefd = fd, .lake = 0xabc, .tier = remote_tier};
}

static int begin(int fd, char use[MARK_USE])
{
	const struct mark_of m = mark_of(fd);

	return mark_begin(&m, use, NULL);
}

static int take(int fd, char use[MARK_USE])
{
	const struct mark_of m = mark_of(fd);

	return mark_take(&m, use, NULL);
}

static int check(int fd, const char *use)
{
	const struct mark_of m = mark_of(fd);

	return mark_check(&m, use, NULL);
}

static int look(int fd)
{
	const struct mark_of m = mark_of(fd);

	return mark_look(&m, NULL);
}

static void write_at(int fd, const char *name, const char *text)
{
	_cleanup_close_ int to = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (to < 0 || write_full_at(to, text, strlen(text), 0))
		bail_out(name);
}

/* As `cp -a` of the whole lake. */
static void copy_known(int from, int to)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (read_file_at(from, "catalog/remotes", &text))
		bail_out("catalog/remotes");
	write_at(to, "catalog/remotes", buf_str(&text));
}

static void remove_mark(void)
{
	const char *key = "p/.tarn/lake";

	tier_remove(remote_tier, &key, 1, NULL, NULL);
}

static ssize_t read_nothing_known(void *arg, void *to, size_t len, uint64_t at)
{
	(void)arg, (void)at;
	memset(to, 'x', len);
	return (ssize_t)len;
}

static void test_copies(int one, int two)
{
	char first[MARK_USE], use[MARK_USE], other[MARK_USE];
	_cleanup_buf_ struct buf who = BUF_INIT;
	const struct mark_of m = mark_of(one);

	is_int(look(one), -ENOENT, "a remote that nobody uses");
	is_int(begin(one, first), 0, "is used");
	is_int(look(one), 0, "which its lake knows");
	is_int(check(one, first), 0, "and sees");
	is_int(begin(two, other), -EBUSY, "another lake does not get it");
	is_int(look(two), -EBUSY, "nor would it");
	copy_known(one, two);
	is_int(begin(one, use), 0, "the first one comes again");
	is_int(check(one, first), -EBUSY, "so a daemon that was forgotten sees that it is not alone");
	is_int(begin(two, other), -EBUSY, "a copy made before is another lake");
	copy_known(one, two);
	is_int(begin(two, other), 0, "of a copy and its lake the one that comes first goes on");
	is_int(check(one, use), -EBUSY, "the other one sees that while it runs");
	is_int(mark_begin(&m, use, &who), -EBUSY, "and when it begins");
	ok(strstr(buf_str(&who), "lake 0000000000000abc of ") != NULL, "it is told: %s", buf_str(&who));
	is_int(take(one, use), 0, "it takes over");
	is_int(check(two, other), -EBUSY, "the copy sees it");
	is_int(begin(two, other), -EBUSY, "then and later");
	is_int(begin(one, use), 0, "it goes on");
}

static void test_crashes(int one)
{
	_cleanup_buf_ struct buf line = BUF_INIT, text = BUF_INIT;
	char use[MARK_USE], next[MARK_USE];

	is_int(begin(one, use), 0, "a lake uses a remote");
	if (read_file_at(one, "catalog/remotes", &text) || text.len < 66)
		bail_out("catalog/remotes");
	buf_addf(&line, "%.32s %s %032d\n", buf_str(&text), use, 7);
	write_at(one, "catalog/remotes", buf_str(&line));
	is_int(look(one), 0, "a crash before the mark was written");
	buf_clear(&line);
	buf_addf(&line, "nonsense\n%.32s %032d %s\n%032d %032d -\n", buf_str(&text), 7, use, 8, 9);
	write_at(one, "catalog/remotes", buf_str(&line));
	is_int(look(one), 0, "or after it");
	is_int(begin(one, next), 0, "harms nobody");
	buf_clear(&text);
	read_file_at(one, "catalog/remotes", &text);
	ok(strstr(buf_str(&text), next) && strstr(buf_str(&text), "00000000000000000000000000000009 -"),
	   "other remotes' lines stay");
	remove_mark();
	is_int(check(one, next), -ENOENT, "a mark that was removed");
	is_int(begin(one, use), 0, "is made again");
}

static void test_strangers(int one)
{
	char use[MARK_USE];
	struct tier_put put = {.key = "p/.tarn/lake", .source = {.size = 10, .read = read_nothing_known}};

	is_int(tier_put(remote_tier, &put, NULL, NULL), 0, "somebody's bytes lie there");
	is_int(begin(one, use), -EBUSY, "they are no mark of this lake");
	put.source.size = 100000;
	is_int(tier_put(remote_tier, &put, NULL, NULL), 0, "many of them");
	is_int(begin(one, use), -EBUSY, "neither");
	is_int(take(one, use), 0, "until it is said so");
	is_int(begin(one, use), 0, "then they are gone");
}

/* As work/ uses it. */
static void test_held(int other)
{
	char use[MARK_USE];
	_cleanup_buf_ struct buf who = BUF_INIT, was = BUF_INIT;

	remove_mark();
	ok(!remote_is_held(lake), "an open lake does not hold its remote");
	is_int(remote_hold(lake, NULL), 0, "until it was asked for");
	ok(remote_is_held(lake) && !remote_is_others(lake, NULL), "then it does");
	is_int(take(other, use), 0, "another one takes it");
	is_int(remote_hold(lake, NULL), 0, "it is not asked for each time");
	atomic_store(&lake->mark.wanted, true);
	is_int(remote_hold(lake, NULL), -EBUSY, "but it is seen");
	ok(!remote_is_held(lake) && remote_is_others(lake, &who), "and nothing goes there: %s", buf_str(&who));
	is_int(remote_take(lake, NULL, &was), 0, "it is taken back");
	ok(strstr(buf_str(&was), "abc of ") != NULL, "from %s", buf_str(&was));
	ok(remote_is_held(lake), "it is held again");
	is_int(check(other, use), -EBUSY, "the other one sees that");
}

int main(void)
{
	char yaml[600];
	int one, two;

	test_begin("");
	snprintf(yaml, sizeof(yaml),
		 "hybrid_storage: {cloud_provider: dir, cloud_path: \"%s\", cloud_prefix: p, cloud_allow_same_disk: "
		 "true}\n",
		 in_lake("remote"));
	make_folder(in_lake("remote"));
	set_settings(yaml);
	open_lake();
	remote_tier = lake_tier(lake);
	one = folder("one");
	two = folder("two");
	test_copies(one, two);
	test_crashes(one);
	test_strangers(one);
	test_held(two);
	tier_unref(remote_tier);
	close(one);
	close(two);
	close_lake();
	return test_end();
}
