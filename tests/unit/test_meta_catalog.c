/*
 * What files are: descriptions, tags, and finding files by them, through all that may become of a file.
 */
#include <sys/stat.h>

#include "base/clock.h"
#include "meta/changes.h"
#include "test_meta.h"

#define SECRET "quagga-in-the-text"

static struct buf seen;

static int see_node(void *arg, uint64_t node, double rank)
{
	(void)arg;
	(void)rank;
	buf_addf(&seen, "%d ", (int)node);
	return 0;
}

/* The nodes that MATCH finds, as text. */
static const char *find(struct store *s, const char *match)
{
	int rc;

	buf_clear(&seen);
	rc = store_found(s, match, clock_monotonic() + 10 * NSEC_PER_SEC, see_node, NULL);
	if (rc)
		buf_addf(&seen, "error %d", rc);
	return buf_str(&seen);
}

static int see_tag(void *arg, const char *tag, uint64_t count)
{
	(void)arg;
	buf_addf(&seen, "%s:%d ", tag, (int)count);
	return 0;
}

static const char *tags_of(struct store *s, uint64_t node)
{
	buf_clear(&seen);
	store_tags_of(s, node, 0, see_tag, NULL);
	return buf_str(&seen);
}

static int see_description(void *arg, const struct description_row *d)
{
	(void)arg;
	buf_addf(&seen, "%d %s %d %s %s %s %s %s", d->kind, d->format, (int)d->rows, d->columns ? d->columns : "-",
		 d->names ? d->names : "-", d->unreadable ? d->unreadable : "-", d->facts ? d->facts : "-",
		 d->sample ? d->sample : "-");
	return 7;
}

static const char *described(struct store *s, uint64_t version)
{
	int rc;

	buf_clear(&seen);
	rc = store_description(s, version, see_description, NULL);
	if (rc != 7)
		buf_addf(&seen, "error %d", rc);
	return buf_str(&seen);
}

static void describe(struct store *s, uint64_t version, const char *names, const char *text)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	char columns[128];
	struct description_row d = {.version = version,
				    .kind = 2,
				    .format = "csv",
				    .rows = 3,
				    .names = names,
				    .facts = "{\"kind\": \"table\"}",
				    .text = text,
				    .sample = "a,b"};

	snprintf(columns, sizeof(columns), "[\"%s\"]", names);
	d.columns = columns;
	record_description(r, &d);
	test_submit(s, r);
}

static void set_xattrs(struct store *s, uint64_t node, const char *tags, const char *comment)
{
	struct record *r = record_new(OP_XATTR, RUN_TARN, 0, node, 0, NULL);
	_cleanup_buf_ struct buf blob = BUF_INIT;
	const char *const pairs[][2] = {{XATTR_COMMENT, comment}, {XATTR_TAGS, tags}};

	for (int i = 0; i < 2; i++) {
		uint32_t len = (uint32_t)strlen(pairs[i][1]);

		buf_add(&blob, pairs[i][0], strlen(pairs[i][0]) + 1);
		buf_add(&blob, &len, sizeof(len));
		buf_add(&blob, pairs[i][1], len);
	}
	record_node_xattrs(r, node, blob.data, blob.len);
	test_submit(s, r);
}

static const char *node_list(uint64_t a, uint64_t b)
{
	static char text[48];

	snprintf(text, sizeof(text), b ? "%d %d " : "%d ", (int)a, (int)b);
	return text;
}

static uint64_t one, two, version, version2;

static void test_describe(struct store *s)
{
	one = test_make(s, NODE_ROOT, "customers-2026.csv", KIND_FILE);
	version = test_cut(s, one, VERSION_LIVE, HOW_NONE, 10);
	is_str(described(s, version), "error -2", "what was not looked at has no description");
	is_str(find(s, "customers"), "", "and is not found");
	describe(s, version, "email\nphone", "Zebras live in Étosha");
	is_str(described(s, version), "2 csv 3 [\"email\nphone\"] email\nphone - {\"kind\": \"table\"} a,b",
	       "a description, as it was given");
	is_str(find(s, "customers"), node_list(one, 0), "its file is found by its name");
	is_str(find(s, "{columns}: email"), node_list(one, 0), "by a column");
	is_str(find(s, "etosha"), node_list(one, 0), "by its text, whatever the accents");
	is_str(find(s, "{type}: csv"), node_list(one, 0), "by its type");
	is_str(find(s, "{name}: email"), "", "not by what it is not called");
	is_int(store_found(s, "\"", INT64_MAX, see_node, NULL), -EINVAL, "what is no query is told");
	buf_clear(&seen);
	store_snippet(s, "etosha", one, &seen);
	is_str(buf_str(&seen), "Zebras live in \002Étosha\003", "with the words around it");
	buf_clear(&seen);
	is_int(store_documents(s, 0, 0, INT64_MAX, see_node, NULL), 0, "it is found by its day");
	is_str(buf_str(&seen), node_list(one, 0), "which is 1970's first");
	test_whole(s, "the store is whole");
}

