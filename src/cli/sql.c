/*
 * tarn sql: a query by DuckDB over what is on a mount. The query runs as the caller, in this process, in the mount's
 * root; DuckDB (cli/duckdb.h) is told to read nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/duckdb.h"
#include "cli/mounts.h"
#include "cli/place.h"
#include "cli/sql_print.h"
#include "cli/verb_list.h"

#define THREADS 4
#define MEMORY_SHARE 4 /* of the machine's */
#define ROWS 1000

static const char no_library[] =
	"sql: DuckDB's C library (" DUCKDB_LIBRARY
	") is not installed, and Debian has no package of it: get "
	"libduckdb-linux-amd64.zip or -arm64.zip from https://github.com/duckdb/duckdb/releases and put "
	"its " DUCKDB_LIBRARY " into /usr/local/lib (or name the file by --library or TARN_DUCKDB)";

struct sql {
	const char *query, *library, *lake, *memory, *parquet;
	unsigned threads;
	struct sql_print print;
	char *folder;  /* the mount */
	char *target;  /* of --parquet, absolute, */
	char *written; /* and what it is written as */
	char temporary[sizeof("/sql-XXXXXX") + 256];
	struct duckdb *duckdb;
};

/* ---- what is asked ---- */

static int only_mount(struct sql *q)
{
	const struct mount_entry *found = NULL;
	struct mounts m;
	int n = 0, rc = mounts_load(&m);

	for (int i = 0; !rc && i < m.n; i++)
		if (mount_is_tarn(&m.list[i]) && (!found || strcmp(found->point, m.list[i].point))) {
			found = &m.list[i];
			n++;
		}
	if (!rc && n == 1) {
		q->folder = strdup(found->point);
		rc = q->folder ? 0 : -ENOMEM;
	} else if (!rc) {
		say("sql: %s (go into one, or name it: --lake LAKE)",
		    n ? "more than one lake is mounted" : "no lake is mounted");
		rc = -ENOENT;
	}
	mounts_release(&m);
	return rc;
}

/* The mount that is asked: of the lake that was named, of that around the current folder, or the only one. */
static int find_folder(struct sql *q)
{
	const char *given = q->lake ? q->lake : ".";
	_cleanup_place_ struct place p = {0};
	const struct mount_entry *e;
	struct mounts m;
	int rc = place_find(given, &p);

	if (rc)
		say("%s: %s", given, strerror(-rc));
	if (rc)
		return rc;
	if (!p.lake && !q->lake)
		return only_mount(q);
	if (!p.lake) {
		say("%s: in no lake", p.path);
		return -ENOENT;
	}
	if (p.point) {
		q->folder = strdup(p.point);
		return q->folder ? 0 : -ENOMEM;
	}
	rc = mounts_load(&m);
	e = rc ? NULL : mounts_of_lake(&m, p.lake);
	q->folder = e ? strdup(e->point) : NULL;
	if (!rc && !e)
		say("%s: it is not mounted (`tarn mount %s`)", p.lake, p.lake);
	mounts_release(&m);
	return rc ? rc : q->folder ? 0 : -ENOTCONN;
}

static void default_limits(struct sql *q, struct buf *memory)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE), cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!q->threads)
		q->threads = cpus > THREADS ? THREADS : cpus > 0 ? (unsigned)cpus : 1;
	if (pages > 0 && size > 0)
		buf_addf(memory, "%ldMiB", pages / MEMORY_SHARE * (size / 1024) / 1024);
	if (!q->memory)
		q->memory = memory->len ? buf_str(memory) : "1GiB";
}

/* ---- messages ---- */

/* DuckDB's are of several lines, the last of which may point at a place in the one before. */
static void say_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len)
			say("sql: %.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static int say_why(int rc, const struct buf *why)
{
	if (why->len)
		say_lines(buf_str(why));
	else
		say("sql: %s", strerror(-rc));
	return rc;
}

/* ---- around DuckDB ---- */

static struct duckdb *running;

static void on_signal(int signo)
{
	(void)signo;
	duckdb_stop(running);
}

/* The first one ends the query, so that nothing is left; the second one the process. */
static void catch_signals(struct duckdb *d)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART};

	running = d;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static int make_temporary(struct sql *q)
{
	const char *dir = getenv("TMPDIR");
	int n = snprintf(q->temporary, sizeof(q->temporary), "%s/sql-XXXXXX", dir && dir[0] == '/' ? dir : "/tmp");

	if (n < (int)sizeof(q->temporary) && mkdtemp(q->temporary))
		return 0;
	say("%s: a folder for temporary files: %m", q->temporary);
	q->temporary[0] = '\0';
	return -EIO;
}

