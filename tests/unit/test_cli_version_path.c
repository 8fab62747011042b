#include "cli/version_path.h"

#include <errno.h>

#include "tap.h"

static void splits(const char *path, const char *file, const char *which)
{
	char *f = NULL, *w = NULL;

	is_int(version_path_split(path, &f, &w), 0, path);
	is_str(f, file, "  the file");
	is_str(w, which, "  the version");
	free(f);
	free(w);
}

static void refuses(const char *path)
{
	char *f = NULL, *w = NULL;

	is_int(version_path_split(path, &f, &w), -EINVAL, path);
	free(f);
	free(w);
}

static void is_now(const char *path, const char *wanted)
{
	char *live = NULL;

	is_int(version_path_live(path, &live), wanted ? 0 : -EINVAL, path);
	is_str(live, wanted, "  what is live there");
	free(live);
}

int main(void)
{
	splits("a.csv@v3", "a.csv", "3");
	splits("a.csv@v-1", "a.csv", "-1");
	splits("a.csv@v/3", "a.csv", "3");
	splits("a.csv@v/3.csv", "a.csv", "3.csv");
	splits("/lake/b/a.csv.gz@v/5.csv.gz", "/lake/b/a.csv.gz", "5.csv.gz");
	splits("dir/a b@v/latest.csv", "dir/a b", "latest.csv");
	splits("./a@v2026-11-20", "./a", "2026-11-20");
	splits("a@v1@v2", "a@v1", "2");
	splits("d@v3/a.csv@v2", "d@v3/a.csv", "2");
	splits("a@v@v2", "a@v", "2");
	refuses("");
	refuses("a.csv");
	refuses("a.csv@v");
	refuses("a.csv@v/");
	refuses("@v3");
	refuses("dir/@v3");
	refuses("dir/@v/3");
	refuses("d@v/2026-11-20/a.csv");
	refuses("d@v3/a.csv");
	refuses("/");
	is_now("a.csv@v3", "a.csv");
	is_now("a.csv@v/3.csv", "a.csv");
	is_now("d@v/2026-11-20/b/a.csv", "d/b/a.csv");
	is_now("/lake/d@v/2026-11-20", "/lake/d");
	is_now("/lake/d@v/LABEL/", "/lake/d");
	is_now("/lake/@v/2026-11-20/d/a.csv", "/lake/d/a.csv");
	is_now("/lake/@v/commit-12", "/lake");
	is_now("@v/commit-12/d", "d");
	is_now("a@v1@v2", "a@v1");
	is_now("a.csv", NULL);
	is_now("d@v", NULL);
	is_now("d@v/", NULL);
	is_now("", NULL);
	return done();
}