static void test_tags(struct store *s)
{
	struct record *r;
	uint64_t folder = test_make(s, NODE_ROOT, "folder", KIND_FOLDER);
	const char *const both[] = {"pii", "a b"};

	set_xattrs(s, one, " pii, a b ,,pii,\001,\xff", "the buyers");
	is_str(tags_of(s, one), "a b:1 pii:1 ", "tags of an attribute, blanks, repetitions and what is no text aside");
	is_str(find(s, "{tags}: pii"), node_list(one, 0), "a file is found by a tag");
	is_str(find(s, "buyers"), node_list(one, 0), "by its comment");
	set_xattrs(s, folder, "pii", "");
	buf_clear(&seen);
	store_tags(s, see_tag, NULL);
	is_str(buf_str(&seen), "a b:1 pii:2 ", "all tags");
	buf_clear(&seen);
	is_int(store_tagged(s, both, 2, 0, (store_tagged_fn)(void *)see_node, NULL), 0, "who has two tags");
	is_str(buf_str(&seen), node_list(one, 0), "is who has both");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_tags(r, one, TAG_SUGGESTED, "[\"email\", \"pii\"]");
	record_tags(r, one, TAG_DECLARED, "no list");
	test_submit(s, r);
	is_str(tags_of(s, one), "a b:1 email:1 pii:1 ", "suggested ones are beside them, each once");
	set_xattrs(s, one, "other", "");
	is_str(tags_of(s, one), "email:1 other:1 pii:1 ", "the attribute's go with it, others stay");
	is_str(find(s, "buyers"), "", "and the comment is not found any more");
	test_whole(s, "the store is whole");
}

static void test_life(struct store *s)
{
	test_rename(s, NODE_ROOT, "customers-2026.csv", "kunden.csv", one);
	is_str(find(s, "customers"), "", "a renamed file is not found by its old name");
	is_str(find(s, "kunden"), node_list(one, 0), "but by the new one");
	is_str(tags_of(s, one), "email:1 other:1 pii:1 ", "and has its tags");
	version2 = test_cut(s, one, VERSION_LIVE, HOW_NONE, 11);
	describe(s, version, "late", "late");
	is_str(find(s, "late"), "", "what is said of an old version does not concern the file");
	describe(s, version2, "email\nphone", SECRET);
	is_str(find(s, "etosha"), "", "a new version's text takes the old one's place");
	is_str(find(s, "quagga"), node_list(one, 0), "and is found");
	two = test_make(s, NODE_ROOT, "two.csv", KIND_FILE);
	describe(s, test_cut(s, two, VERSION_LIVE, HOW_NONE, 3), "email\nphone", NULL);
	is_str(find(s, "{columns}: email"), node_list(one, two), "two have it");
	describe(s, version2 + 1, "kunden", NULL);
	is_str(find(s, "kunden"), node_list(one, two), "a name counts more than a column");
	describe(s, version2 + 1, "email\nphone", NULL);
	test_unlink(s, NODE_ROOT, "two.csv", two);
	is_str(find(s, "{columns}: email"), node_list(one, 0), "what was deleted is not found");
	is_str(described(s, version2 + 1), "2 csv 3 [\"email\nphone\"] email\nphone - {\"kind\": \"table\"} -",
	       "what its version was is known");
	test_whole(s, "the store is whole");
}

static int occurrences(const char *secret)
{
	static const char *const suffixes[] = {"", "-wal"};
	int n = 0;

	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *bytes = NULL;
		char name[128];
		size_t len = 0;
		FILE *f;

		snprintf(name, sizeof(name), "%s%s", test_path, suffixes[i]);
		f = fopen(name, "re");
		if (!f)
			continue;
		bytes = malloc(64 << 20);
		len = bytes ? fread(bytes, 1, 64 << 20, f) : 0;
		fclose(f);
		for (char *at = bytes, *end = at + len; at; n++) {
			at = memmem(at, (size_t)(end - at), secret, strlen(secret));
			if (!at)
				break;
			at++;
		}
	}
	return n;
}

static void test_purge(struct store *s)
{
	struct record *r;
	uint64_t last;

	store_sync(s, 0);
	ok(occurrences(SECRET) > 0 && occurrences("quagga") > 0, "the text is in the store");
	test_cut(s, one, VERSION_LIVE, HOW_NONE, 12);
	test_state(s, version2, VERSION_PURGED, HOW_NONE, NULL);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_forget(r, version2);
	test_submit(s, r);
	is_str(described(s, version2), "error -2", "what was purged is not described");
	is_str(find(s, "quagga"), "", "nor found");
	is_str(find(s, "kunden"), "", "nor is its file, until its new version is described");
	is_int(store_scrub(s, 5000), 0, "after that the store is scrubbed");
	is_int(occurrences("quagga"), 0, "and its words are nowhere in it");
	last = test_cut(s, one, VERSION_LIVE, HOW_NONE, 13);
	describe(s, last, "a", "b");
	test_state(s, last, VERSION_EXPIRED, HOW_NONE, NULL);
	is_str(described(s, last), "2 csv 3 [\"a\"] a - - a,b", "of what expired the columns are known");
	test_whole(s, "the store is whole");
}

