/*
 * The descriptor is all that there is: a VFS of its own reads it with pread(2), and has no other files, no locks and no
 * shared memory. The database is immutable to SQLite, so it asks for none of them.
 *
 *	WAL		a database in that mode says so in bytes 18 and 19 of its header (2), and cannot be opened
 *			without its -wal. They are read as 1: what is described is what is in this file, and the fact
 *			"journal" says that there may be more beside it
 *	hostile files	no view, trigger or virtual table is touched (only what has pages of its own); functions of the
 *			schema are not trusted; pages are checked as they are read; lengths, memory and what is read
 *			are bounded. A tree of pages that leads back into itself ends with the last
 *
 * Types are those that DuckDB gives to the declared ones (its extension sqlite_scanner).
 */
#include "sniff/sqlite.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/full_io.h"

#define VFS "tarn-descriptor"
#define WAL_FLAGS 18 /* of the header: two bytes, for writing and for reading */
#define SAID_MAX 512
#define STEPS 1000

/* ---- the file ---- */

/* One at a time, as there is one thread. */
static struct source {
	struct input *in;
	uint64_t left;	/* bytes that may be read */
	uint64_t steps; /* of STEPS each, that SQLite may do */
	bool wal;
} source;

static int file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static void hide_wal(char *bytes, size_t n, sqlite3_int64 at)
{
	for (int i = WAL_FLAGS; i < WAL_FLAGS + 2; i++) {
		if (at > i || i - at >= (sqlite3_int64)n || bytes[i - at] != 2)
			continue;
		bytes[i - at] = 1;
		source.wal = true;
	}
}

static int file_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	ssize_t n;

	(void)f;
	if ((uint64_t)len > source.left)
		return SQLITE_IOERR_READ;
	source.left -= (uint64_t)len;
	n = read_full_at(input_fd(source.in), to, (size_t)len, (uint64_t)at);
	if (n < 0)
		return SQLITE_IOERR_READ;
	hide_wal(to, (size_t)n, at);
	if (n == len)
		return SQLITE_OK;
	memset((char *)to + n, 0, (size_t)(len - n));
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
	(void)f, (void)from, (void)len, (void)at;
	return SQLITE_READONLY;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f, (void)size;
	return SQLITE_READONLY;
}

static int file_flags(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	return SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	(void)f;
	*size = (sqlite3_int64)input_size(source.in);
	return SQLITE_OK;
}

