#include "cli/duckdb.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/which.h"
#include "cli/version_path.h"

const char *const duckdb_places[] = {"/usr/local/lib", "/opt/duckdb", NULL};

/* ---- what duckdb.h declares ---- */

/* Its members are deprecated; only its size matters, for it is passed by value. */
struct result {
	uint64_t columns, rows, changed;
	void *column_data;
	char *error;
	void *internal;
};

union string {
	struct {
		uint32_t len;
		char at[12];
	} inlined;
	struct {
		uint32_t len;
		char prefix[4];
		const char *at;
	} out;
};

#define INLINED 12
#define STATEMENT_SELECT 1 /* DUCKDB_STATEMENT_TYPE_SELECT */

typedef void (*scan_fn)(void *info, const char *table, void *data);

#define FUNCTIONS(F)                                                               \
	F(const char *, library_version, (void))                                   \
	F(int, open, (const char *, void **))                                      \
	F(void, close, (void **))                                                  \
	F(int, connect, (void *, void **))                                         \
	F(void, disconnect, (void **))                                             \
	F(void, interrupt, (void *))                                               \
	F(int, query, (void *, const char *, struct result *))                     \
	F(const char *, result_error, (struct result *))                           \
	F(void, destroy_result, (struct result *))                                 \
	F(int, prepare, (void *, const char *, void **))                           \
	F(const char *, prepare_error, (void *))                                   \
	F(int, prepared_statement_type, (void *))                                  \
	F(int, execute_prepared_streaming, (void *, struct result *))              \
	F(void, destroy_prepare, (void **))                                        \
	F(uint64_t, column_count, (struct result *))                               \
	F(void *, fetch_chunk, (struct result))                                    \
	F(uint64_t, data_chunk_get_size, (void *))                                 \
	F(void *, data_chunk_get_vector, (void *, uint64_t))                       \
	F(void, destroy_data_chunk, (void **))                                     \
	F(void *, vector_get_data, (void *))                                       \
	F(uint64_t *, vector_get_validity, (void *))                               \
	F(void, add_replacement_scan, (void *, scan_fn, void *, void (*)(void *))) \
	F(void, replacement_scan_set_function_name, (void *, const char *))        \
	F(void, replacement_scan_add_parameter, (void *, void *))                  \
	F(void *, create_varchar, (const char *))                                  \
	F(void, destroy_value, (void **))

#define MEMBER(type, name, args) type(*name) args;
struct functions {
	FUNCTIONS(MEMBER)
};

#define NAME(type, name, args) {"duckdb_" #name, offsetof(struct functions, name)},
static const struct {
	const char *name;
	size_t offset;
} names[] = {FUNCTIONS(NAME)};

struct duckdb {
	struct functions f;
	void *library;
	void *database, *connection;
};

/* ---- loading it ---- */

/* -ENOENT: there is no such file. */
static int open_library(const char *file, void **library, struct buf *why)
{
	const char *error;

	*library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (*library)
		return 0;
	error = dlerror();
	error = error ? error : "cannot be loaded";
	/* of a library that it needs in turn, the message names that one */
	if (strstr(error, "No such file or directory") && !strncmp(error, file, strlen(file)))
		return -ENOENT;
	buf_adds(why, error);
	return -ELIBACC;
}

static int find_library(void **library, struct buf *why)
{
	int rc = open_library(DUCKDB_LIBRARY, library, why);

	for (int i = 0; rc == -ENOENT && duckdb_places[i]; i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;

		buf_addf(&path, "%s/" DUCKDB_LIBRARY, duckdb_places[i]);
		rc = open_library(buf_str(&path), library, why);
	}
	return rc;
}

