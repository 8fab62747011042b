/*
 * Listings: ListObjectsV2, and the multipart uploads that have not ended. Each page begins after the last key of the
 * one before (start-after): that is what a listing can always be gone on with, and tokens are written in too many ways.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/moment.h"
#include "tier/s3/s3_int.h"
#include "tier/s3/xml.h"

#define ANSWER_MAX (16 * 1024 * 1024) /* 1,000 keys of 1,024 bytes, each as %XX, with what stands around them */
#define LAST_CHAR "\xf4\x8f\xbf\xbf"  /* nothing below a folder comes after it */

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* encoding-type=url: %XX, and a plus for a space (a plus itself is %2B). False: it does not fit, or has a NUL. */
static bool decode(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		int c = (unsigned char)*p;

		if (*p == '+') {
			c = ' ';
		} else if (*p == '%' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			c = hex_digit(p[1]) << 4 | hex_digit(p[2]);
			p += 2;
		}
		if (c == 0 || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

static void add_query(struct buf *q, const char *name, const char *value)
{
	buf_addf(q, "%s%s=", q->len ? "&" : "", name);
	s3_encode(q, value, false);
}

static void take_etag(const char *text, char *etag)
{
	size_t len = strlen(text);

	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	if (len < TIER_ETAG_ROOM)
		snprintf(etag, TIER_ETAG_ROOM, "%.*s", (int)len, text);
}

/* ---- objects ---- */

struct parsing {
	struct tier_page *page;
	bool encoded; /* the server did what encoding-type asked for */
	bool root;
	struct tier_entry *entries; /* the folders' come after the objects': sorted before they are told */
	int n, room;
	struct tier_entry now;
	char key[TIER_KEY_MAX + 1];
	bool bad;
};

static void parsing_release(struct parsing *p)
{
	for (int i = 0; i < p->n; i++)
		free((char *)p->entries[i].key);
	free(p->entries);
}

static int keep_key(struct parsing *p, const char *text)
{
	if (p->encoded ? decode(text, p->key, sizeof(p->key)) : strlen(text) < sizeof(p->key)) {
		if (!p->encoded)
			snprintf(p->key, sizeof(p->key), "%s", text);
		return 0;
	}
	return -EIO;
}

static int keep_entry(struct parsing *p)
{
	if (p->n == p->room) {
		int room = p->room ? 2 * p->room : 128;
		struct tier_entry *entries = realloc(p->entries, (size_t)room * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		p->entries = entries;
		p->room = room;
	}
	p->now.key = strdup(p->key);
	if (!p->now.key)
		return -ENOMEM;
	p->now.head.archived = s3_class_is_archive(p->now.head.class);
	p->entries[p->n++] = p->now;
	p->now = (struct tier_entry){0};
	p->key[0] = '\0';
	return 0;
}

static int take_object(struct parsing *p, const char *name, const char *text)
{
	struct tier_head *h = &p->now.head;
	char *end;

	if (strcmp(name, "Key") == 0)
		return keep_key(p, text);
	if (strcmp(name, "Size") == 0) {
		errno = 0;
		h->size = strtoull(text, &end, 10);
		return isdigit((unsigned char)text[0]) && !*end && !errno ? 0 : -EIO;
	}
	if (strcmp(name, "ETag") == 0)
		take_etag(text, h->etag);
	else if (strcmp(name, "LastModified") == 0 && !moment_parse(text, strlen(text), &h->mtime))
		h->mtime = 0;
	else if (strcmp(name, "StorageClass") == 0 && strcmp(text, "STANDARD") != 0)
		snprintf(h->class, sizeof(h->class), "%.31s", text);
	return 0;
}

static int take_leaf(void *arg, const char *path, const char *text)
{
	static const char root[] = "ListBucketResult/";
	struct parsing *p = arg;

	p->root = true;
	if (strncmp(path, root, sizeof(root) - 1) != 0)
		return strcmp(path, "ListBucketResult") == 0 ? 0 : -EIO;
	path += sizeof(root) - 1;
	if (strcmp(path, "EncodingType") == 0)
		p->encoded = strcmp(text, "url") == 0;
	else if (strcmp(path, "IsTruncated") == 0)
		p->page->more = strcmp(text, "true") == 0;
	else if (strncmp(path, "Contents/", 9) == 0)
		return take_object(p, path + 9, text);
	else if (strcmp(path, "CommonPrefixes/Prefix") == 0)
		return keep_key(p, text);
	return 0;
}

static int take_end(void *arg, const char *path)
{
	struct parsing *p = arg;

	if (strcmp(path, "ListBucketResult") == 0)
		p->root = true;
	if (strcmp(path, "ListBucketResult/CommonPrefixes") == 0)
		p->now.folder = true;
	else if (strcmp(path, "ListBucketResult/Contents") != 0)
		return 0;
	return p->key[0] ? keep_entry(p) : -EIO;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct tier_entry *)a)->key, ((const struct tier_entry *)b)->key);
}

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What was told before comes again when a page ends in a folder. */
static bool is_new(const struct tier_page *page, const struct tier_entry *e)
{
	if (!page->after)
		return true;
	return strcmp(e->key, page->after) > 0 && !(e->folder && begins_with(page->after, e->key));
}

