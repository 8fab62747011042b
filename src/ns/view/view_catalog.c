/* .catalog: what is in the lake, as files. Here are its root and what all of it is made of; see view_catalog.h. */
#include "ns/view/view_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum part { PART_FOLDER, PART_FILE, PART_LINK };

static const struct branch {
	const char *name;
	catalog_look_up_fn look_up;
	catalog_list_fn list;
} branches[] = {
	{"by-date", catalog_date_look_up, catalog_date_list},
	{"by-name", catalog_name_look_up, catalog_name_list},
	{"by-type", catalog_type_look_up, catalog_type_list},
	{"export", catalog_export_look_up, catalog_export_list},
	{"search", catalog_search_look_up, catalog_search_list},
	{"table", catalog_table_look_up, catalog_table_list},
	{"tag", catalog_tag_look_up, catalog_tag_list},
};
#define BRANCHES (sizeof(branches) / sizeof(branches[0]))

/* ---- drafts ---- */

static int set_text(struct view_node *draft, const char *path)
{
	draft->text = strdup(path);
	return draft->text ? 0 : -ENOMEM;
}

static void set_fixed_stat(struct lake *lake, struct view_node *draft, mode_t mode)
{
	draft->st = (struct stat){.st_mode = mode, .st_nlink = S_ISDIR(mode) ? 2 : 1, .st_blksize = 4096};
	draft->st.st_mtim.tv_sec = draft->st.st_ctim.tv_sec = draft->st.st_atim.tv_sec = lake->since / NSEC_PER_SEC;
}

int catalog_folder(struct catalog *c, const char *path, struct view_node *draft)
{
	draft->part = PART_FOLDER;
	draft->kind = KIND_FOLDER;
	set_fixed_stat(c->lake, draft, S_IFDIR | 0555);
	return set_text(draft, path);
}

int catalog_file(struct catalog *c, const char *path, const struct buf *text, struct view_node *draft)
{
	int rc = view_render(c->lake, text, 0400, c->actor->caller.uid, c->actor->caller.gid, draft);

	draft->part = PART_FILE;
	draft->node = c->actor->caller.uid;
	draft->commit = c->actor->caller.gid;
	return rc ? rc : set_text(draft, path);
}

/* UP: how deep the link lies below the mount. */
static void add_target(struct buf *target, uint64_t up, const char *real)
{
	for (; up; up--)
		buf_adds(target, "../");
	buf_adds(target, real);
}

static uint64_t depth(const char *path)
{
	uint64_t n = 0;

	for (; path; path = strchr(path + 1, '/'))
		n++;
	return n;
}

/* TEXT: what the node is told from others by; the real path is its end, from REAL on. */
static int make_link(struct catalog *c, const char *text, size_t real, uint64_t up, struct view_node *draft)
{
	_cleanup_buf_ struct buf target = BUF_INIT;

	add_target(&target, up, text + real);
	draft->part = PART_LINK;
	draft->kind = KIND_SYMLINK;
	draft->tree = real;
	draft->commit = up;
	set_fixed_stat(c->lake, draft, S_IFLNK | 0777);
	draft->st.st_size = (off_t)target.len;
	return buf_error(&target) ? -ENOMEM : set_text(draft, text);
}

int catalog_link(struct catalog *c, const char *path, size_t real, struct view_node *draft)
{
	return make_link(c, path, real, depth(path), draft);
}

int catalog_link_to(struct catalog *c, const char *path, const char *real, struct view_node *draft)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_addf(&text, "%s/%s", path, real);
	return buf_error(&text) ? -ENOMEM : make_link(c, buf_str(&text), strlen(path) + 1, depth(path), draft);
}

static int read_link(struct lake *lake, const struct view_node *n, struct buf *target)
{
	(void)lake;
	add_target(target, n->commit, n->text + n->tree);
	return buf_error(target);
}

char *catalog_next(char **path)
{
	char *first = *path, *slash = strchr(first, '/');

	if (!*first)
		return NULL;
	*path = slash ? slash + 1 : first + strlen(first);
	if (slash)
		*slash = '\0';
	return first;
}

void name_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (!strncasecmp(s, "%2F", 3) || !strncmp(s, "%25", 3)) {
			*to++ = s[2] == '5' ? '%' : '/';
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* ---- look-ups ---- */

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	struct catalog c = {.lake = lake};

	if (folder->id != NODE_ROOT || strcmp(name, ".catalog"))
		return -ENOENT;
	return catalog_folder(&c, "", draft);
}

static const struct branch *find_branch(const char *name)
{
	for (size_t i = 0; name && i < BRANCHES; i++)
		if (!strcmp(branches[i].name, name))
			return &branches[i];
	return NULL;
}

/* PATH, which is NAME when that lies in .catalog itself. */
static int look_up_path(struct catalog *c, const char *path, const char *name, bool in_root, struct view_node *draft)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_buf_ struct buf text = BUF_INIT;
	const struct branch *b;
	char *rest = copy;
	int rc;

	if (!copy)
		return -ENOMEM;
	b = find_branch(catalog_next(&rest));
	if (b && *rest)
		return b->look_up(c, path, rest, draft);
	if (b || !in_root)
		return b ? catalog_folder(c, path, draft) : -ENOENT;
	rc = catalog_render(c, name, &text);
	return rc ? rc : catalog_file(c, path, &text, draft);
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	struct catalog c = {.lake = lake, .actor = actor};
	_cleanup_buf_ struct buf path = BUF_INIT;
	int rc = reader_init(&c.reader, lake, actor);

	if (!rc)
		rc = store_barrier(lake->store, 0);
	buf_addf(&path, "%s%s%s", folder->text, folder->text[0] ? "/" : "", name);
	if (!rc)
		rc = buf_error(&path) ? -ENOMEM : look_up_path(&c, buf_str(&path), name, !folder->text[0], draft);
	reader_release(&c.reader);
	return rc;
}

/* ---- listings ---- */

static int list_root(view_emit_fn emit, void *arg)
{
	const char *name;
	int rc = 0;

	for (int i = 0; !rc && (name = catalog_file_name(i)); i++)
		rc = emit(arg, name, KIND_FILE, 0);
	for (size_t i = 0; !rc && i < BRANCHES; i++)
		rc = emit(arg, branches[i].name, KIND_FOLDER, 0);
	return rc;
}

static int list_branch(struct catalog *c, const char *path, view_emit_fn emit, void *arg)
{
	_cleanup_free_ char *copy = strdup(path);
	char *rest = copy;
	const struct branch *b;

	if (!copy)
		return -ENOMEM;
	b = find_branch(catalog_next(&rest));
	return b ? b->list(c, rest, emit, arg) : 0;
}

static int list(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		void *arg)
{
	struct catalog c = {.lake = lake, .actor = actor};
	int rc;

	if (!folder->text[0])
		return list_root(emit, arg);
	rc = reader_init(&c.reader, lake, actor);
	if (!rc)
		rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = list_branch(&c, folder->text, emit, arg);
	reader_release(&c.reader);
	return rc;
}

const struct view_ops catalog_view = {
	.name = ".catalog",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.long_lists = true,
	.read_link = read_link,
	.root_name = ".catalog",
};
