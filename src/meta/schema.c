/*
 * The tables.
 *
 *	node      one row per file, folder or symlink for its whole life; never deleted
 *	entry     names: (parent, name) leads to node from from_commit until before to_commit
 *	asset     series of versions; opens: how often each was opened for reading, by day
 *	version   the versions
 *	node_past what a node's attributes were before each change of them
 *	folder_day days on which something below a folder changed
 *	label     names that people gave to moments, per folder
 *	object    contents by their hash, and where in which pack they are; pack: the packs
 *	synced    contents that an fsync made durable since the commit at which all was (lake's key "durable")
 *	cloud     objects at the remotes: of which version, of which content, and whether they can be relied on
 *	description	what a version is; schema: lists of columns, each once
 *	document  the live files that can be found by what they are; found_in, found: as FTS5 sees and indexes them
 *	tag       tags of files and folders
 *	quality   whether the rows of a version keep the rules that are declared for its table
 *	not_kept  how many versions are not kept, by reason
 *	change    one row per commit that changed something: what was done, when, by which run
 *	run       executions of programs
 *	edge      which version was made from which, by which run (meta/store_lineage.h)
 *	job       background work that is left
 *	lake      facts about the lake by key; those that begin with "store." are the store's own
 *
 * An entry is live while to_commit is LIVE (2^63 - 1). Ending it sets to_commit, so the primary key (parent, to_commit,
 * name) keeps a folder's live entries together: a look-up is one probe and a listing one range, however long the
 * folder's past is. The past is in the same order: what lay in a folder as of commit C is one range (to_commit > C)
 * less what came later (from_commit > C). An entry that began and ended in one commit was never seen and leaves no row.
 *
 * When an entry ends, the series of its node is noted in it: a file that is made again under that name goes on with it,
 * whatever became of the node meanwhile. asset.node is the node that a series belongs to now, 0 while it waits at its
 * path for the next file. It is what keeps two live files from counting versions in one series.
 *
 * The past. version.cut_commit is when these bytes became the content of version.node, and is never rewritten;
 * commit_id and time say since when they are the series', which a rename over another file moves on. So the content of
 * a node as of C is the newest of its versions with cut_commit <= C (version_node). end_commit and end_time say when a
 * version stopped being its node's live content. A name as of C is the live entry when that began by then, else the
 * first that ended after C (entry_ended); a folder as of C is those two, merged by name. Attributes as of C are the
 * first row of node_past with to_commit > C, else the node's own: a node whose attributes never changed has none.
 *
 * version.stored is what keeping the version occupies on disk, whatever its state: an expired one may have to stay for
 * others that are read through it, and how then still says where it is.
 *
 * node.stub: the bytes of the live file are only in the cloud, and what lies in the bucket is a placeholder.
 * node.opened is when it was made, cut or opened for reading last; node_cold holds the files that may leave, the
 * coldest hour first.
 * There is one row of cloud per key: who overwrites an object takes its row along. A version's row is lost when the
 * version grows, for the object is then another content. An old version may be read from any object with its hash, a
 * live one only from its own: so what needs an object is found by its version, or by its hash among those of how = 7.
 *
 * found is an index of found_in, and keeps no text: whoever changes what a row of found_in says takes it out of found
 * first, with the very words that it was put in with, and puts it in again (apply_catalog.c). Where that cannot be, in
 * a copy without texts, "store.reindex" asks for a new index at the next start.
 *
 * asset.readable and the "store.*" totals in lake repeat what a count would give. The writer keeps them in the same
 * transaction as the rows, for a listing of all files and a totals page must not count. store_check() counts.
 *
 * A commit of tarn's own that changes no names, nodes or versions (hashes, jobs, counts of opens) leaves no row in
 * change; when one is the last of a transaction, "store.last.commit" and "store.last.time" say so: numbers and times
 * rise on from there.
 *
 * Lists of cheap things are kept cheap by partial indexes: a create touches change, node, node_handle, entry and
 * entry_node; a cut version, version_number, version_node, asset, node_cold and job. version_saved has of a node what
 * has something of its own in versions/ or a pack: of a log that is appended to next to nothing, however long.
 *
 * Numbers are 64 bit. Names, handles and hashes are BLOBs; what a person reads is TEXT. A handle is as
 * fhandle_to_blob() makes it. kind, op, state, how, ended_how, type are the enums of store.h, whose values therefore
 * never change.
 *
 * Migrations go forward only: STEPS[n] makes schema n + 1 of schema n (PRAGMA user_version), the first one all of it of
 * an empty database. A step, once released, is never edited.
 */