static void test_copy(struct store *s)
{
	char copy[128];
	struct store *c;
	const char *why;
	uint64_t commit, node = test_make(s, NODE_ROOT, "copied.csv", KIND_FILE);

	snprintf(copy, sizeof(copy), "%s-copy", test_path);
	describe(s, test_cut(s, node, VERSION_LIVE, HOW_NONE, 3), "iban", "aardvark");
	is_int(store_snapshot(s, copy, false, NULL, NULL, &commit), 0, "a copy that may leave the machine");
	is_int(store_open(copy, STORE_WRITE, &c, &why), 0, "opens");
	is_str(find(c, "copied"), node_list(node, 0), "its files are found by their names");
	is_str(find(c, "iban"), node_list(node, 0), "and columns");
	is_str(find(c, "aardvark"), "", "their text did not come along");
	test_rename(c, NODE_ROOT, "copied.csv", "moved.csv", node);
	is_str(find(c, "moved"), node_list(node, 0), "and life goes on");
	test_whole(c, "the copy is whole");
	store_close(c);
	test_remove("-copy");
	test_remove("-copy-lock");
	test_remove("-copy-reserve");
}

#define MANY 2100 /* more than are indexed at once */

/* Within one record, and so one group. */
static void test_group(struct store *s)
{
	static uint64_t nodes[MANY], versions[MANY];
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct description_row d = {.kind = 1, .format = "text", .rows = -1, .facts = "{}"};

	for (int i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "grouped-%d", i);
		nodes[i] = test_make(s, NODE_ROOT, name, KIND_FILE);
		versions[i] = test_cut(s, nodes[i], VERSION_LIVE, HOW_NONE, 3);
	}
	for (int i = MANY - 1; i >= 0; i--) {
		d.version = versions[i];
		d.text = "walrus";
		record_tags(r, nodes[i], TAG_SUGGESTED, i == 7 || i == 2000 ? "[\"sea\"]" : "[]");
		record_description(r, &d);
		d.text = i == 7 ? "narwhal" : "heron";
		record_description(r, &d);
		record_tags(r, nodes[i], TAG_SUGGESTED, i == 7 ? "[\"sea\"]" : "[]");
	}
	record_entry_end(r, NODE_ROOT, "grouped-9", ENDED_UNLINK);
	record_node_end(r, nodes[9]);
	test_submit(s, r);
	is_str(find(s, "walrus"), "", "what was said twice in a group is found by what was said last");
	is_str(find(s, "narwhal"), node_list(nodes[7], 0), "as is its file");
	is_str(find(s, "{tags}: sea"), node_list(nodes[7], 0), "tags are those of the end");
	is_str(find(s, "{name}: \"grouped 9\""), "", "what ended in it is not found");
	find(s, "heron");
	is_int(seen.len > (size_t)(MANY - 2) * 2, 1, "all others are");
	test_whole(s, "the store is whole");
}

static int see_quality(void *arg, const struct quality_row *q)
{
	(void)arg;
	buf_addf(&seen, "%d %d %s", (int)q->declaration, (int)q->failed, q->found);
	return 0;
}

static const char *quality_of(struct store *s, uint64_t version)
{
	buf_clear(&seen);
	if (store_quality(s, version, see_quality, NULL))
		buf_adds(&seen, "none");
	return buf_str(&seen);
}

static void set_quality(struct store *s, uint64_t version, int64_t declaration, const char *found)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct quality_row q = {version, declaration, 5, 1, found};

	record_quality(r, &q);
	test_submit(s, r);
}

/* It holds rows of the table, and goes with what else is known of a version. */
static void test_quality(struct store *s)
{
	uint64_t node = test_make(s, NODE_ROOT, "checked.csv", KIND_FILE);
	uint64_t version = test_cut(s, node, VERSION_LIVE, HOW_NONE, 3), commit;
	const char *why;
	struct store *c;
	char copy[512];

	snprintf(copy, sizeof(copy), "%s-copy", test_path);
	describe(s, version, "a", NULL);
	is_str(quality_of(s, version), "none", "of a version nothing is known");
	set_quality(s, version, -7, "[]");
	set_quality(s, version, 8, "[1]");
	is_str(quality_of(s, version), "8 1 [1]", "the last word counts");
	set_quality(s, 999999, 1, "[]");
	is_str(quality_of(s, 999999), "none", "of none that there is not");
	is_int(store_snapshot(s, copy, false, NULL, NULL, &commit), 0, "a copy that may leave the machine");
	is_int(store_open(copy, STORE_READ, &c, &why), 0, "opens");
	is_str(quality_of(c, version), "none", "without rows of tables");
	store_close(c);
	test_remove("-copy");
	test_remove("-copy-lock");
	test_remove("-copy-reserve");
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_describe(s);
	test_tags(s);
	test_life(s);
	test_purge(s);
	test_copy(s);
	test_group(s);
	test_quality(s);
	store_close(s);
	buf_release(&seen);
	return test_end();
}