static int load(struct sql *q)
{
	const char *library = q->library ? q->library : getenv("TARN_DUCKDB");
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc;

	if (library && !*library)
		library = NULL;
	rc = duckdb_load(library, &q->duckdb, &why);
	if (rc == -ENOENT && !library)
		say("%s", no_library);
	else if (rc && why.len)
		say("sql: %s: %s", library ? library : DUCKDB_LIBRARY, buf_str(&why));
	else if (rc)
		say("sql: %s: %s", library ? library : DUCKDB_LIBRARY, strerror(-rc));
	return rc;
}

static int begin(struct sql *q)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct duckdb_limits l = {q->folder, q->written, q->temporary, q->memory, q->threads};
	int rc = make_temporary(q);

	if (rc)
		return rc;
	catch_signals(q->duckdb);
	rc = duckdb_begin(q->duckdb, &l, &why);
	if (rc)
		say("sql: DuckDB %s refuses its limits (1.2 is the oldest that has all of them)",
		    duckdb_version(q->duckdb));
	return rc ? say_why(rc, &why) : 0;
}

/* ---- rows ---- */

/* Without what ends it, so that it can stand in parentheses. */
static char *bare_query(const char *query)
{
	size_t len = strlen(query);

	while (len && strchr(" \t\r\n;", query[len - 1]))
		len--;
	return strndup(query, len);
}

static int find_columns(struct sql *q, const char *query, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_addf(&sql, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM (%s\n))", query);
	return buf_error(&sql) ? -ENOMEM : duckdb_rows(q->duckdb, buf_str(&sql), sql_print_column, &q->print, why);
}

/* All columns as text, by their numbers: names may be double. */
static void add_selection(struct buf *sql, const struct sql_print *p, const char *query)
{
	buf_adds(sql, "SELECT ");
	for (size_t i = 0; i < p->n; i++) {
		bool json = p->form == SQL_JSON && sql_column_is_nested(&p->columns[i]);

		buf_addf(sql, json ? "%sto_json(#%zu)::VARCHAR" : "%s#%zu::VARCHAR", i ? ", " : "", i + 1);
	}
	buf_addf(sql, " FROM (%s\n)", query);
}

static int print_rows(struct sql *q, const char *query, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int rc = find_columns(q, query, why);

	if (!rc)
		rc = sql_print_begin(&q->print);
	if (rc)
		return rc;
	add_selection(&sql, &q->print, query);
	rc = buf_error(&sql) ? -ENOMEM : duckdb_rows(q->duckdb, buf_str(&sql), sql_print_row, &q->print, why);
	if (rc == -ECANCELED)
		rc = 0;
	if (!rc)
		rc = sql_print_end(&q->print);
	if (!rc && q->print.cut && !fflush(stdout))
		say("sql: there are more rows than these %" PRIu64 " (--rows N shows more, --csv all)", q->print.most);
	return rc;
}

/* ---- Parquet ---- */

/* Written beside it under another name, which takes its place when all of it is there. */
static int begin_parquet(struct sql *q)
{
	int fd, rc = path_resolve(q->parquet, &q->target);
	mode_t mask = umask(0);

	umask(mask);
	if (!rc && asprintf(&q->written, "%s.XXXXXX.tmp", q->target) < 0)
		rc = -ENOMEM;
	if (rc) {
		say("%s: %s", q->parquet, strerror(-rc));
		return rc;
	}
	fd = mkostemps(q->written, 4, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		say("%s: %m", q->target);
		free(steal_ptr(&q->written));
		return rc;
	}
	fchmod(fd, 0666 & ~mask);
	close(fd);
	return 0;
}

static int write_parquet(struct sql *q, const char *query, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int rc;

	buf_addf(&sql, "COPY (SELECT * FROM (%s\n)) TO ", query);
	duckdb_quote(&sql, q->written);
	buf_adds(&sql, " (FORMAT parquet, USE_TMP_FILE false)");
	rc = buf_error(&sql) ? -ENOMEM : duckdb_run(q->duckdb, buf_str(&sql), why);
	if (!rc && rename(q->written, q->target) < 0)
		rc = -errno;
	if (!rc)
		free(steal_ptr(&q->written));
	return rc;
}

/* ---- the verb ---- */

static int answer(struct sql *q)
{
	_cleanup_free_ char *query = bare_query(q->query);
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = query ? duckdb_check(q->duckdb, query, &why) : -ENOMEM;

	if (!rc)
		rc = q->parquet ? write_parquet(q, query, &why) : print_rows(q, query, &why);
	return rc ? say_why(rc, &why) : 0;
}

static int run(struct sql *q)
{
	_cleanup_buf_ struct buf memory = BUF_INIT;
	int rc;

	default_limits(q, &memory);
	rc = load(q);
	if (!rc)
		rc = find_folder(q);
	if (!rc && q->parquet)
		rc = begin_parquet(q);
	if (!rc && chdir(q->folder) < 0) {
		rc = -errno;
		say("%s: %m", q->folder);
	}
	if (!rc)
		rc = begin(q);
	return rc ? rc : answer(q);
}