static int tell(struct parsing *p)
{
	int r = 0, told = 0;

	if (p->n)
		qsort(p->entries, (size_t)p->n, sizeof(*p->entries), compare);
	for (int i = 0; r == 0 && i < p->n; i++) {
		if (!begins_with(p->entries[i].key, p->page->prefix))
			return -EIO;
		if (is_new(p->page, &p->entries[i]) && ++told)
			r = p->page->add(p->page->arg, &p->entries[i]);
	}
	/* A page of nothing new is followed by nothing that could be asked for. */
	if (told == 0)
		p->page->more = false;
	return r;
}

int s3_list_take(const struct buf *answer, struct tier_page *page, struct tier_try *t)
{
	static const struct xml_handler handler = {take_leaf, take_end};
	_cleanup_(parsing_release) struct parsing p = {.page = page};
	int r;

	page->more = false;
	/* It says so before or after the keys. */
	p.encoded = answer->data && strstr(answer->data, "<EncodingType>url</EncodingType>");
	r = xml_parse(buf_str(answer), answer->len, &handler, &p);
	if (r == 0 && !p.root)
		r = -EIO;
	if (r == 0)
		r = tell(&p);
	if (r == -EIO) {
		t->again = true;
		snprintf(t->why, sizeof(t->why), "the listing makes no sense");
	}
	return r;
}

void s3_list_query(struct buf *query, const struct tier_page *page, bool v2)
{
	_cleanup_buf_ struct buf after = BUF_INIT;
	char max[16];

	snprintf(max, sizeof(max), "%d", page->max);
	if (page->after) {
		bool folder = page->folders && begins_with(page->after, page->prefix) &&
			      strlen(page->after) > strlen(page->prefix) && page->after[strlen(page->after) - 1] == '/';

		buf_addf(&after, "%s%s", page->after, folder ? LAST_CHAR : "");
	}
	if (page->folders)
		add_query(query, "delimiter", "/");
	add_query(query, "encoding-type", "url");
	if (v2)
		add_query(query, "list-type", "2");
	else if (page->after)
		add_query(query, "marker", buf_str(&after));
	add_query(query, "max-keys", max);
	add_query(query, "prefix", page->prefix);
	if (v2 && page->after)
		add_query(query, "start-after", buf_str(&after));
	if (buf_error(&after))
		query->error = -ENOMEM;
}

