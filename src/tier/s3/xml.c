#include "tier/s3/xml.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define TEXT_MAX 8192 /* a key of 1,024 bytes, each as %XX, is the longest of all */
#define PATH_MAX_XML 512

struct parsing {
	XML_Parser parser;
	const struct xml_handler *h;
	void *arg;
	struct buf path, text;
	bool leaf; /* the element that was begun last has none in it yet */
	int result;
};

static void stop(struct parsing *p, int result)
{
	if (p->result == 0)
		p->result = result;
	XML_StopParser(p->parser, XML_FALSE);
}

static void begin(void *arg, const char *name, const char **attributes)
{
	struct parsing *p = arg;
	const char *colon = strrchr(name, ':');

	(void)attributes;
	buf_addf(&p->path, "%s%s", p->path.len ? "/" : "", colon ? colon + 1 : name);
	buf_clear(&p->text);
	p->leaf = true;
	if (p->path.len > PATH_MAX_XML)
		stop(p, -EIO);
}

static void end(void *arg, const char *name)
{
	struct parsing *p = arg;
	char *slash;
	int r = 0;

	(void)name;
	if (buf_error(&p->path) || buf_error(&p->text)) {
		stop(p, -ENOMEM);
		return;
	}
	if (p->leaf)
		r = p->h->leaf(p->arg, buf_str(&p->path), buf_str(&p->text));
	else if (p->h->end)
		r = p->h->end(p->arg, buf_str(&p->path));
	p->leaf = false;
	slash = strrchr(p->path.data, '/');
	p->path.len = slash ? (size_t)(slash - p->path.data) : 0;
	p->path.data[p->path.len] = '\0';
	if (r)
		stop(p, r);
}

static void characters(void *arg, const char *bytes, int len)
{
	struct parsing *p = arg;

	if (p->text.len + (size_t)len > TEXT_MAX)
		stop(p, -EIO);
	else
		buf_add(&p->text, bytes, (size_t)len);
}

int xml_parse(const char *bytes, size_t len, const struct xml_handler *h, void *arg)
{
	struct parsing p = {.parser = XML_ParserCreate("UTF-8"), .h = h, .arg = arg};
	int r;

	if (!p.parser)
		return -ENOMEM;
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, begin, end);
	XML_SetCharacterDataHandler(p.parser, characters);
	if (len > INT_MAX || XML_Parse(p.parser, bytes, (int)len, 1) == XML_STATUS_ERROR)
		r = p.result ? p.result : -EIO;
	else
		r = p.result;
	XML_ParserFree(p.parser);
	buf_release(&p.path);
	buf_release(&p.text);
	return r;
}

struct wanted {
	const char *path;
	char *text;
	size_t size;
};

static int take_wanted(void *arg, const char *path, const char *text)
{
	struct wanted *w = arg;

	if (strcmp(path, w->path) == 0)
		snprintf(w->text, w->size, "%s", text);
	return 0;
}

int xml_text(const char *bytes, size_t len, const char *path, char *text, size_t size)
{
	static const struct xml_handler handler = {.leaf = take_wanted};
	struct wanted w = {path, text, size};

	text[0] = '\0';
	return xml_parse(bytes, len, &handler, &w);
}
