#include "meta/sql.h"

#define NODE                                                                                                   \
	"node.id, node.kind, node.volume, node.handle, node.mode, node.uid, node.gid, node.size, node.mtime, " \
	"node.ctime, node.asset, node.version, node.writing, node.acl, node.stub, node.pin, node.opened"
#define OBJECT "object.sha256, object.size, object.pack, object.offset, object.length, object.base"
#define PACK                                                                                                \
	"pack.id, pack.volume, pack.bytes, pack.state, (SELECT count(*) FROM object WHERE pack = pack.id)," \
	" (SELECT ifnull(sum(length), 0) FROM object WHERE pack = pack.id)"
#define VERSION                                                                                                    \
	"version.id, version.asset, version.number, version.node, version.commit_id, version.time, version.size, " \
	"version.mtime, version.mode, version.uid, version.gid, version.sha256, version.state, version.how, "      \
	"version.settled, version.run, version.run_uid, version.volume, version.mime, version.reason, "            \
	"version.cut_commit, version.end_commit, version.end_time, version.stored"
#define CLOUD                                                                                                    \
	"cloud.id, cloud.remote, cloud.key, cloud.version, cloud.pack, cloud.sha256, cloud.size, cloud.stored, " \
	"cloud.compress, cloud.etag, cloud.class, cloud.state, cloud.time"
/* what a listing asks of a version */
#define BRIEF "version.id, version.node, version.number, version.state, version.how, version.settled"
/* what stat() of an entry asks; node_past as in SQL_NODE_PAST */
#define KNOWN NODE ", " VERSION ", was.mode, was.uid, was.gid, was.mtime, was.acl, ifnull(length(node.target), -1)"
#define KNOWN_FROM \
	" CROSS JOIN node ON node.id = entry.node LEFT JOIN version ON version.id = " VERSION_AT("?2")    \
	" LEFT JOIN node_past AS was ON was.node = entry.node AND was.to_commit = (SELECT next.to_commit" \
	" FROM node_past AS next WHERE next.node = entry.node AND next.to_commit > ?2"                    \
	" ORDER BY next.to_commit LIMIT 1)"
/* where a node is now, ?1 if it is there, or was last */
#define PLACE                                                                                                \
	"coalesce((SELECT here.parent FROM entry AS here INDEXED BY entry_node WHERE here.node = entry.node" \
	" AND here." LIVE                                                                                    \
	" AND here.parent = ?1 LIMIT 1),"                                                                    \
	" (SELECT there.parent FROM entry AS there INDEXED BY entry_node WHERE there.node = entry.node"      \
	" AND there." LIVE                                                                                   \
	" LIMIT 1),"                                                                                         \
	" (SELECT last.parent FROM entry AS last INDEXED BY entry_past WHERE last.node = entry.node"         \
	" AND last.to_commit < " SQL_LIVE " ORDER BY last.to_commit DESC LIMIT 1))"
#define KNOWN_LIVE(names)                                                                                              \
	"SELECT name, parent, " KNOWN " FROM entry" KNOWN_FROM " WHERE parent = ?1 AND entry." LIVE " AND name " names \
	" AND from_commit <= ?2"
#define KNOWN_ENDED(names)                                                               \
	"SELECT name, " PLACE ", " KNOWN " FROM entry INDEXED BY entry_ended" KNOWN_FROM \
	" WHERE parent = ?1 AND name " names " AND entry.to_commit < " SQL_LIVE          \
	" AND entry.to_commit > ?2 AND from_commit <= ?2"
#define RUN "id, boot, tgid, start, uid, parent, began, wrote, exe, argv, cwd, cgroup, name"
#define STANDS_FOR                                                                    \
	"CASE WHEN asset >= 0 THEN id ELSE (SELECT min(same.id) FROM version AS same" \
	" WHERE same.asset = -meant.asset AND same.sha256 = meant.sha256 AND same.id > meant.id) END"
#define EDGE "output, input, class, run, commit_id"
/* is the edge one between two versions with the same bytes? */
#define EDGE_COPIES                                                                                             \
	"class IN (3, 4) AND EXISTS(SELECT 1 FROM version AS made, version AS read WHERE made.id = edge.output" \
	" AND read.id = edge.input AND made.size > 0 AND made.size = read.size AND made.sha256 = read.sha256)"
#define TWIN "id, asset, number, node, size, commit_id, state, settled, sha256"
#define FOUND "name, columns, tags, comment, text, type"
#define LIVE "to_commit = " SQL_LIVE
/* The content of entry.node as of a commit, when that is a file; the id is in the index. */
#define VERSION_AT(commit)                                                                               \
	"CASE entry.kind WHEN 1 THEN (SELECT content.id FROM version AS content INDEXED BY version_node" \
	" WHERE content.node = entry.node AND content.cut_commit <= " commit                             \
	" AND content.state <> 4"                                                                        \
	" ORDER BY content.cut_commit DESC, content.id DESC LIMIT 1) END"
/* What can be read: the live bytes and the kept ones, once nobody can write into them any more. */
#define READABLE "state IN (1, 2) AND settled = 1"