int s3_list(void *engine, struct tier_page *page, struct tier_try *t)
{
	_cleanup_(s3_request_release) struct s3_request r = {.method = "GET"};
	_cleanup_buf_ struct buf query = BUF_INIT;
	int result;

	s3_list_query(&query, page, true);
	if (buf_error(&query))
		return -ENOMEM;
	r.query = buf_str(&query);
	r.http.answer_max = ANSWER_MAX;
	result = s3_perform(engine, &r, t);
	return result < 0 ? result : s3_list_take(&r.http.answer, page, t);
}

/* ---- uploads ---- */

struct uploads {
	int (*each)(void *arg, const struct tier_upload *u);
	void *arg;
	bool encoded, more;
	char key[TIER_KEY_MAX + 1], id[1024];
	char next_key[TIER_KEY_MAX + 1], next_id[1024];
	int64_t begun;
};

static int upload_key(const struct uploads *u, const char *text, char *key)
{
	if (u->encoded)
		return decode(text, key, TIER_KEY_MAX + 1) ? 0 : -EIO;
	return (size_t)snprintf(key, TIER_KEY_MAX + 1, "%s", text) <= TIER_KEY_MAX ? 0 : -EIO;
}

static int upload_leaf(void *arg, const char *path, const char *text)
{
	static const char root[] = "ListMultipartUploadsResult/";
	struct uploads *u = arg;

	if (strncmp(path, root, sizeof(root) - 1) != 0)
		return 0;
	path += sizeof(root) - 1;
	if (strcmp(path, "IsTruncated") == 0)
		u->more = strcmp(text, "true") == 0;
	else if (strcmp(path, "NextKeyMarker") == 0)
		return upload_key(u, text, u->next_key);
	else if (strcmp(path, "NextUploadIdMarker") == 0)
		snprintf(u->next_id, sizeof(u->next_id), "%s", text);
	else if (strcmp(path, "Upload/Key") == 0)
		return upload_key(u, text, u->key);
	else if (strcmp(path, "Upload/UploadId") == 0)
		snprintf(u->id, sizeof(u->id), "%s", text);
	else if (strcmp(path, "Upload/Initiated") == 0 && !moment_parse(text, strlen(text), &u->begun))
		return -EIO;
	return 0;
}

static int upload_end(void *arg, const char *path)
{
	struct uploads *u = arg;

	if (strcmp(path, "ListMultipartUploadsResult/Upload") != 0)
		return 0;
	if (!u->key[0] || !u->id[0])
		return -EIO;
	return u->each(u->arg, &(struct tier_upload){u->key, u->id, u->begun});
}

static int uploads_page(struct s3 *s3, const char *prefix, struct uploads *u, struct tier_try *t)
{
	static const struct xml_handler handler = {upload_leaf, upload_end};
	_cleanup_(s3_request_release) struct s3_request r = {.method = "GET"};
	_cleanup_buf_ struct buf query = BUF_INIT;
	int result;

	add_query(&query, "encoding-type", "url");
	if (u->next_key[0])
		add_query(&query, "key-marker", u->next_key);
	add_query(&query, "prefix", prefix);
	if (u->next_key[0] && u->next_id[0])
		add_query(&query, "upload-id-marker", u->next_id);
	add_query(&query, "uploads", "");
	if (buf_error(&query))
		return -ENOMEM;
	r.query = buf_str(&query);
	r.http.answer_max = ANSWER_MAX;
	result = s3_perform(s3, &r, t);
	u->more = false;
	u->next_key[0] = u->next_id[0] = '\0';
	u->encoded = result == 0 && strstr(buf_str(&r.http.answer), "<EncodingType>url</EncodingType>");
	return result < 0 ? result : xml_parse(buf_str(&r.http.answer), r.http.answer.len, &handler, u);
}

int s3_uploads(void *engine, const char *prefix, int (*each)(void *arg, const struct tier_upload *u), void *arg,
	       struct tier_try *t)
{
	struct uploads *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->each = each;
	u->arg = arg;
	do
		r = uploads_page(engine, prefix, u, t);
	while (r == 0 && u->more && u->next_key[0]);
	free(u);
	return r;
}