static int find_functions(struct duckdb *d, struct buf *why)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *symbol = dlsym(d->library, names[i].name);

		if (!symbol) {
			buf_addf(why, "it has no %s(): it is not DuckDB's, or too old or too new for tarn",
				 names[i].name);
			return -ELIBBAD;
		}
		memcpy((char *)&d->f + names[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}

int duckdb_load(const char *library, struct duckdb **out, struct buf *why)
{
	_cleanup_duckdb_ struct duckdb *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return -ENOMEM;
	rc = library ? open_library(library, &d->library, why) : find_library(&d->library, why);
	if (!rc)
		rc = find_functions(d, why);
	if (!rc)
		*out = steal_ptr(&d);
	return rc;
}

const char *duckdb_version(const struct duckdb *d)
{
	const char *version = d->f.library_version();

	return version ? version : "";
}

/* Its threads may still be on their way out of the library's code, so that stays. */
void duckdb_free(struct duckdb *d)
{
	if (!d)
		return;
	if (d->connection)
		d->f.disconnect(&d->connection);
	if (d->database)
		d->f.close(&d->database);
	free(d);
}

void duckdb_stop(struct duckdb *d)
{
	if (d && d->connection)
		d->f.interrupt(d->connection);
}

/* ---- versions by their names ---- */

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcasecmp(s + len - n, end);
}

static const char *reader_of(const char *extension)
{
	static const struct {
		const char *end, *reader;
	} readers[] = {{".csv", "read_csv_auto"},   {".tsv", "read_csv_auto"},	  {".parquet", "read_parquet"},
		       {".json", "read_json_auto"}, {".jsonl", "read_json_auto"}, {".ndjson", "read_json_auto"}};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		size_t len = strlen(readers[i].end);
		const char *rest = extension + len;

		if (!strncasecmp(extension, readers[i].end, len) &&
		    (!*rest || !strcasecmp(rest, ".gz") || !strcasecmp(rest, ".zst")))
			return readers[i].reader;
	}
	return NULL;
}

const char *duckdb_reader(const char *name, struct buf *path)
{
	_cleanup_free_ char *file = NULL;
	const char *rest, *extension, *reader;
	struct version_path p;

	if (version_path_parse(name, &p) || p.whole_lake || p.below < p.len)
		return NULL;
	file = strndup(name, p.subject);
	extension = file ? which_extension(strrchr(file, '/') ? strrchr(file, '/') + 1 : file) : "";
	reader = reader_of(extension);
	if (!reader)
		return NULL;
	rest = name + p.subject + strlen(VERSION_MARK);
	rest += *rest == '/';
	buf_addf(path, "%s" VERSION_MARK "/%.*s", file, (int)(name + p.len - rest), rest);
	if (!ends_with(buf_str(path), extension))
		buf_adds(path, extension);
	return buf_error(path) ? NULL : reader;
}

/* DuckDB calls it with a name of a FROM that it does not know. */
static void scan(void *info, const char *table, void *data)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *reader = duckdb_reader(table, &path);
	struct duckdb *d = data;
	void *value;

	if (!reader)
		return;
	d->f.replacement_scan_set_function_name(info, reader);
	value = d->f.create_varchar(buf_str(&path));
	d->f.replacement_scan_add_parameter(info, value);
	d->f.destroy_value(&value);
}

/* ---- the database ---- */

void duckdb_quote(struct buf *b, const char *text)
{
	buf_addc(b, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_addc(b, '\'');
		buf_addc(b, *text);
	}
	buf_addc(b, '\'');
}

static void add_setting(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "SET %s = ", name);
	duckdb_quote(b, value);
	buf_adds(b, ";\n");
}

static void add_list_setting(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "SET %s = [", name);
	if (value)
		duckdb_quote(b, value);
	buf_adds(b, "];\n");
}

/* In this order: once external access is off, what is allowed stays as it is. */
static int set_limits(struct duckdb *d, const struct duckdb_limits *l, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, folder = BUF_INIT;

	buf_addf(&folder, "%s/", l->folder);
	add_list_setting(&sql, "allowed_directories", buf_str(&folder));
	if (l->output)
		add_list_setting(&sql, "allowed_paths", l->output);
	add_setting(&sql, "temp_directory", l->temporary);
	add_setting(&sql, "memory_limit", l->memory);
	buf_addf(&sql, "SET threads = %u;\n", l->threads);
	buf_adds(&sql,
		 "SET autoinstall_known_extensions = false;\nSET autoload_known_extensions = false;\n"
		 "SET enable_external_access = false;\nSET lock_configuration = true;\n");
	return buf_error(&sql) ? -ENOMEM : duckdb_run(d, buf_str(&sql), why);
}