static int file_reserved(sqlite3_file *f, int *reserved)
{
	(void)f;
	*reserved = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int characteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
					   .xClose = file_close,
					   .xRead = file_read,
					   .xWrite = file_write,
					   .xTruncate = file_truncate,
					   .xSync = file_flags,
					   .xFileSize = file_size,
					   .xLock = file_flags,
					   .xUnlock = file_flags,
					   .xCheckReservedLock = file_reserved,
					   .xFileControl = file_control,
					   .xSectorSize = sector_size,
					   .xDeviceCharacteristics = characteristics};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *given)
{
	(void)v, (void)name;
	f->pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN;
	f->pMethods = &methods;
	if (given)
		*given = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v, (void)name, (void)sync;
	return SQLITE_READONLY;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *is)
{
	(void)v, (void)name, (void)flags;
	*is = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *v, const char *name, int room, char *to)
{
	(void)v;
	sqlite3_snprintf(room, to, "%s", name);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *v, int len, char *to)
{
	ssize_t n = getrandom(to, (size_t)len, GRND_NONBLOCK);

	(void)v;
	return n < 0 ? 0 : (int)n;
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int vfs_time(sqlite3_vfs *v, double *julian)
{
	(void)v;
	*julian = 0;
	return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *v, int room, char *to)
{
	(void)v, (void)room, (void)to;
	return 0;
}

static sqlite3_vfs vfs = {.iVersion = 1,
			  .szOsFile = sizeof(sqlite3_file),
			  .mxPathname = 64,
			  .zName = VFS,
			  .xOpen = vfs_open,
			  .xDelete = vfs_delete,
			  .xAccess = vfs_access,
			  .xFullPathname = vfs_full_path,
			  .xRandomness = vfs_random,
			  .xSleep = vfs_sleep,
			  .xCurrentTime = vfs_time,
			  .xGetLastError = vfs_error};

void sqlite_prepare(void)
{
	if (sqlite3_initialize() != SQLITE_OK)
		return; /* opening will say so */
	sqlite3_vfs_register(&vfs, 0);
	sqlite3_hard_heap_limit64(DATABASE_HEAP);
}

/* ---- the database ---- */

static void close_database(sqlite3 **db)
{
	sqlite3_close_v2(*db);
}

static void end_statement(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

/* Asked after each STEPS of SQLite's own. */
static int has_had_enough(void *arg)
{
	(void)arg;
	return !source.steps || !--source.steps;
}

static int open_database(sqlite3 **db)
{
	int rc = sqlite3_open_v2("database", db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, VFS);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(*db, SQLITE_LIMIT_LENGTH, 16 << 20);
	sqlite3_limit(*db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
	sqlite3_limit(*db, SQLITE_LIMIT_COLUMN, 2000);
	sqlite3_limit(*db, SQLITE_LIMIT_EXPR_DEPTH, 100);
	sqlite3_progress_handler(*db, STEPS, has_had_enough, NULL);
	return sqlite3_exec(*db, "PRAGMA cell_size_check = 1; PRAGMA cache_size = 64;", NULL, NULL, NULL);
}

/* The file's own tables, without those of which virtual ones are made. */
#define TABLES                                                                         \
	"SELECT name FROM sqlite_schema AS t WHERE type = 'table' AND rootpage > 0"    \
	"	AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND NOT EXISTS("                  \
	"		SELECT 1 FROM sqlite_schema AS v WHERE v.type = 'table' AND v.rootpage = 0" \
	"		AND substr(t.name, 1, length(v.name) + 1) = v.name || '_') LIMIT ?1"

static int find_tables(sqlite3 *db, struct description *d)
{
	_cleanup_(end_statement) sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, TABLES, -1, &s, NULL);

	if (rc == SQLITE_OK)
		sqlite3_bind_int(s, 1, DATABASE_TABLES_MAX);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 0);

		rc = name && !description_add_table(d, name, -1) ? SQLITE_OK : SQLITE_NOMEM;
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- columns ---- */

static bool has(const char *type, const char *part)
{
	return strcasestr(type, part) != NULL;
}

static const char *type_of(const char *declared)
{
	if (!*declared || has(declared, "blob"))
		return "BLOB";
	if (has(declared, "int"))
		return "BIGINT";
	if (has(declared, "char") || has(declared, "clob") || has(declared, "text"))
		return "VARCHAR";
	if (has(declared, "real") || has(declared, "floa") || has(declared, "doub") || has(declared, "num") ||
	    has(declared, "dec"))
		return "DOUBLE";
	if (has(declared, "bool"))
		return "BOOLEAN";
	if (has(declared, "datetime") || has(declared, "timestamp"))
		return "TIMESTAMP";
	return !strcasecmp(declared, "date") ? "DATE" : !strcasecmp(declared, "time") ? "TIME" : "VARCHAR";
}

static int add_column(struct description *d, const char *table, sqlite3_stmt *s)
{
	const char *name = (const char *)sqlite3_column_text(s, 0);
	const char *type = (const char *)sqlite3_column_text(s, 1);
	struct column *c = name ? description_add_column(d, name, strlen(name), type_of(type ? type : "")) : NULL;

	if (!c)
		return SQLITE_NOMEM;
	c->not_null = sqlite3_column_int(s, 2);
	return description_set(&c->table, table) ? SQLITE_NOMEM : SQLITE_OK;
}

static int find_columns(sqlite3 *db, struct description *d, const char *table)
{
	_cleanup_(end_statement) sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT name, type, \"notnull\" FROM pragma_table_info(?1)", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	while (rc == SQLITE_OK && d->ncolumns < DESCRIPTION_COLUMNS_MAX && (rc = sqlite3_step(s)) == SQLITE_ROW)
		rc = add_column(d, table, s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- rows ---- */

/* Not by count(*), which is one step however long it takes: in a tree that leads back into itself, for ever. */
static int count_rows(sqlite3 *db, struct described_table *t)
{
	_cleanup_(end_statement) sqlite3_stmt *s = NULL;
	char *query = sqlite3_mprintf("SELECT total(1) FROM \"%w\"", t->name);
	int rc = query ? sqlite3_prepare_v2(db, query, -1, &s, NULL) : SQLITE_NOMEM;

	sqlite3_free(query);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc;
	t->rows = sqlite3_column_int64(s, 0);
	return SQLITE_OK;
}

static int look(sqlite3 *db, struct description *d)
{
	int rc = find_tables(db, d);

	for (size_t i = 0; rc == SQLITE_OK && i < d->ntables; i++)
		rc = find_columns(db, d, d->tables[i].name);
	for (size_t i = 0; rc == SQLITE_OK && i < d->ntables; i++)
		rc = count_rows(db, &d->tables[i]);
	return rc;
}

/* What was found until then stays. */
static int explain(sqlite3 *db, int rc, struct description *d)
{
	char said[SAID_MAX];

	if (rc == SQLITE_NOMEM)
		return -ENOMEM;
	if (rc == SQLITE_INTERRUPT || source.left < 64 * 1024) /* that is the most that is read at once */
		return description_add_fact(d, "counted", "beginning");
	snprintf(said, sizeof(said), "%s", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	return description_set(&d->unreadable, said);
}

int sqlite_sniff(struct input *in, struct description *d)
{
	_cleanup_(close_database) sqlite3 *db = NULL;
	int rc = description_set(&d->format, "sqlite");

	d->kind = DESCRIBED_DATABASE;
	if (rc || input_compression(in)) /* it would have to be unpacked as a whole */
		return rc;
	source = (struct source){in, DATABASE_READ_MAX, DATABASE_STEPS_MAX / STEPS, false};
	rc = open_database(&db);
	if (rc == SQLITE_OK)
		rc = look(db, d);
	rc = rc == SQLITE_OK ? 0 : explain(db, rc, d);
	return !rc && source.wal ? description_add_fact(d, "journal", "wal") : rc;
}
