#include "cli/version_path.h"

#include <errno.h>

#include "base/cleanup.h"
#include "cli/duckdb.h"
#include "tap.h"

/* SUBJECT, what is below the moment. */
static void parts(const char *path, const char *subject, const char *below)
{
	struct version_path p;
	char text[64];

	is_int(version_path_parse(path, &p), 0, path);
	snprintf(text, sizeof(text), "%.*s", (int)p.subject, path);
	is_str(text, subject, "  whose");
	snprintf(text, sizeof(text), "%.*s", (int)(p.len - p.below), path + p.below);
	is_str(text, below, "  what of it");
}

static void refuses(const char *path)
{
	struct version_path p;

	is_int(version_path_parse(path, &p), -EINVAL, path);
}

static void is_now(const char *path, const char *wanted)
{
	char *live = NULL;

	is_int(version_path_live(path, &live), wanted ? 0 : -EINVAL, path);
	is_str(live, wanted, "  what is live there");
	free(live);
}

static void reads(const char *name, const char *reader, const char *wanted)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	is_str(duckdb_reader(name, &path), reader, name);
	is_str(buf_str(&path), wanted, "  what DuckDB reads");
}

int main(void)
{
	parts("a.csv@v3", "a.csv", "");
	parts("a.csv@v-1", "a.csv", "");
	parts("a.csv@v/3.csv", "a.csv", "");
	parts("/lake/b/a.csv.gz@v/5.csv.gz", "/lake/b/a.csv.gz", "");
	parts("dir/a b@v/latest.csv", "dir/a b", "");
	parts("a@v1@v2", "a@v1", "");
	parts("d@v3/a.csv@v2", "d@v3/a.csv", "");
	parts("d@v/2026-11-20/x/a.csv/", "d", "x/a.csv");
	parts("d@v/LABEL", "d", "");
	parts("@v/commit-3/b/x", "", "b/x");
	parts("/m/@v/commit-3", "/m/", "");
	refuses("");
	refuses("a.csv");
	refuses("a.csv@v");
	refuses("a.csv@v/");
	refuses("/");
	reads("b/a.csv@v3", "read_csv_auto", "b/a.csv@v/3.csv");
	reads("b.x/a.tsv.zst@v-1", "read_csv_auto", "b.x/a.tsv.zst@v/-1.tsv.zst");
	reads("a.parquet@v/latest", "read_parquet", "a.parquet@v/latest.parquet");
	reads("a.ndjson.gz@v/2026-11-20", "read_json_auto", "a.ndjson.gz@v/2026-11-20.ndjson.gz");
	reads("a.CSV@v/3.CSV", "read_csv_auto", "a.CSV@v/3.CSV");
	reads("d@v/LABEL/a.csv", NULL, "");
	reads("d.csv@v/LABEL/a", NULL, "");
	reads("a.png@v3", NULL, "");
	reads("a@v3", NULL, "");
	reads("@v/commit-3", NULL, "");
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