int duckdb_begin(struct duckdb *d, const struct duckdb_limits *l, struct buf *why)
{
	if (d->f.open(NULL, &d->database) || d->f.connect(d->database, &d->connection)) {
		buf_adds(why, "it makes no database in memory");
		return -EIO;
	}
	d->f.add_replacement_scan(d->database, scan, d, NULL);
	return set_limits(d, l, why);
}

/* ---- statements ---- */

/* -EINVAL, with what DuckDB says. */
static int refused(const char *error, struct buf *why)
{
	buf_adds(why, error ? error : "DuckDB does not say why");
	return -EINVAL;
}

int duckdb_run(struct duckdb *d, const char *sql, struct buf *why)
{
	struct result r = {0};
	int rc = d->f.query(d->connection, sql, &r) ? refused(d->f.result_error(&r), why) : 0;

	d->f.destroy_result(&r);
	return rc;
}

static int prepare(struct duckdb *d, const char *sql, void **statement, struct buf *why)
{
	return d->f.prepare(d->connection, sql, statement) ? refused(d->f.prepare_error(*statement), why) : 0;
}

int duckdb_check(struct duckdb *d, const char *sql, struct buf *why)
{
	void *statement = NULL;
	int rc = prepare(d, sql, &statement, why);

	if (!rc && d->f.prepared_statement_type(statement) != STATEMENT_SELECT)
		rc = refused("only what reads is run: SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE", why);
	d->f.destroy_prepare(&statement);
	return rc;
}

static struct duckdb_text text_at(const union string *s, const uint64_t *valid, uint64_t row)
{
	if (valid && !(valid[row / 64] >> row % 64 & 1))
		return (struct duckdb_text){NULL, 0};
	s += row;
	return (struct duckdb_text){s->inlined.len <= INLINED ? s->inlined.at : s->out.at, s->inlined.len};
}

struct vector {
	const union string *strings;
	const uint64_t *valid; /* a bit a row; NULL: all are */
};

static int each_row(struct duckdb *d, void *chunk, size_t n, duckdb_row_fn fn, void *arg)
{
	_cleanup_free_ struct vector *vectors = calloc(n ? n : 1, sizeof(*vectors));
	_cleanup_free_ struct duckdb_text *values = calloc(n ? n : 1, sizeof(*values));
	uint64_t rows = d->f.data_chunk_get_size(chunk);
	int rc = 0;

	if (!vectors || !values)
		return -ENOMEM;
	for (size_t c = 0; c < n; c++) {
		void *v = d->f.data_chunk_get_vector(chunk, c);

		vectors[c] = (struct vector){d->f.vector_get_data(v), d->f.vector_get_validity(v)};
	}
	for (uint64_t row = 0; row < rows && !rc; row++) {
		for (size_t c = 0; c < n; c++)
			values[c] = text_at(vectors[c].strings, vectors[c].valid, row);
		rc = fn(arg, values, n);
	}
	return rc;
}

/* An error that comes between two chunks is one of the result. */
static int each_chunk(struct duckdb *d, struct result *r, duckdb_row_fn fn, void *arg, struct buf *why)
{
	size_t columns = d->f.column_count(r);
	const char *error;
	void *chunk;
	int rc = 0;

	while (!rc && (chunk = d->f.fetch_chunk(*r))) {
		rc = each_row(d, chunk, columns, fn, arg);
		d->f.destroy_data_chunk(&chunk);
	}
	error = rc ? NULL : d->f.result_error(r);
	return error && *error ? refused(error, why) : rc;
}

int duckdb_rows(struct duckdb *d, const char *sql, duckdb_row_fn fn, void *arg, struct buf *why)
{
	struct result r = {0};
	void *statement = NULL;
	int rc = prepare(d, sql, &statement, why);

	if (!rc && d->f.execute_prepared_streaming(statement, &r))
		rc = refused(d->f.result_error(&r), why);
	if (!rc)
		rc = each_chunk(d, &r, fn, arg, why);
	d->f.destroy_result(&r);
	d->f.destroy_prepare(&statement);
	return rc;
}
