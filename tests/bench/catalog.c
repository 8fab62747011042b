/*
 * What the catalog takes when there are many files.
 *
 *	catalog FOLDER [FILES]
 *
 * Makes a lake in FOLDER whose store knows and describes FILES (1,000,000) files in folders of 1,000, none of which is
 * on the disk: 4 of 10 are tables with 10 columns, every hundredth has tags. Prints CSV: what, median and longest of
 * several, unit. "store" is the bytes per file, the WAL aside; "search …" reads all results, "first …" is until a
 * listing has the names that a mount answers with first, "file …" makes a whole file. A lake that is there already is
 * measured as it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "ns/find.h"
#include "ns/view/view.h"

#define IN_FOLDER 1000
#define IN_RECORD 500
#define RUNS 20
#define FIRST 500 /* that ns/view/view_listing.c waits for */

static struct lake *lake;
static const struct actor root = {.caller = {.uid = 0}, .run = RUN_TARN};

static void fail(const char *what, int err)
{
	fprintf(stderr, "catalog: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void open_lake(const char *folder)
{
	static const char *const folders[] = {"", "/config", "/buckets", "/catalog", "/temp"};
	_cleanup_buf_ struct buf error = BUF_INIT, path = BUF_INIT;
	struct findings findings = {0};
	struct settings *settings;
	FILE *f;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		buf_clear(&path);
		buf_addf(&path, "%s%s", folder, folders[i]);
		mkdir(buf_str(&path), 0755);
	}
	buf_clear(&path);
	buf_addf(&path, "%s/config/settings.yaml", folder);
	f = fopen(buf_str(&path), "we");
	if (!f)
		fail(buf_str(&path), -errno);
	fputs("storage: {min_age: 0}\n", f);
	fclose(f);
	if (settings_load(folder, NULL, &settings, &findings) < 0 || lake_open(folder, settings, &lake, &error) < 0)
		fail(buf_str(&error), -EINVAL);
	findings_release(&findings);
}

/* ---- files ---- */

static const char *const words[] = {"amber", "birch",  "cedar", "delta", "ember", "fjord",  "grove", "heron",
				    "inlet", "jasper", "knoll", "larch", "maple", "nettle", "otter", "pine"};

static uint64_t add_folder(struct record *r, uint64_t parent, const char *name)
{
	struct node_row n = {.id = store_new_node(lake->store), .kind = KIND_FOLDER, .mode = S_IFDIR | 0755};

	record_node_add(r, &n);
	record_entry_add(r, parent, name, n.id);
	return n.id;
}

/* A table of one of 300 schemas, with statistics as a CSV file of ten columns has them. */
static void describe_table(struct record *r, uint64_t version, uint64_t i)
{
	_cleanup_buf_ struct buf columns = BUF_INIT, names = BUF_INIT, facts = BUF_INIT;
	struct description_row d = {.version = version, .kind = 2, .format = "csv", .rows = (int64_t)(i % 5000)};

	buf_adds(&facts, "{\"kind\":\"table\",\"format\":\"csv\",\"mime\":\"text/csv\",\"columns\":[");
	for (uint64_t c = 0; c < 10; c++) {
		const char *word = words[(i % 300 + c * 7) % 16];

		buf_addf(&columns, "%s{\"name\":\"%s_%d\",\"type\":\"BIGINT\"}", c ? "," : "[", word,
			 (int)(i % 300 / 16 + c));
		buf_addf(&names, "%s%s_%d", c ? "\n" : "", word, (int)(i % 300 / 16 + c));
		buf_addf(&facts,
			 "%s{\"name\":\"%s_%d\",\"type\":\"BIGINT\",\"count\":%d,\"nulls\":%d,\"distinct\":%d,"
			 "\"min\":\"%d\",\"max\":\"%d\",\"mean\":\"%d.5\",\"std\":\"2\",\"q25\":\"1\",\"q50\":\"2\"}",
			 c ? "," : "", word, (int)(i % 300 / 16 + c), (int)(i % 5000), (int)(i % 7), (int)(i % 4000),
			 (int)(i % 11), (int)(i % 99991), (int)(i % 997));
	}
	buf_adds(&facts, "]}");
	buf_addc(&columns, ']');
	d.columns = buf_str(&columns);
	d.names = buf_str(&names);
	d.facts = buf_str(&facts);
	record_description(r, &d);
}

static void describe_text(struct record *r, uint64_t version, uint64_t i)
{
	char text[200];
	struct description_row d = {.version = version,
				    .kind = 1,
				    .format = "text",
				    .rows = -1,
				    .facts = "{\"kind\":\"text\",\"format\":\"text\",\"mime\":\"text/plain\"}",
				    .text = text};

	snprintf(text, sizeof(text), "note %d about %s and %s, which is %s%d", (int)i, words[i % 16],
		 words[i / 16 % 16], words[i / 256 % 16], (int)(i % 100003));
	record_description(r, &d);
}

static void add_file(struct record *r, uint64_t folder, uint64_t i)
{
	struct node_row n = {.id = store_new_node(lake->store),
			     .kind = KIND_FILE,
			     .mode = S_IFREG | 0644,
			     .size = i % 100000,
			     .mtime = (int64_t)(i % 1000) * 86400 * NSEC_PER_SEC};
	struct version_row v = {.id = store_new_version(lake->store),
				.node = n.id,
				.size = n.size,
				.mtime = n.mtime,
				.mode = S_IFREG | 0644,
				.state = VERSION_LIVE,
				.settled = true,
				.run = RUN_TARN};
	bool table = i % 10 < 4;
	uint8_t sha256[SHA256_BYTES] = {0};
	char name[64];

	memcpy(sha256, &i, sizeof(i));
	snprintf(name, sizeof(name), "%s-%" PRIu64 ".%s", words[i * 7 % 16], i, table ? "csv" : "txt");
	record_node_add(r, &n);
	record_entry_add(r, folder, name, n.id);
	record_version_add(r, &v);
	record_version_facts(r, v.id, sha256, table ? "text/csv" : "text/plain");
	(table ? describe_table : describe_text)(r, v.id, i);
	if (i % 100 == 0)
		record_tags(r, n.id, TAG_DECLARED, i % 1000 ? "[\"checked\"]" : "[\"checked\", \"gold\"]");
}

static void fill(uint64_t files)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t bucket = add_folder(r, NODE_ROOT, "data"), folder = bucket;

	for (uint64_t i = 0; i < files; i++) {
		if (i % IN_FOLDER == 0) {
			char name[32];

			snprintf(name, sizeof(name), "folder-%" PRIu64, i / IN_FOLDER);
			folder = add_folder(r, bucket, name);
		}
		add_file(r, folder, i);
		if (i % IN_RECORD == IN_RECORD - 1) {
			store_submit(lake->store, r, NULL);
			r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		}
	}
	store_submit(lake->store, r, NULL);
	if (store_sync(lake->store, 0) < 0)
		fail("the store", -EIO);
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(const char *what, const char *path, void (*run)(const char *path))
{
	double took[RUNS];

	run(path);
	for (int i = 0; i < RUNS; i++) {
		int64_t begun = clock_monotonic();

		run(path);
		took[i] = (double)(clock_monotonic() - begun) / 1e6;
	}
	qsort(took, RUNS, sizeof(took[0]), compare);
	printf("%s %s,%.2f,%.2f,ms\n", what, path, took[RUNS / 2], took[RUNS - 1]);
}

/* The draft of PATH in .catalog, whose last component is looked up in a folder that is what the rest says. */
static void look_up(const char *path, struct view_node *draft)
{
	_cleanup_free_ char *folder_path = strdup(path);
	struct view_node folder = {.fd = -1, .ops = &catalog_view, .kind = KIND_FOLDER, .text = (char *)(uintptr_t) ""};
	char *name = strrchr(folder_path, '/');
	int rc;

	if (name) {
		*name++ = '\0';
		folder.text = folder_path;
	}
	*draft = (struct view_node){.fd = -1, .ops = &catalog_view};
	rc = catalog_view.look_up(lake, &folder, name ? name : path, &root, draft);
	if (rc)
		fail(path, rc);
}

static void file(const char *path)
{
	struct view_node draft;

	look_up(path, &draft);
	view_release_draft(&draft);
}

static int take_first(void *arg, const char *name, enum node_kind kind, uint64_t number)
{
	(void)name;
	(void)kind;
	(void)number;
	return ++*(int *)arg == FIRST;
}

static void first(const char *path)
{
	struct view_node draft;
	int names = 0;

	look_up(path, &draft);
	catalog_view.list(lake, &draft, &root, take_first, &names);
	if (!names)
		fail(path, -ENOENT);
	view_release_draft(&draft);
}

int main(int argc, char **argv)
{
	static const char *const searches[] = {"pine",
					       "heron otter",
					       "note pine heron",
					       "otter4711",
					       "tag:gold",
					       "column:pine_3",
					       "type:csv name:amber",
					       "size:>99990",
					       "pin*",
					       "n*",
					       "note*",
					       "note",
					       "tag:checked",
					       "type:text",
					       "type:text/plain",
					       "bucket:nothing",
					       "otter size:<1k",
					       "otter type:text/plain size:<1k modified:<1972-01-01",
					       "note modified:1971-05-05",
					       "modified:>1972-01-01 bucket:data",
					       "tag:checked type:text/plain"};
	static const char *const listings[] = {"tag",
					       "tag/gold",
					       "tag/gold/files",
					       "tag/checked",
					       "tag/checked/files",
					       "tag/checked/files/data",
					       "tag/checked/files/data/folder-3",
					       "by-type",
					       "by-type/text/csv/files",
					       "by-date",
					       "by-date/1971/05/05/files",
					       "table",
					       "table/data",
					       "table/data/folder-7",
					       "search/note/files",
					       "search/note/files/data",
					       "by-type/text/csv/files/data/folder-7"};
	uint64_t files = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	int64_t begun;
	struct store_totals t;

	if (argc < 2)
		fail("FOLDER", -EINVAL);
	log_set_level(LOG_LEVEL_WARNING);
	open_lake(argv[1]);
	begun = clock_monotonic();
	store_totals(lake->store, &t);
	if (t.files)
		files = t.files;
	else
		fill(files);
	puts("what,median,longest,unit");
	if (!t.files)
		printf("described,%.0f,,files/s\n",
		       (double)files / ((double)(clock_monotonic() - begun) / NSEC_PER_SEC));
	store_totals(lake->store, &t);
	printf("store,%.0f,,bytes per file\n", (double)t.store_bytes / (double)files);
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;

		buf_addf(&path, "search/%s/paths0", searches[i]);
		for (char *p = path.data + 7; *p; p++) /* a slash of the expression */
			if (*p == '/' && strcmp(p, "/paths0")) {
				_cleanup_free_ char *rest = strdup(p + 1);

				path.len = (size_t)(p - path.data);
				buf_addf(&path, "%%2F%s", rest);
				p = path.data + 7;
			}
		measure("search", buf_str(&path), file);
	}
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
		measure("first", listings[i], first);
	measure("file", "stats.json", file);
	measure("file", "popular.csv", file);
	lake_close(lake);
	return 0;
}
