#include "cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/human.h"

void table_init(struct table *t, const char *const *headings)
{
	*t = (struct table){.headings = headings};
	while (headings[t->columns])
		t->columns++;
}

void table_release(struct table *t)
{
	for (int i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}

void table_add(struct table *t, const char *text)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;

	if (t->ncells == t->room) {
		int room = t->room ? t->room * 2 : 64;
		char **grown = reallocarray(t->cells, (size_t)room, sizeof(*grown));

		if (!grown) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = grown;
		t->room = room;
	}
	human_name(&shown, text);
	t->cells[t->ncells] = buf_detach(&shown);
	if (t->cells[t->ncells])
		t->ncells++;
	else
		t->error = -ENOMEM;
}

void table_addf(struct table *t, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	table_add(t, buf_str(&text));
}

/* Columns on the terminal. */
static int width(const char *s)
{
	mbstate_t state = {0};
	size_t left = strlen(s), n;
	int columns = 0;
	wchar_t c;

	for (; left; s += n, left -= n) {
		n = mbrtowc(&c, s, left, &state);
		if (n == (size_t)-1 || n == (size_t)-2 || !n) {
			n = 1;
			columns++;
			state = (mbstate_t){0};
			continue;
		}
		columns += wcwidth(c) > 0 ? wcwidth(c) : 0;
	}
	return columns;
}

static bool to_right(const struct table *t, int column)
{
	return t->headings[column][0] == '>';
}

static const char *heading(const struct table *t, int column)
{
	return t->headings[column] + to_right(t, column);
}

static void print_cell(const struct table *t, int column, const char *text, const int *widths, FILE *to)
{
	int pad = widths[column] - width(text);

	if (column)
		fputs("  ", to);
	if (to_right(t, column))
		fprintf(to, "%*s%s", pad, "", text);
	else if (column < t->columns - 1)
		fprintf(to, "%s%*s", text, pad, "");
	else
		fputs(text, to);
}

int table_print(const struct table *t, FILE *to)
{
	_cleanup_free_ int *widths = calloc(t->columns ? (size_t)t->columns : 1, sizeof(*widths));
	bool headed = false;

	if (t->error || !widths)
		return t->error ? t->error : -ENOMEM;
	for (int c = 0; c < t->columns; c++) {
		widths[c] = width(heading(t, c));
		headed |= widths[c] > 0;
	}
	for (int i = 0; i < t->ncells; i++) {
		int w = width(t->cells[i]), *column = &widths[i % t->columns];

		if (w > *column)
			*column = w;
	}
	for (int c = 0; headed && c < t->columns; c++)
		print_cell(t, c, heading(t, c), widths, to);
	if (headed)
		fputc('\n', to);
	for (int i = 0; i < t->ncells; i++) {
		print_cell(t, i % t->columns, t->cells[i], widths, to);
		if (i % t->columns == t->columns - 1)
			fputc('\n', to);
	}
	return 0;
}