static void release(struct sql *q)
{
	running = NULL;
	duckdb_free(q->duckdb);
	if (q->temporary[0])
		rmdir(q->temporary); /* DuckDB may have removed it */
	if (q->written)
		unlink(q->written);
	free(q->written);
	free(q->target);
	free(q->folder);
	sql_print_release(&q->print);
}

static int read_count(const struct verb *v, const char *option, const char *text, uint64_t most, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || !*n || *n > most)
		return verb_misuse(v, "%s %s: a number from 1 to %" PRIu64, option, text, most);
	return 0;
}

enum {
	OPTION_CSV = OPTION_FIRST,
	OPTION_TABLE,
	OPTION_PARQUET,
	OPTION_LAKE,
	OPTION_LIBRARY,
	OPTION_MEMORY,
	OPTION_THREADS
};

static int take_option(const struct verb *v, int c, struct sql *q)
{
	uint64_t n;
	int rc = 0;

	switch (c) {
	case OPTION_JSON:
		q->print.form = SQL_JSON;
		break;
	case OPTION_CSV:
		q->print.form = SQL_CSV;
		break;
	case OPTION_TABLE:
		q->print.form = SQL_TABLE;
		break;
	case OPTION_PARQUET:
		q->parquet = optarg;
		break;
	case OPTION_LAKE:
		q->lake = optarg;
		break;
	case OPTION_LIBRARY:
		q->library = optarg;
		break;
	case OPTION_MEMORY:
		q->memory = optarg;
		break;
	case OPTION_THREADS:
		rc = read_count(v, "--threads", optarg, 1024, &n);
		q->threads = rc ? 0 : (unsigned)n;
		break;
	case 'n':
		rc = read_count(v, "--rows", optarg, INT32_MAX, &q->print.most);
	}
	return rc;
}

static int run_sql(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
						{"csv", no_argument, NULL, OPTION_CSV},
						{"table", no_argument, NULL, OPTION_TABLE},
						{"parquet", required_argument, NULL, OPTION_PARQUET},
						{"rows", required_argument, NULL, 'n'},
						{"lake", required_argument, NULL, OPTION_LAKE},
						{"library", required_argument, NULL, OPTION_LIBRARY},
						{"memory", required_argument, NULL, OPTION_MEMORY},
						{"threads", required_argument, NULL, OPTION_THREADS},
						{0}};
	struct sql q = {.print = {.form = isatty(STDOUT_FILENO) ? SQL_TABLE : SQL_CSV, .most = ROWS}};
	int c, rc = 0;

	while (!rc && (c = verb_option(v, argc, argv, "n:", options)) != -1)
		rc = take_option(v, c, &q);
	if (rc)
		return rc;
	verb_arguments(v, argc, argv, 1, 1);
	q.query = argv[optind];
	rc = run(&q);
	release(&q);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_sql = {
	.name = "sql",
	.args = "[OPTION]... QUERY",
	.summary = "ask DuckDB about files of the lake, and versions of them",
	.details =
		"Runs one SELECT of DuckDB's SQL. Files are named in quotes, by their paths in\n"
		"the mount, wherever you are; earlier versions (F@v3), patterns and the lists\n"
		"of .catalog, too. The mount is that of the lake around the current folder, or\n"
		"else the only one. The query reads nothing outside of the mount and changes\n"
		"nothing.\n"
		"\n"
		"It needs DuckDB's C library, 1.2 or later. libduckdb.so is looked for where\n"
		"dlopen(3) looks, then in /usr/local/lib and /opt/duckdb. Debian has no package\n"
		"of it: https://github.com/duckdb/duckdb/releases has libduckdb-linux-*.zip.\n"
		"\n"
		"options:\n"
		"      --table         as a table; so it is on a terminal without any of these\n"
		"      --csv           as CSV; so it is into a pipe or file\n"
		"      --json          as a JSON list of objects\n"
		"      --parquet FILE  into a Parquet file\n"
		"  -n, --rows N        show at most N rows of a table (1000)\n"
		"      --lake LAKE     ask this lake, or the one with this path in it\n"
		"      --memory SIZE   at most so much, as 2GB (a quarter of the machine's)\n"
		"      --threads N     at most so many (as many as CPUs, at most 4)\n"
		"      --library FILE  DuckDB's library; else $TARN_DUCKDB\n"
		"  -h, --help          say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn sql \"SELECT count(*) FROM 'raw-data/sales.csv'\"\n"
		"  tarn sql \"FROM 'raw-data/sales.csv' EXCEPT FROM 'raw-data/sales.csv@v-1'\"\n"
		"  tarn sql --json \"FROM '.catalog/assets.csv' ORDER BY size DESC LIMIT 10\"\n",
	.run = run_sql,
};
