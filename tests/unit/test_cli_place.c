#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "tap.h"

static char base[] = "/tmp/tarn-place-XXXXXX";

static const char *at(const char *below)
{
	static struct buf path;

	buf_clear(&path);
	buf_addf(&path, "%s/%s", base, below);
	return buf_str(&path);
}

static void folder(const char *below)
{
	if (mkdir(at(below), 0755))
		diag("%s: %s", at(below), strerror(errno));
}

static void file(const char *below)
{
	int fd = open(at(below), O_WRONLY | O_CREAT, 0644);

	if (fd < 0)
		diag("%s: %s", at(below), strerror(errno));
	close(fd);
}

static void is_in(const char *below, bool in_lake, const char *inside)
{
	struct place p;
	char lake[4096];

	snprintf(lake, sizeof(lake), "%s", at("lake"));
	is_int(place_find(at(below), &p), 0, below);
	is_str(p.lake, in_lake ? lake : NULL, "  its lake");
	is_str(p.inside, inside, "  where in buckets/");
	ok(!p.point, "  on no mount");
	place_release(&p);
}

int main(void)
{
	struct place p;
	char *path;

	if (!mkdtemp(base))
		return skip_all("a temporary folder");
	folder("lake");
	folder("lake/config");
	folder("lake/buckets");
	folder("lake/buckets/b");
	folder("lake/buckets-old");
	folder("other");
	folder("other/config");
	file("lake/config/settings.yaml");
	file("lake/buckets/b/f");

	is_int(lake_check(at("lake")), 0, "a lake");
	is_int(lake_check(at("other")), -ENOENT, "a folder with a config/ of another kind");
	is_int(lake_check(at("missing")), -ENOENT, "nothing");
	is_int(lake_check(at("lake/buckets/b/f")), -ENOENT, "a file");

	is_in("lake", true, NULL);
	is_in("lake/config", true, NULL);
	is_in("lake/buckets", true, "");
	is_in("lake/buckets/b", true, "b");
	is_in("lake/buckets/b/f", true, "b/f");
	is_in("lake/buckets/b/gone", true, "b/gone");
	is_in("lake/buckets-old", true, NULL);
	is_in("other", false, NULL);
	is_in("", false, NULL);

	is_int(place_find(at("lake/buckets/none/gone"), &p), -ENOENT, "a path whose folder is missing");
	is_int(place_find("", &p), -ENOENT, "no path");
	if (symlink("lake/buckets/b", at("link")))
		diag("symlink: %s", strerror(errno));
	is_in("link/f", true, "b/f");

	if (chdir(at("lake/buckets")))
		diag("chdir: %s", strerror(errno));
	is_int(path_resolve("new", &path), 0, "a relative path to nothing");
	is_str(path, at("lake/buckets/new"), "is made absolute");
	free(path);
	is_int(path_resolve("b/new//", &path), 0, "slashes behind");
	is_str(path, at("lake/buckets/b/new"), "go");
	free(path);
	if (chdir("/"))
		diag("chdir: %s", strerror(errno));

	unlink(at("link"));
	unlink(at("lake/buckets/b/f"));
	unlink(at("lake/config/settings.yaml"));
	rmdir(at("other/config"));
	rmdir(at("other"));
	rmdir(at("lake/buckets-old"));
	rmdir(at("lake/buckets/b"));
	rmdir(at("lake/buckets"));
	rmdir(at("lake/config"));
	rmdir(at("lake"));
	is_int(rmdir(base), 0, "cleaned up");
	return done();
}