#include "meta/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "meta/conn.h"
#include "meta/functions.h"

static const char step_1[] =
	"CREATE TABLE node("
	"	id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, volume INTEGER NOT NULL, handle BLOB,"
	"	mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, size INTEGER NOT NULL,"
	"	mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, asset INTEGER NOT NULL DEFAULT 0,"
	"	version INTEGER NOT NULL DEFAULT 0, writing INTEGER NOT NULL DEFAULT 0, acl INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"CREATE UNIQUE INDEX node_handle ON node(volume, handle) WHERE handle IS NOT NULL;"
	"CREATE INDEX node_writing ON node(id) WHERE writing = 1;"

	"CREATE TABLE entry("
	"	parent INTEGER NOT NULL, to_commit INTEGER NOT NULL, name BLOB NOT NULL, node INTEGER NOT NULL,"
	"	kind INTEGER NOT NULL, from_commit INTEGER NOT NULL, ended_how INTEGER, asset INTEGER,"
	"	PRIMARY KEY(parent, to_commit, name)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX entry_node ON entry(node, from_commit) WHERE to_commit = " SQL_LIVE
	";"
	"CREATE INDEX entry_ended ON entry(parent, name, to_commit) WHERE to_commit < " SQL_LIVE
	";"

	"CREATE TABLE asset("
	"	id INTEGER PRIMARY KEY, last_number INTEGER NOT NULL, readable INTEGER NOT NULL,"
	"	node INTEGER NOT NULL, opens INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"CREATE TABLE opens("
	"	asset INTEGER NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(asset, day)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE version("
	"	id INTEGER PRIMARY KEY, asset INTEGER NOT NULL, number INTEGER NOT NULL, node INTEGER NOT NULL,"
	"	commit_id INTEGER NOT NULL, time INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,"
	"	mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, state INTEGER NOT NULL,"
	"	how INTEGER NOT NULL, settled INTEGER NOT NULL, run INTEGER NOT NULL, run_uid INTEGER NOT NULL,"
	"	volume INTEGER NOT NULL, sha256 BLOB, mime TEXT, reason TEXT"
	") STRICT;"
	"CREATE UNIQUE INDEX version_number ON version(asset, number);"
	"CREATE INDEX version_kept ON version(commit_id) WHERE state = 2 AND size > 0;"

	"CREATE TABLE change("
	"	commit_id INTEGER PRIMARY KEY, time INTEGER NOT NULL, op INTEGER NOT NULL, run INTEGER NOT NULL,"
	"	uid INTEGER NOT NULL, node INTEGER NOT NULL, parent INTEGER NOT NULL, name BLOB"
	") STRICT;"

	"CREATE TABLE run("
	"	id INTEGER PRIMARY KEY, boot TEXT NOT NULL, tgid INTEGER NOT NULL, start INTEGER NOT NULL,"
	"	uid INTEGER NOT NULL, exe TEXT, argv TEXT, cwd TEXT, cgroup TEXT, first_commit INTEGER NOT NULL"
	") STRICT;"
	"CREATE UNIQUE INDEX run_start ON run(boot, tgid, start);"

	"CREATE TABLE job("
	"	id INTEGER PRIMARY KEY, type INTEGER NOT NULL, subject INTEGER NOT NULL, due INTEGER NOT NULL,"
	"	tries INTEGER NOT NULL DEFAULT 0, error TEXT"
	") STRICT;"
	"CREATE UNIQUE INDEX job_subject ON job(type, subject);"
	"CREATE INDEX job_due ON job(type, due);"

	"CREATE TABLE lake(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"

	"INSERT INTO node(id, kind, volume, mode, uid, gid, size, mtime, ctime) VALUES(1, 2, 0, 16877, 0, 0, 0, 0, 0);"
	/* The runs that are always there: RUN_UNKNOWN, RUN_OUTSIDE, RUN_TARN. */
	"INSERT INTO run(id, boot, tgid, start, uid, exe, first_commit) VALUES"
	"	(1, '', 0, 1, 0, 'unknown', 0), (2, '', 0, 2, 0, 'outside', 0), (3, '', 0, 3, 0, 'tarn', 0);"
	"INSERT INTO lake(key, value) VALUES"
	"	('store.clean', 1), ('store.syncs', 0), ('store.next.node', 2), ('store.next.version', 1),"
	"	('store.next.run', 4), ('store.next.asset', 1), ('store.next.job', 1), ('store.files', 0),"
	"	('store.folders', 0), ('store.symlinks', 0), ('store.bytes', 0), ('store.kept', 0),"
	"	('store.kept_bytes', 0), ('store.not_kept', 0), ('store.how.0', 0), ('store.how.1', 0),"
	"	('store.how.2', 0), ('store.how.3', 0), ('store.how.4', 0), ('store.how.5', 0), ('store.how.6', 0),"
	"	('store.how.7', 0), ('store.jobs', 0), ('store.commits', 0), ('store.opens', 0);";

/* Of what schema 1 did not note, the best that its rows tell: cut_commit is the series' commit, a version ended when
 * the next one of its node was cut, the last one with its file's last name. */
static const char step_2[] =
	"ALTER TABLE version ADD COLUMN cut_commit INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE version ADD COLUMN end_commit INTEGER NOT NULL DEFAULT " SQL_LIVE
	";"
	"ALTER TABLE version ADD COLUMN end_time INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE version ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;"
	"UPDATE version SET cut_commit = commit_id, stored = CASE WHEN state = 2 AND how = 1 THEN size ELSE 0 END;"
	"CREATE INDEX version_node ON version(node, cut_commit);"
	"DROP INDEX version_kept;"
	"CREATE INDEX version_kept ON version(end_commit) WHERE state IN (2, 3);"
	"CREATE INDEX version_packed ON version(sha256) WHERE how = 5;"
	"DROP INDEX entry_ended;"
	"CREATE INDEX entry_ended ON entry(parent, name, to_commit, from_commit, node, kind) WHERE to_commit "
	"< " SQL_LIVE
	";"
	"CREATE INDEX entry_past ON entry(node, to_commit, from_commit) WHERE to_commit < " SQL_LIVE
	";"
	"UPDATE version SET end_commit = coalesce("
	"	(SELECT next.cut_commit FROM version AS next WHERE next.node = version.node AND next.id > version.id"
	"	  ORDER BY next.id LIMIT 1),"
	"	(SELECT max(to_commit) FROM entry WHERE entry.node = version.node AND to_commit < " SQL_LIVE
	"), commit_id)"
	" WHERE state <> 1;"
	"UPDATE version SET end_commit = max(end_commit, cut_commit) WHERE state <> 1;"
	"UPDATE version SET end_time = ifnull("
	"	(SELECT time FROM change WHERE change.commit_id >= end_commit ORDER BY change.commit_id LIMIT 1), time)"
	" WHERE state <> 1;"

	"ALTER TABLE node ADD COLUMN target BLOB;"
	"ALTER TABLE node ADD COLUMN xattrs BLOB;"
	"CREATE TABLE node_past("
	"	node INTEGER NOT NULL, to_commit INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL,"
	"	gid INTEGER NOT NULL, mtime INTEGER NOT NULL, acl INTEGER NOT NULL, xattrs BLOB,"
	"	PRIMARY KEY(node, to_commit)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE folder_day(folder INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(folder, day)"
	") STRICT, WITHOUT ROWID;"
	"WITH RECURSIVE changed(folder, day) AS ("
	"	SELECT DISTINCT parent, time / 86400000000000 FROM change WHERE parent <> 0"
	"	UNION SELECT entry.parent, day FROM changed JOIN entry ON entry.node = folder AND to_commit = " SQL_LIVE
	") INSERT INTO folder_day SELECT folder, day FROM changed;"

	"CREATE TABLE label("
	"	folder INTEGER NOT NULL, name BLOB NOT NULL, commit_id INTEGER NOT NULL, time INTEGER NOT NULL,"
	"	uid INTEGER NOT NULL, PRIMARY KEY(folder, name)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX label_commit ON label(commit_id);"

	"CREATE TABLE pack("
	"	id INTEGER PRIMARY KEY, volume INTEGER NOT NULL, bytes INTEGER NOT NULL, state INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE object("
	"	sha256 BLOB PRIMARY KEY, size INTEGER NOT NULL, pack INTEGER NOT NULL, offset INTEGER NOT NULL,"
	"	length INTEGER NOT NULL, base BLOB"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX object_pack ON object(pack, offset, length);"
	"CREATE INDEX object_base ON object(base) WHERE base IS NOT NULL;"

	"CREATE TABLE synced("
	"	node INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, commit_id INTEGER NOT NULL,"
	"	PRIMARY KEY(node, size, mtime)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO lake(key, value) SELECT 'durable', ifnull(max(commit_id), 0) FROM change;"

	"CREATE TABLE not_kept(reason TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO not_kept SELECT ifnull(reason, ''), count(*) FROM version WHERE state = 5 GROUP BY 1;"
	"INSERT INTO lake(key, value) SELECT 'store.stored', ifnull(sum(stored), 0) FROM version;";

/* Schema 2 did not note when a file was opened, but the day: the end of that, unless the file changed later. */
static const char step_3[] =
	"ALTER TABLE node ADD COLUMN stub INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE node ADD COLUMN pin INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE node ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;"
	"UPDATE node SET opened = max(ctime, ifnull((SELECT max(day) FROM opens WHERE opens.asset = node.asset), 0)"
	" * 86400000000000) WHERE kind = 1;"
	"CREATE INDEX node_cold ON node(opened / " SQL_HOUR
	", size DESC) WHERE kind = 1 AND stub = 0 AND version > 0;"

	"CREATE TABLE cloud("
	"	id INTEGER PRIMARY KEY, remote TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,"
	"	pack INTEGER NOT NULL, sha256 BLOB, size INTEGER NOT NULL, stored INTEGER NOT NULL,"
	"	compress INTEGER NOT NULL, etag TEXT, class TEXT, state INTEGER NOT NULL, time INTEGER NOT NULL"
	") STRICT;"
	"CREATE UNIQUE INDEX cloud_key ON cloud(remote, key);"
	"CREATE INDEX cloud_version ON cloud(version) WHERE version > 0;"
	"CREATE INDEX cloud_pack ON cloud(pack) WHERE pack > 0;"
	"CREATE INDEX cloud_hash ON cloud(sha256) WHERE sha256 IS NOT NULL;"
	"CREATE INDEX cloud_state ON cloud(state, id) WHERE state IN (1, 4);"
	"CREATE INDEX version_cloud ON version(sha256) WHERE how = 7;"
	"CREATE INDEX version_saved ON version(node, cut_commit, id, how) WHERE " SQL_SAVED
	";"
	"INSERT INTO lake(key, value) VALUES"
	"	('store.stubs', 0), ('store.stub_bytes', 0), ('store.uploaded', 0),"
	"	('store.uploaded_bytes', 0), ('store.cloud', 0), ('store.cloud_bytes', 0), ('store.cloud_intents', 0),"
	"	('store.cloud_intent_bytes', 0), ('store.cloud_going', 0);";

/* What is there already is to be looked at: a job for each live version. */
static const char step_4[] =
	"CREATE TABLE schema(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, columns TEXT NOT NULL, names TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX schema_hash ON schema(hash);"
	"CREATE TABLE description("
	"	version INTEGER PRIMARY KEY, kind INTEGER NOT NULL, format TEXT NOT NULL, schema INTEGER NOT NULL,"
	"	rows INTEGER, unreadable TEXT, facts BLOB"
	") STRICT;"
	"CREATE INDEX description_schema ON description(schema) WHERE schema > 0;"
	"CREATE TABLE document("
	"	node INTEGER PRIMARY KEY, version INTEGER NOT NULL, kind INTEGER NOT NULL, schema INTEGER NOT NULL,"
	"	day INTEGER NOT NULL, size INTEGER NOT NULL, name TEXT NOT NULL, text BLOB, sample BLOB"
	") STRICT;"
	"CREATE INDEX document_size ON document(size);"
	"CREATE INDEX document_day ON document(day);"
	"CREATE INDEX document_table ON document(schema, node) WHERE schema > 0;"
	"CREATE INDEX asset_opens ON asset(opens) WHERE opens > 0;"
	"CREATE INDEX version_mime ON version(mime, node) WHERE state = 1 AND mime IS NOT NULL;"
	"CREATE TABLE tag(tag TEXT NOT NULL, node INTEGER NOT NULL, origin INTEGER NOT NULL,"
	"	PRIMARY KEY(tag, node, origin)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX tag_node ON tag(node, origin);"
	"CREATE VIEW found_in AS SELECT document.node AS node, document.name AS name,"
	"	(SELECT names FROM schema WHERE id = document.schema) AS columns,"
	"	(SELECT group_concat(tag, ' ') FROM tag WHERE tag.node = document.node) AS tags,"
	"	(SELECT tarn_comment(xattrs) FROM node WHERE node.id = document.node) AS comment,"
	"	tarn_text(document.text) AS text,"
	"	(SELECT format FROM description WHERE description.version = document.version) || ' ' ||"
	"	CASE document.kind WHEN 1 THEN 'text' WHEN 2 THEN 'table' WHEN 3 THEN 'json' WHEN 4 THEN 'database'"
	"	WHEN 5 THEN 'image' WHEN 6 THEN 'audio' WHEN 7 THEN 'video' WHEN 8 THEN 'document'"
	"	WHEN 9 THEN 'archive' ELSE 'other' END AS type FROM document;"
	"CREATE VIRTUAL TABLE found USING fts5(name, columns, tags, comment, text, type, content = 'found_in',"
	"	content_rowid = 'node', tokenize = 'unicode61 remove_diacritics 2');"

	"INSERT INTO tag SELECT DISTINCT value, node.id, 1 FROM node, json_each(tarn_tags(node.xattrs))"
	" WHERE node.xattrs IS NOT NULL AND EXISTS"
	"	(SELECT 1 FROM entry INDEXED BY entry_node WHERE entry.node = node.id AND to_commit = " SQL_LIVE
	");"
	"INSERT INTO job(id, type, subject, due) SELECT (SELECT value FROM lake WHERE key = 'store.next.job') - 1"
	"	+ row_number() OVER (), 1, id, 0 FROM version WHERE state = 1 AND settled = 1"
	"	AND NOT EXISTS(SELECT 1 FROM job WHERE type = 1 AND subject = version.id);"
	"UPDATE lake SET value = (SELECT count(*) FROM job) WHERE key = 'store.jobs';"
	"UPDATE lake SET value = max(value, (SELECT ifnull(max(id), 0) + 1 FROM job)) WHERE key = 'store.next.job';";

/* What was made from what; and of runs what of them is told. */
static const char step_5[] =
	"CREATE TABLE edge("
	"	output INTEGER NOT NULL, input INTEGER NOT NULL, class INTEGER NOT NULL, run INTEGER NOT NULL,"
	"	commit_id INTEGER NOT NULL, PRIMARY KEY(output, input)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX edge_input ON edge(input);"
	"ALTER TABLE run ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN began INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN wrote INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN name TEXT;";

static const char step_6[] =
	"CREATE TABLE quality("
	"	version INTEGER PRIMARY KEY, declaration INTEGER NOT NULL, time INTEGER NOT NULL,"
	"	failed INTEGER NOT NULL, found TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX tag_declared ON tag(node) WHERE origin = 2;";

static const char *const steps[SCHEMA_VERSION] = {step_1, step_2, step_3, step_4, step_5, step_6};

/* One number from the first row of SQL. */
static int number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int words(const char **why, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int words(const char **why, int err, const char *fmt, ...)
{
	static _Thread_local char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*why = text;
	return err;
}

static int migrate(sqlite3 *db, int64_t from, const char **why)
{
	char sql[96];
	int rc = functions_add(db), err;

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (int64_t v = from; rc == SQLITE_OK && v < SCHEMA_VERSION; v++)
		rc = sqlite3_exec(db, steps[v], NULL, NULL, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", SCHEMA_APPLICATION,
		 SCHEMA_VERSION);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	/* A plain error: the tables are not those of the schema that the file says it has. */
	err = rc == SQLITE_ERROR ? -EUCLEAN : conn_errno(db, rc);
	words(why, err, "its schema %lld cannot be brought to %d: %s", (long long)from, SCHEMA_VERSION,
	      sqlite3_errmsg(db));
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/* Folders of SQLite's own file: a rename in it is durable once the folder is. */
static int sync_folder_of(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (slash)
		slash[slash == folder] = 0;
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The file is there, empty and only ours: SQLite would make it with the umask's mode, and copies that to WAL and
 * shm. */
static int make_empty(const char *path)
{
	_cleanup_close_ int fd = -1;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static int fill(const char *path, const char **why)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), err;

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
				  NULL, NULL, NULL);
	err = rc == SQLITE_OK ? migrate(db, 0, why) : conn_errno(db, rc);
	/* The last connection checkpoints and removes the WAL: then the file is all there is. */
	rc = sqlite3_close(db);
	return err ? err : rc == SQLITE_OK ? 0 : -EIO;
}

int schema_create(const char *path, const char **why)
{
	_cleanup_buf_ struct buf temp = BUF_INIT;
	int err;

	buf_addf(&temp, "%s-new", path);
	if (buf_error(&temp))
		return -ENOMEM;
	err = make_empty(temp.data);
	if (!err)
		err = fill(temp.data, why);
	/* Not rename(2): a store that is there already must stay. */
	if (!err && link(temp.data, path) < 0)
		err = -errno;
	unlink(temp.data);
	return err ? err : sync_folder_of(path);
}

int schema_check(sqlite3 *db, bool may_migrate, const char **why)
{
	int64_t application = 0, version = 0, tables = 0;
	int rc = number(db, "PRAGMA application_id", &application);

	if (rc == SQLITE_OK)
		rc = number(db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = number(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc != SQLITE_OK)
		return words(why, conn_errno(db, rc), "the metadata store cannot be read: %s", sqlite3_errmsg(db));
	if (application != SCHEMA_APPLICATION)
		return words(why, -EUCLEAN, "%s", tables ? "it is an SQLite database, but not tarn's" : "it is empty");
	if (version > SCHEMA_VERSION)
		return words(why, -EPROTONOSUPPORT,
			     "its schema is %lld, and the newest that this tarn knows is %d: use the tarn that wrote "
			     "it, or a newer one",
			     (long long)version, SCHEMA_VERSION);
	if (version < 0)
		return words(why, -EUCLEAN, "its schema number is %lld", (long long)version);
	if (version == SCHEMA_VERSION)
		return 0;
	if (!may_migrate)
		return words(
			why, -EPROTONOSUPPORT,
			"its schema is %lld, and this tarn reads %d: mount the lake once, which brings it up to date",
			(long long)version, SCHEMA_VERSION);
	return migrate(db, version, why);
}

int schema_reindex(sqlite3 *db)
{
	int64_t wanted = 0;
	int rc = number(db, "SELECT count(*) FROM lake WHERE key = '" STORE_REINDEX "'", &wanted);

	if (rc != SQLITE_OK || !wanted)
		return rc;
	rc = sqlite3_exec(db,
			  "BEGIN IMMEDIATE; INSERT INTO found(found) VALUES('rebuild');"
			  "DELETE FROM lake WHERE key = '" STORE_REINDEX "'; COMMIT",
			  NULL, NULL, NULL);
	if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
