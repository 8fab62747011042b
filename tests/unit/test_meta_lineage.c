/*
 * What was made from what: edges, and what becomes of them when their versions do.
 */
#include <string.h>

#include "test_meta.h"

static struct store *s;

static int add_edge(void *arg, const struct edge_row *e)
{
	buf_addf(arg, "%llu<-%llu %s %llu, ", (unsigned long long)e->output, (unsigned long long)e->input,
		 edge_class_name(e->class), (unsigned long long)e->run);
	return 0;
}

static void is_up(uint64_t version, const char *expected, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	store_edges_up(s, version, add_edge, &b);
	is_str(buf_str(&b), expected, what);
}

static void is_down(uint64_t version, const char *expected, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	store_edges_down(s, version, add_edge, &b);
	is_str(buf_str(&b), expected, what);
}

static void edge(uint64_t output, uint64_t input, enum edge_class class, uint64_t run)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_edge(r, &(struct edge_row){.output = output, .input = input, .class = class, .run = run});
	test_submit(s, r);
}

static void hash(uint64_t version, int byte)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint8_t sha256[SHA256_BYTES];

	memset(sha256, byte, sizeof(sha256));
	record_version_facts(r, version, sha256, NULL);
	test_submit(s, r);
}

static uint64_t made(const char *name)
{
	return test_cut(s, test_make(s, NODE_ROOT, name, KIND_FILE), VERSION_LIVE, HOW_NONE, 10);
}

static void test_edges(void)
{
	uint64_t a = made("a"), b = made("b"), c = made("c"), edges;
	char text[128];

	edge(c, a, EDGE_PIPE, 7);
	edge(c, b, EDGE_EXACT, 8);
	snprintf(text, sizeof(text), "%d<-%d pipe 7, %d<-%d exact 8, ", (int)c, (int)a, (int)c, (int)b);
	is_up(c, text, "what it was made from");
	snprintf(text, sizeof(text), "%d<-%d pipe 7, ", (int)c, (int)a);
	is_down(a, text, "and what was made from that");
	edge(c, a, EDGE_SESSION, 9);
	is_down(a, text, "what is less sure changes nothing");
	edge(c, a, EDGE_DECLARED, 9);
	snprintf(text, sizeof(text), "%d<-%d declared 9, ", (int)c, (int)a);
	is_down(a, text, "what is surer holds");
	edge(a, c, EDGE_EXACT, 9);
	edge(a, a, EDGE_EXACT, 9);
	edge(c, 999, EDGE_EXACT, 9);
	is_up(a, "", "nothing is made from what is newer, itself, or nothing");
	store_count_edges(s, &edges);
	is_int((int)edges, 2, "two edges in all");
}

static void test_copies(void)
{
	uint64_t a = made("ca"), b = made("cb"), c = made("cc"), d = made("cd");
	char text[128];

	edge(c, a, EDGE_EXACT, 7);
	edge(c, b, EDGE_EXACT, 7);
	edge(d, a, EDGE_PIPE, 7);
	edge(d, b, EDGE_EXACT, 7);
	hash(c, 1);
	hash(a, 1);
	hash(b, 2);
	hash(d, 1);
	snprintf(text, sizeof(text), "%d<-%d copy 7, ", (int)c, (int)a);
	is_up(c, text, "what has the same bytes was copied, whatever else was read");
	snprintf(text, sizeof(text), "%d<-%d copy 7, ", (int)d, (int)a);
	is_up(d, text, "whichever hash is known first");
}

static void test_same(void)
{
	uint64_t a = made("sa"), x = test_make(s, NODE_ROOT, "sx", KIND_FILE);
	uint64_t before = test_cut(s, x, VERSION_LIVE, HOW_NONE, 10), later = made("sl"), after, y;
	struct record *r;
	char text[128];

	edge(before, a, EDGE_EXACT, 7);
	test_state(s, before, VERSION_KEPT, HOW_ASIDE, NULL);
	y = made("sy");
	edge(y, before, EDGE_EXACT, 8);
	after = test_cut(s, x, VERSION_LIVE, HOW_NONE, 10);
	edge(after, later, EDGE_EXACT, 9);
	edge(after, y, EDGE_EXACT, 9);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_facts(r, before, (const uint8_t[SHA256_BYTES]){5}, NULL);
	record_version_facts(r, after, (const uint8_t[SHA256_BYTES]){5}, NULL);
	test_submit(s, r);
	snprintf(text, sizeof(text), "%d<-%d exact 7, ", (int)after, (int)a);
	is_up(after, text, "the same content again: made as it was at first, and not from what is newer");
	snprintf(text, sizeof(text), "%d<-%d exact 8, ", (int)y, (int)after);
	is_up(y, text, "what was made from it was made from the one that stands for it");
	edge(made("sz"), before, EDGE_EXACT, 8);
	snprintf(text, sizeof(text), "%d<-%d exact 8, %d<-%d exact 8, ", (int)y, (int)after, (int)y + 2, (int)after);
	is_down(after, text, "also where that is told later");
}