const char *const sql_text[SQL_COUNT] = {
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",

	[SQL_LAKE_GET] = "SELECT value FROM lake WHERE key = ?",
	[SQL_LAKE_RANGE] = "SELECT key, value FROM lake WHERE key >= ? AND key < ?",
	[SQL_NODE] = "SELECT " NODE " FROM node WHERE id = ?",
	[SQL_NODE_HERE] =
		"SELECT " NODE ", EXISTS(SELECT 1 FROM entry WHERE parent = ?3 AND " LIVE
		" AND name = ?4"
		" AND entry.node = node.id) FROM node INDEXED BY node_handle WHERE volume = ?1 AND handle = ?2",
	[SQL_NODE_WRITING] = "SELECT " NODE " FROM node INDEXED BY node_writing WHERE writing = 1",
	[SQL_ENTRY] = "SELECT " NODE
		      " FROM entry CROSS JOIN node ON node.id = entry.node"
		      " WHERE parent = ? AND " LIVE " AND name = ?",
	[SQL_ENTRIES] = "SELECT name, node, kind FROM entry WHERE parent = ? AND " LIVE,
	[SQL_ENTRIES_EVER] = "SELECT name, node, kind, ifnull(ended_how, 0) FROM entry WHERE parent = ?",
	[SQL_ENTRY_OF_NODE] = "SELECT parent, name FROM entry INDEXED BY entry_node WHERE node = ? AND " LIVE
			      " ORDER BY from_commit LIMIT 1",
	[SQL_ENTRY_OTHER] = "SELECT 1 FROM entry INDEXED BY entry_node WHERE node = ? AND " LIVE
			    " AND (parent <> ? OR name <> ?) LIMIT 1",
	[SQL_SERIES_LIVE] =
		"SELECT node.asset, node.id FROM entry CROSS JOIN node ON node.id = entry.node"
		" WHERE parent = ? AND " LIVE " AND name = ? AND entry.kind = 1",
	[SQL_SERIES_ENDED] =
		"SELECT entry.node, entry.ended_how, entry.asset, node.asset, change.run, change.time"
		" FROM entry INDEXED BY entry_ended CROSS JOIN node ON node.id = entry.node"
		" LEFT JOIN change ON change.commit_id = entry.to_commit"
		" WHERE entry.parent = ? AND entry.name = ? AND to_commit < " SQL_LIVE " AND entry.kind = 1"
		" ORDER BY to_commit DESC LIMIT 1",
	[SQL_SERIES_PAST] =
		"SELECT ended_how, ifnull(nullif(entry.asset, 0), node.asset),"
		" ifnull((SELECT node FROM asset WHERE id = entry.asset), -1)"
		" FROM entry INDEXED BY entry_ended CROSS JOIN node ON node.id = entry.node"
		" WHERE parent = ? AND name = ? AND to_commit < " SQL_LIVE " AND entry.kind = 1"
		" ORDER BY to_commit DESC LIMIT 1",
	[SQL_PLACE_BEFORE] = "SELECT parent, name, from_commit FROM entry INDEXED BY entry_past WHERE node = ?"
			     " AND to_commit <= ? AND to_commit < " SQL_LIVE " ORDER BY to_commit DESC LIMIT 1",
	[SQL_FOLDER_BEFORE] = "SELECT node, ended_how FROM entry INDEXED BY entry_ended WHERE parent = ? AND name = ?"
			      " AND to_commit <= ? AND to_commit < " SQL_LIVE
			      " AND node <> ? AND kind = 2 ORDER BY to_commit DESC LIMIT 1",
	[SQL_VERSION] = "SELECT " VERSION " FROM version WHERE id = ?",
	[SQL_VERSION_NUMBER] = "SELECT " VERSION " FROM version WHERE asset = ? AND number = ?",
	[SQL_VERSION_BEFORE] = "SELECT " VERSION
			       " FROM version INDEXED BY version_number"
			       " WHERE asset = ? AND number < ? AND " READABLE " ORDER BY number DESC LIMIT 1",
	/* one step of a search by halves: the times of a series rise with its numbers */
	[SQL_VERSION_STEP] =
		"SELECT number, time FROM version INDEXED BY version_number WHERE asset = ? AND number <= ?"
		" ORDER BY number DESC LIMIT 1",
	[SQL_VERSION_LISTED] = "SELECT " VERSION
			       " FROM version INDEXED BY version_number WHERE asset = ? AND number <= ?"
			       " AND state NOT IN (3, 4) ORDER BY number DESC LIMIT 1",
	[SQL_VERSION_OF_NODE] = "SELECT " VERSION
				" FROM version INDEXED BY version_node WHERE node = ? AND cut_commit <= ?"
				" AND state <> 4 ORDER BY cut_commit DESC, id DESC LIMIT 1",
	[SQL_VERSIONS_OF_NODE] =
		"SELECT " VERSION " FROM version INDEXED BY version_node WHERE node = ?1 AND"
		" cut_commit >= ifnull((SELECT cut_commit FROM version WHERE id = ?2), 0) AND id >= ?2"
		" ORDER BY cut_commit, id",
	[SQL_VERSIONS_OF_NODE_BACK] =
		"SELECT " VERSION " FROM version INDEXED BY version_node WHERE node = ?1 AND"
		" cut_commit <= ifnull((SELECT cut_commit FROM version WHERE id = ?2), " SQL_LIVE ")"
		" AND id < ?2 ORDER BY cut_commit DESC, id DESC",
	[SQL_VERSIONS_SAVED] =
		"SELECT " VERSION " FROM version INDEXED BY version_saved WHERE node = ?1 AND " SQL_SAVED
		" AND cut_commit >= ifnull((SELECT cut_commit FROM version WHERE id = ?2), 0) AND id >= ?2"
		" ORDER BY cut_commit, id",
	[SQL_VERSION_LAST_ASIDE] = "SELECT id FROM version INDEXED BY version_saved WHERE node = ? AND " SQL_SAVED
				   " AND how IN (1, 7) AND id <> ? ORDER BY cut_commit DESC, id DESC LIMIT 1",
	[SQL_VERSIONS] = "SELECT " VERSION " FROM version INDEXED BY version_number WHERE asset = ? ORDER BY number",
	[SQL_VERSIONS_BRIEF] = "SELECT " BRIEF
			       " FROM version INDEXED BY version_number WHERE asset = ? ORDER BY number",
	[SQL_VERSIONS_KEPT] = "SELECT " VERSION
			      " FROM version INDEXED BY version_kept WHERE state IN (2, 3)"
			      " ORDER BY end_commit LIMIT ?",
	[SQL_VERSIONS_BY_HASH] = "SELECT " VERSION " FROM version WHERE sha256 = ? AND state IN (1, 2, 3)",
	[SQL_VERSIONS_HASHED] = "SELECT " VERSION " FROM version WHERE id > ? AND state IN (1, 2, 3) AND settled = 1"
				" AND sha256 IS NOT NULL AND size > 0 ORDER BY id LIMIT ?",
	[SQL_VERSIONS_KEPT_AFTER] = "SELECT " VERSION " FROM version INDEXED BY version_kept WHERE state IN (2, 3)"
				    " AND (end_commit, id) > (?, ?) ORDER BY end_commit, id LIMIT ?",
	/* no index: it is asked once, after a power failure */
	[SQL_VERSIONS_NOT_DURABLE] =
		"SELECT " VERSION " FROM version WHERE state IN (1, 2, 3)"
		" AND cut_commit > (SELECT value FROM lake WHERE key = 'durable') ORDER BY id",
	[SQL_SYNCED] = "SELECT 1 FROM synced WHERE node = ? AND size = ? AND mtime = ?",
	[SQL_ASSETS] = "SELECT entry.name, " NODE ", ifnull(asset.readable, 0), " VERSION
		       " FROM entry CROSS JOIN node ON node.id = entry.node"
		       " LEFT JOIN asset ON asset.id = node.asset LEFT JOIN version ON version.id = node.version"
		       " WHERE parent = ? AND " LIVE " AND name > ? ORDER BY name",
	[SQL_COMMIT_STEP] =
		"SELECT commit_id, time FROM change WHERE commit_id <= ? ORDER BY commit_id DESC LIMIT 1",
	[SQL_NODE_PAST] = "SELECT mode, uid, gid, mtime, acl FROM node_past WHERE node = ? AND to_commit > ?"
			  " ORDER BY to_commit LIMIT 1",
	/* of what ended until then, and of what was there then */
	[SQL_FOLDER_CHANGED_AT] =
		"SELECT time, op FROM change WHERE commit_id = (SELECT max("
		" ifnull((SELECT to_commit FROM entry WHERE parent = ?1 AND to_commit <= ?2"
		" ORDER BY to_commit DESC LIMIT 1), 0),"
		" ifnull((SELECT max(from_commit) FROM entry WHERE parent = ?1 AND to_commit > ?2"
		" AND from_commit <= ?2), 0)))"
		" AND commit_id >"
		" ifnull((SELECT max(to_commit) FROM node_past WHERE node = ?1 AND to_commit <= ?2), 0)",
	[SQL_ENTRY_AT_LIVE] =
		"SELECT node FROM entry WHERE parent = ?1 AND " LIVE " AND name = ?2 AND from_commit <= ?3",
	[SQL_ENTRY_AT_ENDED] =
		"SELECT node, from_commit FROM entry INDEXED BY entry_ended WHERE parent = ? AND name = ?"
		" AND to_commit > ? AND to_commit < " SQL_LIVE " ORDER BY to_commit LIMIT 1",
	/* these two, and the next: both in the order of their index, so that they are merged and not sorted */
	[SQL_ENTRIES_AT] =
		"SELECT name, entry.node, kind, " BRIEF " FROM entry LEFT JOIN version ON"
		" version.id = " VERSION_AT("?2") " WHERE parent = ?1 AND " LIVE " AND name > ?3 AND from_commit <= ?2"
		" UNION ALL SELECT name, entry.node, kind, " BRIEF " FROM entry INDEXED BY entry_ended"
		" LEFT JOIN version ON version.id = " VERSION_AT("?2") " WHERE parent = ?1 AND name > ?3"
		" AND to_commit < " SQL_LIVE " AND to_commit > ?2 AND from_commit <= ?2 ORDER BY name",
	[SQL_ENTRIES_KNOWN_AT] = KNOWN_LIVE("> ?3") " UNION ALL " KNOWN_ENDED("> ?3") " ORDER BY name",
	[SQL_ENTRY_KNOWN_AT] = KNOWN_LIVE("= ?3") " UNION ALL " KNOWN_ENDED("= ?3") " LIMIT 1",
	[SQL_ENTRY_OF_NODE_AT_LIVE] =
		"SELECT parent, name, from_commit FROM entry INDEXED BY entry_node WHERE node = ?1 AND " LIVE
		" AND from_commit <= ?2 ORDER BY from_commit LIMIT 1",
	[SQL_ENTRY_OF_NODE_AT_ENDED] =
		"SELECT parent, name, from_commit FROM entry INDEXED BY entry_past WHERE node = ?1 AND to_commit > ?2"
		" AND to_commit < " SQL_LIVE " AND from_commit <= ?2 ORDER BY to_commit LIMIT 1",
	[SQL_ENTRY_LAST] = "SELECT " NODE " FROM entry INDEXED BY entry_ended CROSS JOIN node ON node.id = entry.node"
			   " WHERE parent = ? AND name = ? AND to_commit < " SQL_LIVE
			   " ORDER BY to_commit DESC LIMIT 1",
	[SQL_FOLDER_LAST] = "SELECT " NODE " FROM entry INDEXED BY entry_ended CROSS JOIN node ON node.id = entry.node"
			    " WHERE parent = ? AND name = ? AND to_commit < " SQL_LIVE " AND entry.kind = 2"
			    " ORDER BY to_commit DESC LIMIT 1",
	[SQL_REMOVED] = "SELECT to_commit, time, run FROM entry INDEXED BY entry_past"
			" CROSS JOIN change ON commit_id = to_commit WHERE entry.node = ? AND to_commit < " SQL_LIVE
			" ORDER BY to_commit DESC LIMIT 1",
	/* the first of RUN, ?2, after the last that was no OP_UNLINK and no OP_RMDIR */
	[SQL_REMOVAL_BEGIN] = "SELECT commit_id FROM change WHERE run = ?2 AND commit_id <= ?1 AND commit_id >"
			      " ifnull((SELECT commit_id FROM change WHERE commit_id < ?1 AND commit_id > ?3"
			      " AND run = ?2 AND op NOT IN (6, 7) ORDER BY commit_id DESC LIMIT 1), ?3)"
			      " ORDER BY commit_id LIMIT 1",
	[SQL_PLACE_LIVE] = "SELECT ifnull((SELECT parent FROM entry INDEXED BY entry_node WHERE node = ?1"
			   " AND " LIVE " AND parent = ?2 LIMIT 1), parent) FROM entry INDEXED BY entry_node"
			   " WHERE node = ?1 AND " LIVE " LIMIT 1",
	[SQL_PLACE_LAST] = "SELECT parent FROM entry INDEXED BY entry_past WHERE node = ? AND to_commit < " SQL_LIVE
			   " ORDER BY to_commit DESC LIMIT 1",
	[SQL_PARENTS_AT_LIVE] = "SELECT parent FROM entry INDEXED BY entry_node WHERE node = ?1 AND " LIVE
				" AND from_commit <= ?2",
	[SQL_PARENTS_AT_ENDED] =
		"SELECT parent FROM entry INDEXED BY entry_past WHERE node = ?1 AND to_commit > ?2"
		" AND to_commit < " SQL_LIVE " AND from_commit <= ?2",
	[SQL_NODE_XATTRS] = "SELECT xattrs FROM node WHERE id = ?",
	[SQL_NODE_XATTRS_PAST] = "SELECT xattrs FROM node_past WHERE node = ? AND to_commit > ?"
				 " ORDER BY to_commit LIMIT 1",
	[SQL_NODE_TARGET] = "SELECT target FROM node WHERE id = ? AND target IS NOT NULL",
	[SQL_FOLDER_DAYS] = "SELECT day FROM folder_day WHERE folder = ? ORDER BY day DESC LIMIT ?",
	[SQL_LABEL] = "SELECT folder, name, commit_id, time, uid FROM label WHERE folder = ? AND name = ?",
	[SQL_LABELS] = "SELECT folder, name, commit_id, time, uid FROM label WHERE folder BETWEEN ? AND ?"
		       " ORDER BY folder, name",
	/* until the next version of the node */
	[SQL_LABELS_OF_VERSION] =
		"SELECT folder, commit_id FROM label INDEXED BY label_commit WHERE commit_id >= ?2 AND commit_id <"
		" ifnull((SELECT cut_commit FROM version INDEXED BY version_node WHERE node = ?1 AND cut_commit > ?2"
		" AND state <> 4 ORDER BY cut_commit LIMIT 1), " SQL_LIVE ")",
	[SQL_OBJECT] = "SELECT " OBJECT " FROM object WHERE sha256 = ?",
	[SQL_OBJECTS] = "SELECT " OBJECT " FROM object INDEXED BY object_pack WHERE pack = ? ORDER BY offset",
	[SQL_OBJECTS_ON] = "SELECT " OBJECT " FROM object INDEXED BY object_base WHERE base = ?",
	[SQL_OBJECTS_UNUSED] =
		"SELECT " OBJECT " FROM object WHERE NOT EXISTS (SELECT 1 FROM version INDEXED BY version_packed"
		" WHERE version.sha256 = object.sha256 AND how = 5)"
		" AND NOT EXISTS (SELECT 1 FROM object AS o INDEXED BY object_base WHERE o.base = object.sha256)",
	[SQL_PACK] = "SELECT " PACK " FROM pack WHERE id = ?",
	[SQL_PACKS] = "SELECT " PACK " FROM pack ORDER BY id",
	[SQL_PACK_TOTALS] = "SELECT count(*), ifnull(sum(bytes), 0) FROM pack WHERE state <> 2",
	[SQL_PACK_STAYING_TOTALS] = "SELECT count(*), ifnull(sum(bytes), 0) FROM pack WHERE state = 3",
	[SQL_PACK_AWAY_TOTALS] = "SELECT count(*), ifnull(sum(bytes), 0) FROM pack WHERE state = 2",
	[SQL_OBJECT_TOTALS] = "SELECT count(*), ifnull(sum(size), 0) FROM object",
	[SQL_VERSIONS_PACKED] = "SELECT " VERSION
				" FROM version INDEXED BY version_packed WHERE sha256 = ? AND how = 5",
	[SQL_CLOUD_OF_VERSION] = "SELECT " CLOUD
				 " FROM cloud INDEXED BY cloud_version WHERE version = ? AND version > 0"
				 " AND state IN (2, 3) LIMIT 1",
	[SQL_CLOUD_ALL_OF_VERSION] =
		"SELECT " CLOUD " FROM cloud INDEXED BY cloud_version WHERE version = ? AND version > 0 ORDER BY id",
	[SQL_CLOUD_BY_HASH] = "SELECT " CLOUD " FROM cloud INDEXED BY cloud_hash WHERE sha256 = ? AND size = ?"
			      " AND state = 2 ORDER BY id LIMIT 1",
	[SQL_CLOUD_ELSEWHERE] = "SELECT " CLOUD " FROM cloud INDEXED BY cloud_hash WHERE sha256 = ? AND size = ?"
				" AND compress = ? AND state = 2 AND NOT (remote = ? AND key = ?) ORDER BY id LIMIT 1",
	[SQL_CLOUD_BY_HASH_OF] =
		"SELECT " CLOUD " FROM version CROSS JOIN cloud INDEXED BY cloud_hash ON cloud.sha256 = version.sha256"
		" AND cloud.size = version.size WHERE version.id = ? AND version.state <> 1"
		" AND cloud.sha256 IS NOT NULL"
		" AND cloud.state IN (2, 3) LIMIT 1",
	[SQL_CLOUD_BY_KEY] = "SELECT " CLOUD " FROM cloud WHERE remote = ? AND key = ?",
	[SQL_CLOUD_OF_PACK] =
		"SELECT " CLOUD " FROM cloud INDEXED BY cloud_pack WHERE pack = ? AND pack > 0 AND state = 2 LIMIT 1",
	[SQL_CLOUD_EACH] = "SELECT " CLOUD " FROM cloud WHERE id > ? ORDER BY id",
	[SQL_CLOUD_IN_STATE] = "SELECT " CLOUD " FROM cloud INDEXED BY cloud_state WHERE state IN (1, 4) AND id > ?1"
			       " AND state = ?2 ORDER BY id",
	[SQL_CLOUD_NEEDED_BY] =
		"SELECT id FROM version WHERE id = ?1 AND (how = 7 AND state IN (2, 3) OR state = 1 AND EXISTS"
		" (SELECT 1 FROM node WHERE node.id = version.node AND node.version = version.id AND stub = 1))"
		" UNION ALL SELECT id FROM version INDEXED BY version_cloud WHERE sha256 = ?2 AND how = 7"
		" AND state IN (2, 3) LIMIT 1",
	[SQL_COLD] =
		"SELECT node.id, (SELECT parent FROM entry INDEXED BY entry_node WHERE entry.node = node.id"
		" AND " LIVE " LIMIT 1), node.version, version.size, node.opened, version.time, node.volume, node.pin,"
		" node.writing, version.settled = 1, version.sha256 IS NOT NULL,"
		" EXISTS(SELECT 1 FROM cloud INDEXED BY cloud_version WHERE cloud.version = node.version"
		" AND cloud.version > 0 AND cloud.state IN (2, 3))"
		" FROM node INDEXED BY node_cold CROSS JOIN version ON version.id = node.version"
		" WHERE node.kind = 1 AND node.stub = 0 AND node.version > 0"
		" AND node.opened / " SQL_HOUR " <= ?1 / " SQL_HOUR " AND node.opened < ?1"
		" ORDER BY node.opened / " SQL_HOUR ", node.size DESC",
	[SQL_NOT_KEPT] = "SELECT reason, count FROM not_kept WHERE count > 0 ORDER BY count DESC, reason",
	[SQL_RUN_FIND] = "SELECT id FROM run WHERE boot = ? AND tgid = ? AND start = ?",
	[SQL_RUN_EXE] = "SELECT exe FROM run WHERE id = ?",
	[SQL_RUN] = "SELECT " RUN " FROM run WHERE id = ?",
	[SQL_RUNS] = "SELECT " RUN " FROM run WHERE id > ? ORDER BY id",
	[SQL_EDGES_UP] = "SELECT " EDGE " FROM edge WHERE output = ? ORDER BY input",
	[SQL_EDGES_DOWN] = "SELECT " EDGE " FROM edge WHERE input = ? ORDER BY output",
	[SQL_EDGES] = "SELECT " EDGE " FROM edge WHERE output > ? AND class >= ? ORDER BY output, input",
	[SQL_NODE_PLACE_WAS] = "SELECT parent, name FROM entry INDEXED BY entry_past WHERE node = ? AND to_commit < "
			       SQL_LIVE " ORDER BY to_commit DESC LIMIT 1",
	[SQL_EDGES_COUNT] = "SELECT count(*) FROM edge",
	[SQL_JOBS] =
		"SELECT id, subject, tries FROM job INDEXED BY job_due WHERE type = ? AND due <= ? ORDER BY due LIMIT "
		"?",
	[SQL_JOB_NEXT] = "SELECT due FROM job WHERE type = ? ORDER BY due LIMIT 1",
	[SQL_LAST_COMMIT] =
		"SELECT max(id), max(time) FROM (SELECT * FROM"
		" (SELECT commit_id AS id, time FROM change ORDER BY commit_id DESC LIMIT 1) UNION ALL SELECT"
		" (SELECT value FROM lake WHERE key = 'store.last.commit'),"
		" (SELECT value FROM lake WHERE key = 'store.last.time'))",

	[SQL_CHANGE_ADD] =
		"INSERT INTO change(commit_id, time, op, run, uid, node, parent, name) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_NODE_ADD] =
		"INSERT INTO node(id, kind, volume, handle, mode, uid, gid, size, mtime, ctime, acl, writing,"
		" stub, pin, opened) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_NODE_BRIEF] = "SELECT kind, size, asset, version, mode, uid, gid, acl, mtime, volume, stub, handle"
			   " FROM node WHERE id = ?",
	[SQL_NODE_SET] =
		"UPDATE node SET mode = ?2, uid = ?3, gid = ?4, size = ?5, mtime = ?6, ctime = ?7, acl = ?8"
		" WHERE id = ?1",
	[SQL_NODE_PAST_ADD] =
		"INSERT INTO node_past(node, to_commit, mode, uid, gid, mtime, acl, xattrs)"
		" SELECT id, ?2, mode, uid, gid, mtime, acl, xattrs FROM node WHERE id = ?1 ON CONFLICT DO NOTHING",
	[SQL_NODE_SET_HANDLE] = "UPDATE node SET volume = ?2, handle = ?3 WHERE id = ?1",
	[SQL_NODE_SET_WRITING] = "UPDATE node SET writing = ?2 WHERE id = ?1",
	[SQL_NODE_SET_ASSET] = "UPDATE node SET asset = ?2 WHERE id = ?1",
	[SQL_NODE_SET_VERSION] = "UPDATE node SET asset = ?2, version = ?3, opened = ?4 WHERE id = ?1",
	[SQL_NODE_DROP_VERSION] = "UPDATE node SET version = 0 WHERE id = ? AND version = ?",
	[SQL_NODE_DROP_HANDLE] = "UPDATE node SET handle = NULL WHERE id = ?",
	[SQL_NODE_SET_STUB] = "UPDATE node SET stub = ?2, handle = ?3 WHERE id = ?1",
	[SQL_NODE_SET_PIN] = "UPDATE node SET pin = ?2 WHERE id = ?1",
	[SQL_NODE_SET_OPENED] = "UPDATE node SET opened = ?2 WHERE id = ?1",
	[SQL_NODE_SET_TARGET] = "UPDATE node SET target = ?2 WHERE id = ?1",
	[SQL_NODE_XATTRS_DIFFER] = "SELECT xattrs IS NOT ?2 FROM node WHERE id = ?1",
	[SQL_NODE_SET_XATTRS] = "UPDATE node SET xattrs = ?2 WHERE id = ?1",
	[SQL_HANDLE_TAKE_AWAY] = "UPDATE node SET handle = NULL WHERE volume = ? AND handle = ?",
	[SQL_HANDLES_FORGET] = "UPDATE node SET handle = NULL WHERE volume = ? AND handle IS NOT NULL",
	[SQL_ENTRY_ADD] =
		"INSERT INTO entry(parent, to_commit, name, node, kind, from_commit)"
		" VALUES(?, " SQL_LIVE ", ?, ?, ?, ?)",
	[SQL_ENTRY_LIVE] =
		"SELECT entry.node, entry.from_commit, entry.kind, node.size, node.asset, node.version, node.stub"
		" FROM entry CROSS JOIN node ON node.id = entry.node WHERE parent = ? AND " LIVE " AND name = ?",
	[SQL_ENTRY_END] =
		"UPDATE entry SET to_commit = ?3, ended_how = ?4, asset = ?5"
		" WHERE parent = ?1 AND " LIVE " AND name = ?2",
	[SQL_ENTRY_UNDO] = "DELETE FROM entry WHERE parent = ? AND " LIVE " AND name = ?",
	[SQL_NODE_NAMED] = "SELECT 1 FROM entry INDEXED BY entry_node WHERE node = ? AND " LIVE " LIMIT 1",
	[SQL_ASSET] = "SELECT last_number, node FROM asset WHERE id = ?",
	[SQL_ASSET_ADD] = "INSERT INTO asset(id, last_number, readable, node) VALUES(?, ?, ?, ?)",
	[SQL_ASSET_COUNT] = "UPDATE asset SET last_number = ?2, readable = readable + ?3 WHERE id = ?1",
	[SQL_ASSET_READABLE] = "UPDATE asset SET readable = readable + ?2 WHERE id = ?1",
	[SQL_ASSET_HOLD] = "UPDATE asset SET node = ?2 WHERE id = ?1",
	[SQL_VERSION_BRIEF] = "SELECT asset, node, size, state, how, settled, stored FROM version WHERE id = ?",
	[SQL_VERSION_ADD] =
		"INSERT INTO version(id, asset, number, node, commit_id, time, size, mtime, mode, uid, gid, state,"
		" how, settled, run, run_uid, volume, stored, end_commit, end_time, reason, cut_commit)"
		" VALUES(?, ?, ?, ?, ?5, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?5)",
	[SQL_VERSION_SET_SERIES] =
		"UPDATE version SET asset = ?2, number = ?3, commit_id = ?4, time = ?5 WHERE id = ?1",
	[SQL_VERSION_SET_STATE] = "UPDATE version SET state = ?2, how = ?3, reason = ?4, stored = ?5 WHERE id = ?1",
	[SQL_VERSION_TWIN] = "SELECT " TWIN " FROM version WHERE id = ?",
	[SQL_VERSION_TWIN_BEFORE] = "SELECT " TWIN " FROM version INDEXED BY version_number"
				    " WHERE asset = ? AND number < ? AND state NOT IN (3, 4)"
				    " ORDER BY number DESC LIMIT 1",
	[SQL_VERSION_TWIN_AFTER] = "SELECT " TWIN " FROM version INDEXED BY version_number"
				   " WHERE asset = ? AND number > ? AND state NOT IN (3, 4) ORDER BY number LIMIT 1",
	[SQL_VERSION_HIDE] = "UPDATE version SET asset = -asset, number = id, state = ?2, reason = ifnull(reason, ?3)"
			     " WHERE id = ?1",
	[SQL_VERSION_TAKE_PLACE] =
		"UPDATE version SET number = ?3, commit_id = older.commit_id, time = older.time, run = older.run,"
		" run_uid = older.run_uid, sha256 = ifnull(version.sha256, older.sha256),"
		" mime = ifnull(version.mime, older.mime), cut_commit = CASE WHEN version.node = older.node"
		" THEN older.cut_commit ELSE version.cut_commit END"
		" FROM version AS older WHERE version.id = ?1 AND older.id = ?2",
	[SQL_ASSET_UNCOUNT] = "UPDATE asset SET last_number = last_number - 1 WHERE id = ? AND last_number = ?",
	[SQL_VERSION_GROW] =
		"UPDATE version SET size = ?2, mtime = ?3, commit_id = ?4, cut_commit = ?4, time = ?5, sha256 = NULL"
		" WHERE id = ?1",
	[SQL_VERSION_DROP] = "DELETE FROM version WHERE id = ?",
	[SQL_ASSET_DROP] = "DELETE FROM asset WHERE id = ? AND last_number = 1",
	/* what the file's mode and owner were at the end; an ACL's group bits are a mask, and grant nothing */
	[SQL_VERSION_END] = "UPDATE version SET end_commit = ?2, end_time = ?3,"
			    " mode = version.mode & CASE WHEN node.acl THEN node.mode & ~56 ELSE node.mode END,"
			    " uid = node.uid, gid = node.gid FROM node"
			    " WHERE version.id = ?1 AND node.id = version.node",
	[SQL_VERSION_REASON] = "SELECT reason FROM version WHERE id = ?",
	[SQL_NOT_KEPT_COUNT] =
		"INSERT INTO not_kept(reason, count) VALUES(?, ?)"
		" ON CONFLICT(reason) DO UPDATE SET count = count + excluded.count",
	[SQL_VERSION_SET_HOW] = "UPDATE version SET how = ?2, stored = ?3 WHERE id = ?1",
	[SQL_VERSION_SET_SETTLED] =
		"UPDATE version SET settled = 1, size = ?2, mtime = ?3, stored = ?4 WHERE id = ?1",
	[SQL_VERSION_SET_FACTS] =
		"UPDATE version SET sha256 = ifnull(?2, sha256), mime = ifnull(?3, mime)"
		" WHERE id = ?1 AND ifnull(size = ?4, 1)",
	/* the time is that of the commit, which is the record's own unless it is earlier */
	[SQL_LABEL_SET] =
		"INSERT INTO label(folder, name, commit_id, time, uid) VALUES(?1, ?2, ?3,"
		" ifnull((SELECT time FROM change WHERE commit_id <= ?3 ORDER BY commit_id DESC LIMIT 1), ?4), ?5)"
		" ON CONFLICT(folder, name) DO UPDATE SET commit_id = excluded.commit_id, time = excluded.time,"
		" uid = excluded.uid",
	[SQL_LABEL_REMOVE] = "DELETE FROM label WHERE folder = ? AND name = ?",
	[SQL_FOLDER_DAY_ADD] = "INSERT INTO folder_day(folder, day) VALUES(?, ?) ON CONFLICT DO NOTHING",
	[SQL_PACK_SET] =
		"INSERT INTO pack(id, volume, bytes, state) VALUES(?, ?, ?, ?) ON CONFLICT(id)"
		" DO UPDATE SET volume = excluded.volume, bytes = excluded.bytes, state = excluded.state",
	[SQL_PACK_REMOVE] = "DELETE FROM pack WHERE id = ?",
	[SQL_OBJECT_SET] = "INSERT INTO object(sha256, size, pack, offset, length, base) VALUES(?, ?, ?, ?, ?, ?)"
			   " ON CONFLICT(sha256) DO UPDATE SET size = excluded.size, pack = excluded.pack,"
			   " base = excluded.base,"
			   " offset = excluded.offset, length = excluded.length",
	[SQL_OBJECT_REMOVE] = "DELETE FROM object WHERE sha256 = ?",
	[SQL_OBJECTS_REMOVE] = "DELETE FROM object WHERE pack = ?",
	[SQL_CLOUD_BRIEF] = "SELECT version, pack, size, stored, state FROM cloud WHERE remote = ? AND key = ?",
	[SQL_CLOUD_SET] =
		"INSERT INTO cloud(remote, key, version, pack, sha256, size, stored, compress, etag, class, state,"
		" time) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(remote, key) DO UPDATE SET"
		" version = excluded.version, pack = excluded.pack, sha256 = excluded.sha256, size = excluded.size,"
		" stored = excluded.stored, compress = excluded.compress, etag = excluded.etag, class = excluded.class,"
		" state = excluded.state, time = excluded.time",
	[SQL_CLOUD_SET_STATE] = "UPDATE cloud SET state = ?3, time = ?4 WHERE remote = ?1 AND key = ?2",
	[SQL_CLOUD_REMOVE] = "DELETE FROM cloud WHERE remote = ? AND key = ?",
	[SQL_CLOUD_LEAVE] = "UPDATE cloud SET version = 0, state = 4, time = ?2 WHERE version = ?1 AND version > 0",
	[SQL_CLOUD_PACK] = "SELECT size, stored, state FROM cloud INDEXED BY cloud_pack WHERE pack = ? AND pack > 0"
			   " AND state <> 4",
	[SQL_CLOUD_PACK_OVER] = "UPDATE cloud SET state = 4, time = ?2 WHERE pack = ?1 AND pack > 0 AND state <> 4",
	[SQL_CLOUD_HAND_OVER] = "UPDATE cloud SET version = ?2 WHERE version = ?1 AND version > 0",
	[SQL_CLOUD_HEIR] = "SELECT other.id FROM version CROSS JOIN version AS other INDEXED BY version_cloud"
			   " ON other.sha256 = version.sha256 WHERE version.id = ?1 AND other.how = 7"
			   " AND other.state IN (2, 3) AND other.id <> ?1 LIMIT 1",
	[SQL_CLOUD_OF_NODE] = "SELECT 1 FROM version INDEXED BY version_node CROSS JOIN cloud INDEXED BY cloud_version"
			      " ON cloud.version = version.id AND cloud.version > 0 WHERE node = ? LIMIT 1",
	[SQL_CLOUD_UPLOADED] = "SELECT 1 FROM cloud INDEXED BY cloud_version WHERE version = ? AND version > 0"
			       " AND state IN (2, 3) LIMIT 1",
	/* of the live version of a file; of one that is kept there, and of any with the same content */
	[SQL_CLOUD_LAST] =
		"SELECT 1 FROM cloud AS c WHERE c.remote = ?1 AND c.key = ?2 AND c.state IN (2, 3) AND ("
		"EXISTS (SELECT 1 FROM version CROSS JOIN node ON node.id = version.node AND node.version = version.id"
		" WHERE version.id = c.version AND version.state = 1)"
		" AND NOT EXISTS (SELECT 1 FROM cloud AS o INDEXED BY cloud_version WHERE o.version = c.version"
		" AND o.version > 0 AND o.state IN (2, 3) AND o.id <> c.id)"
		" OR EXISTS (SELECT 1 FROM version WHERE version.id = c.version AND how = 7 AND state IN (2, 3))"
		" AND NOT EXISTS (SELECT 1 FROM cloud AS o INDEXED BY cloud_version WHERE o.version = c.version"
		" AND o.version > 0 AND o.state IN (2, 3) AND o.id <> c.id)"
		" AND NOT EXISTS (SELECT 1 FROM cloud AS o INDEXED BY cloud_hash WHERE o.sha256 = c.sha256"
		" AND o.sha256 IS NOT NULL AND o.state IN (2, 3) AND o.id <> c.id)"
		" OR EXISTS (SELECT 1 FROM version INDEXED BY version_cloud WHERE sha256 = c.sha256 AND how = 7"
		" AND state IN (2, 3))"
		" AND NOT EXISTS (SELECT 1 FROM cloud AS o INDEXED BY cloud_hash WHERE o.sha256 = c.sha256"
		" AND o.sha256 IS NOT NULL AND o.state IN (2, 3) AND o.id <> c.id))",
	[SQL_VERSION_FORGET] = "UPDATE version SET sha256 = NULL, mime = NULL WHERE id = ?",
	/* what a shell was told to write stands on its command line */
	[SQL_RUN_FORGET] =
		"UPDATE run SET argv = NULL, name = NULL WHERE id = (SELECT run FROM version WHERE id = ?) AND id > 3",
	[SQL_NODE_FORGET_PAST] = "UPDATE node_past SET xattrs = NULL WHERE node = ? AND xattrs IS NOT NULL",
	[SQL_NODE_FORGET] =
		"UPDATE node SET xattrs = NULL WHERE id = ?1 AND xattrs IS NOT NULL AND NOT EXISTS"
		" (SELECT 1 FROM entry INDEXED BY entry_node WHERE entry.node = ?1 AND " LIVE ")",
	[SQL_JOB_ADD] = "INSERT INTO job(id, type, subject, due) VALUES(?, ?, ?, ?)",
	[SQL_JOB_REPLACE] = "DELETE FROM job WHERE type = ? AND subject = ?",
	[SQL_JOB_DONE] = "DELETE FROM job WHERE id = ?",
	[SQL_JOB_RETRY] = "UPDATE job SET due = ?2, tries = tries + 1, error = ?3 WHERE id = ?1",
	[SQL_RUN_ADD] =
		"INSERT INTO run(id, boot, tgid, start, uid, exe, argv, cwd, cgroup, parent, began, name, first_commit)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET exe = excluded.exe,"
		" argv = excluded.argv, cwd = excluded.cwd, name = excluded.name ON CONFLICT DO NOTHING",
	[SQL_RUN_WROTE] = "UPDATE run SET wrote = ?2 WHERE id = ?1",
	/* a version that left its series is meant by the id of the one that stands for it */
	[SQL_EDGE_OUTPUT] = "SELECT " STANDS_FOR ", commit_id FROM version AS meant WHERE id = ?",
	[SQL_EDGE_INPUT] = "SELECT " STANDS_FOR ", cut_commit FROM version AS meant WHERE id = ?",
	[SQL_EDGE_INPUT_NEXT] = "SELECT id, cut_commit FROM version INDEXED BY version_node"
				" WHERE id > ?1 AND node = ?2 ORDER BY cut_commit, id LIMIT 1",
	[SQL_EDGE_ADD] =
		"INSERT INTO edge(output, input, class, run, commit_id) VALUES(?, ?, ?, ?, ?)"
		" ON CONFLICT(output, input) DO UPDATE SET class = excluded.class, run = excluded.run,"
		" commit_id = excluded.commit_id WHERE excluded.class > edge.class",
	[SQL_EDGE_LEADS_FROM] = "SELECT 1 FROM edge WHERE input = ? LIMIT 1",
	[SQL_EDGES_TOO_NEW] =
		"DELETE FROM edge WHERE output = ?1 AND (input = ?2 OR (SELECT cut_commit FROM version WHERE id ="
		" edge.input) >= (SELECT commit_id FROM version WHERE id = ?2))",
	[SQL_EDGES_MOVE_OUTPUT] = "UPDATE OR IGNORE edge SET output = ?1 WHERE output = ?2",
	[SQL_EDGES_MOVE_INPUT] = "UPDATE OR IGNORE edge SET input = ?1 WHERE input = ?2 AND output <> ?1",
	[SQL_EDGES_DROP_OUTPUT] = "DELETE FROM edge WHERE output = ?",
	[SQL_EDGES_DROP_INPUT] = "DELETE FROM edge WHERE input = ?",
	[SQL_EDGES_COPY_UP] = "UPDATE edge SET class = 5 WHERE output = ? AND " EDGE_COPIES,
	[SQL_EDGES_COPY_DOWN] = "UPDATE edge SET class = 5 WHERE input = ? AND " EDGE_COPIES,
	[SQL_EDGES_COPY_ONLY] = "DELETE FROM edge WHERE output = ?1 AND class < 5 AND EXISTS"
				" (SELECT 1 FROM edge AS copy WHERE copy.output = ?1 AND copy.class = 5)",
	[SQL_EDGES_COPY_ONLY_DOWN] = "DELETE FROM edge WHERE class < 5 AND output IN"
				     " (SELECT output FROM edge WHERE input = ? AND class = 5)",
	[SQL_OPENS_ADD] =
		"INSERT INTO opens(asset, day, count) VALUES(?, ?, ?)"
		" ON CONFLICT(asset, day) DO UPDATE SET count = count + excluded.count",
	[SQL_OPENS_TOTAL] = "UPDATE asset SET opens = opens + ?2 WHERE id = ?1",
	[SQL_LAKE_SET] =
		"INSERT INTO lake(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
	[SQL_LAKE_UNSET] = "DELETE FROM lake WHERE key = ?",
	[SQL_SYNCED_ADD] =
		"INSERT INTO synced(node, size, mtime, commit_id) VALUES(?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET commit_id = excluded.commit_id",
	[SQL_SYNCED_FORGET] = "DELETE FROM synced WHERE commit_id <= ?",
	[SQL_DURABLE_SET] = "UPDATE lake SET value = ? WHERE key = 'durable'",
	[SQL_SYNC_MARK] = "UPDATE lake SET value = value + 1 WHERE key = 'store.syncs'",

	[SQL_DESCRIPTION] =
		"SELECT description.kind, description.format, ifnull(description.rows, -1), schema.columns,"
		" schema.names, description.unreadable, tarn_text(description.facts), tarn_text(document.sample),"
		" description.schema FROM description LEFT JOIN schema ON schema.id = description.schema"
		" LEFT JOIN version ON version.id = description.version"
		" LEFT JOIN document ON document.node = version.node AND document.version = version.id"
		
		" WHERE description.version = ?",
	[SQL_QUALITY] = "SELECT declaration, time, failed, found FROM quality WHERE version = ?",
	[SQL_DECLARED] = "SELECT DISTINCT node FROM tag INDEXED BY tag_declared WHERE origin = 2 ORDER BY node",
	[SQL_TAGS_OF] =
		"SELECT DISTINCT tag, 1 FROM tag WHERE node = ?1 AND (?2 = 0 OR origin = ?2) ORDER BY tag",
	[SQL_TAGS] = "SELECT tag, count(DISTINCT node) FROM tag GROUP BY tag ORDER BY tag",
	[SQL_TAGGED] = "SELECT DISTINCT node FROM tag WHERE tag = ? AND node > ? ORDER BY node",
	[SQL_TAG_HAS] = "SELECT 1 FROM tag WHERE tag = ? AND node = ? LIMIT 1",
	[SQL_MIME_HAS] =
		"SELECT 1 FROM version INDEXED BY version_mime WHERE mime = ? AND node = ? AND state = 1"
		" AND mime IS NOT NULL LIMIT 1",

	[SQL_FOUND_BEST] = "SELECT rowid, rank FROM found WHERE found MATCH ? AND rank MATCH 'tarn_rank()'"
		" ORDER BY rank",
	[SQL_FOUND_NEWEST] = "SELECT rowid, 0 FROM found WHERE found MATCH ? ORDER BY rowid DESC",
	[SQL_FOUND_SNIPPET] =
		"SELECT snippet(found, -1, char(2), char(3), char(8230), 16) FROM found WHERE found MATCH ?"
		" AND rowid = ?",
	[SQL_DOCUMENTS] = "SELECT node, 0 FROM document WHERE day BETWEEN ? AND ? ORDER BY day DESC, node DESC",
	[SQL_DOCUMENTS_BY_SIZE] = "SELECT node, 0 FROM document WHERE size BETWEEN ? AND ? ORDER BY size DESC",
	[SQL_NODE_PLACE] =
		"SELECT entry.parent, entry.name, " NODE " FROM node CROSS JOIN entry INDEXED BY entry_node"
		" ON entry.node = node.id AND " LIVE " WHERE node.id = ? ORDER BY entry.from_commit LIMIT 1",
	[SQL_OF_MIME] = "SELECT node FROM version WHERE mime = ? AND state = 1 AND mime IS NOT NULL ORDER BY node",
	[SQL_OF_DAY] = "SELECT node FROM document WHERE day = ?",
	[SQL_TABLES] = "SELECT node FROM document WHERE schema > 0 ORDER BY schema, node",
	/* from each to the next, one probe each */
	[SQL_MIMES] =
		"WITH RECURSIVE each(mime) AS (SELECT min(mime) FROM version WHERE state = 1 AND mime IS NOT NULL"
		" UNION ALL SELECT (SELECT min(version.mime) FROM version WHERE state = 1 AND version.mime IS NOT NULL"
		" AND version.mime > each.mime) FROM each WHERE each.mime IS NOT NULL)"
		" SELECT mime FROM each WHERE mime IS NOT NULL",
	[SQL_FIRST_DAY] = "SELECT day FROM document WHERE day >= ? ORDER BY day LIMIT 1",
	[SQL_POPULAR] = "SELECT node, opens FROM asset WHERE opens > 0 AND node > 0 ORDER BY opens DESC LIMIT 1000",
	[SQL_COUNT_MIMES] =
		"SELECT mime, count(*) FROM version WHERE state = 1 AND mime IS NOT NULL GROUP BY mime ORDER BY mime",
	[SQL_CATALOG_TOTALS] =
		"SELECT ifnull(sum(each.n), 0), ifnull(sum(each.n * json_array_length(schema.columns)), 0),"
		" (WITH RECURSIVE one(tag) AS (SELECT min(tag) FROM tag UNION ALL SELECT (SELECT min(tag.tag) FROM tag"
		" WHERE tag.tag > one.tag) FROM one WHERE one.tag IS NOT NULL) SELECT count(tag) FROM one)"
		" FROM (SELECT schema, count(*) AS n FROM document"
		" WHERE schema > 0 GROUP BY schema) AS each CROSS JOIN schema ON schema.id = each.schema",
	[SQL_FOUND_REMOVE] =
		"INSERT INTO found(found, rowid, " FOUND ") SELECT 'delete', node, " FOUND " FROM found_in"
		" WHERE node = ?",
	[SQL_FOUND_ADD] = "INSERT INTO found(rowid, " FOUND ") SELECT node, " FOUND
			  " FROM (SELECT value AS listed FROM json_each(?)) CROSS JOIN found_in ON node = listed",
	[SQL_FOUND_MERGE_ALL] = "INSERT INTO found(found) VALUES('optimize')",
	[SQL_DOCUMENT_VERSION] = "SELECT version, schema FROM document WHERE node = ?",
	[SQL_DOCUMENT_SET_NAME] = "UPDATE document SET name = ?2 WHERE node = ?1",
	[SQL_DOCUMENT_SET] =
		"INSERT OR REPLACE INTO document(node, version, kind, schema, day, size, name, text, sample)"
		" SELECT node.id, version.id, ?2, ?3, version.mtime / 86400000000000, version.size,"
		" CAST(entry.name AS TEXT), ?4, ?5"
		" FROM version CROSS JOIN node ON node.id = version.node"
		" CROSS JOIN entry INDEXED BY entry_node ON entry.node = node.id AND " LIVE
		" WHERE version.id = ?1 AND node.version = ?1 LIMIT 1",
	[SQL_DOCUMENT_REMOVE] = "DELETE FROM document WHERE node = ?",
	[SQL_TAGS_REMOVE] = "DELETE FROM tag WHERE node = ? AND origin = ?",
	[SQL_TAGS_REMOVE_ALL] = "DELETE FROM tag WHERE node = ?",
	[SQL_TAGS_SAME] =
		"SELECT (SELECT count(*) FROM tag WHERE node = ?1 AND origin = ?3) ="
		" (SELECT count(DISTINCT value) FROM json_each(?2) WHERE type = 'text')"
		" AND NOT EXISTS(SELECT 1 FROM json_each(?2) WHERE type = 'text' AND NOT EXISTS"
		"(SELECT 1 FROM tag WHERE tag.tag = value AND node = ?1 AND origin = ?3))",
	[SQL_TAGS_ADD] = "INSERT INTO tag SELECT DISTINCT value, ?1, ?3 FROM json_each(?2) WHERE type = 'text'",
	[SQL_TAGS_ADD_XATTRS] =
		"INSERT INTO tag SELECT DISTINCT value, ?1, 1 FROM node, json_each(tarn_tags(node.xattrs))"
		" WHERE node.id = ?1 AND node.xattrs IS NOT NULL",
	[SQL_SCHEMA_FIND] = "SELECT id FROM schema WHERE hash = ? AND columns = ?",
	[SQL_SCHEMA_ADD] = "INSERT INTO schema(hash, columns, names) VALUES(?, ?, ?)",
	[SQL_SCHEMA_REMOVE_UNUSED] =
		"DELETE FROM schema WHERE id = ?1 AND NOT EXISTS(SELECT 1 FROM description WHERE schema = ?1 AND "
		"schema > 0)",
	[SQL_DESCRIPTION_SET] =
		"INSERT OR REPLACE INTO description(version, kind, format, schema, rows, unreadable, facts)"
		" VALUES(?, ?, ?, ?, ?, ?, ?)",
	[SQL_DESCRIPTION_PLACE] =
		"SELECT schema, (SELECT document.node FROM version CROSS JOIN document ON document.node = version.node"
		" WHERE version.id = ?1 AND document.version = ?1) FROM description WHERE version = ?1",
	[SQL_DESCRIPTION_EXPIRE] = "UPDATE description SET facts = NULL WHERE version = ? AND facts IS NOT NULL",
	[SQL_DESCRIPTION_REMOVE] = "DELETE FROM description WHERE version = ?",
	[SQL_QUALITY_SET] =
		"INSERT OR REPLACE INTO quality(version, declaration, time, failed, found) VALUES(?, ?, ?, ?, ?)",
	[SQL_QUALITY_REMOVE] = "DELETE FROM quality WHERE version = ?",
};