static void test_drop(void)
{
	uint64_t x = test_make(s, NODE_ROOT, "px", KIND_FILE), a = made("pa");
	uint64_t read = test_cut(s, x, VERSION_PARTIAL, HOW_NONE, 4),
		 unread = test_cut(s, x, VERSION_PARTIAL, HOW_NONE, 5);
	uint64_t out = made("po"), next, late;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	char text[128];

	edge(read, a, EDGE_EXACT, 7);
	edge(unread, a, EDGE_EXACT, 7);
	edge(out, read, EDGE_EXACT, 8);
	record_version_drop(r, read);
	record_version_drop(r, unread);
	test_submit(s, r);
	next = test_cut(s, x, VERSION_LIVE, HOW_NONE, 9);
	late = made("pl");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_edge(r, &(struct edge_row){.output = late, .input = unread, .input_node = x, .class = EDGE_EXACT});
	test_submit(s, r);
	snprintf(text, sizeof(text), "%d<-%d exact 0, ", (int)late, (int)next);
	is_up(late, text, "who says so too late read the next one");
	is_int(test_version(s, read).state, VERSION_TRANSIENT, "what something was made from stays");
	is_int((int)test_version(s, unread).id, 0, "what nothing was made from goes");
	snprintf(text, sizeof(text), "%d<-%d exact 7, ", (int)read, (int)a);
	is_down(a, text, "and its edges");
	test_whole(s, "the store is whole");
}

static int add_run(void *arg, const struct run_row *r)
{
	buf_addf(arg, "%d %s %s %s %d %d %d", (int)r->tgid, r->exe, r->argv ? r->argv : "-", r->name ? r->name : "-",
		 (int)r->parent, (int)r->began, r->wrote > 0);
	return 0;
}

static void is_run(uint64_t id, const char *expected, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	store_run_row(s, id, add_run, &b);
	is_str(buf_str(&b), expected, what);
}

static void test_runs(void)
{
	struct run_row row = {.boot = "b", .tgid = 44, .start = 5, .uid = 1000, .parent = 3, .began = 6};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool known;
	uint64_t v;

	row.id = store_run(s, row.boot, row.tgid, row.start, true, &known);
	row.exe = "/bin/bash";
	row.argv = "[\"bash\",\"x\"]";
	row.cwd = row.cgroup = "/";
	record_run(r, &row);
	test_submit(s, r);
	is_run(row.id, "44 /bin/bash [\"bash\",\"x\"] - 3 6 0", "a run");
	row.exe = "/bin/sort";
	row.argv = "[\"sort\"]";
	row.name = "nightly";
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_run(r, &row);
	record_run_wrote(r, row.id);
	test_submit(s, r);
	is_run(row.id, "44 /bin/sort [\"sort\"] nightly 3 6 1", "is another program later, and wrote");
	v = made("ra");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_forget(r, v);
	test_submit(s, r);
	is_run(row.id, "44 /bin/sort [\"sort\"] nightly 3 6 1", "a purge of what another run wrote leaves it");
	is_int(store_run_row(s, 12345, add_run, &b), -ENOENT, "one that is not there");
	store_runs(s, row.id - 1, add_run, &b);
	is_str(buf_str(&b), "44 /bin/sort [\"sort\"] nightly 3 6 1", "all of them");
}

int main(void)
{
	test_begin();
	s = test_open(STORE_CREATE);
	test_edges();
	test_copies();
	test_same();
	test_drop();
	test_runs();
	test_whole(s, "the store is whole at the end");
	store_close(s);
	return test_end();
}
