#include "sniff/personal.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define MOST(n) ((n) - (n) / 5) /* four of five */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || strchr("._%+-", c);
}

/* someone@example.org, as nearly all are: not all that RFC 5321 allows. */
static bool is_email(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len), *dot = NULL, *end = text + len;

	if (!at || at == text || len > 254)
		return false;
	for (const char *p = text; p < end; p++)
		if (p != at && !(*p && is_word(*p)))
			return false;
	for (const char *p = at + 1; p < end; p++)
		if (*p == '.')
			dot = p;
	return dot && dot > at + 1 && end - dot > 2;
}

/* Digits with what people put between them; a sign of a telephone is there: +, a leading zero or a bracket. */
static bool is_phone(const char *text, size_t len)
{
	size_t digits = 0, others = 0;

	if (len < 7 || len > 24 || !(text[0] == '+' || text[0] == '0' || text[0] == '('))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (isdigit((unsigned char)text[i]))
			digits++;
		else if (text[i] && strchr("+-() /", text[i]))
			others++;
		else
			return false;
	}
	return digits >= 7 && digits <= 15 && others;
}

/* 13 to 19 digits whose check digit is right (ISO/IEC 7812-1, Luhn's). */
static bool is_card(const char *text, size_t len)
{
	unsigned sum = 0, digits = 0;

	for (size_t i = len; i-- > 0;) {
		unsigned d = (unsigned)(text[i] - '0');

		if (text[i] == ' ' || text[i] == '-')
			continue;
		if (d > 9)
			return false;
		if (digits++ % 2)
			d = d > 4 ? 2 * d - 9 : 2 * d;
		sum += d;
	}
	return digits >= 13 && digits <= 19 && sum && sum % 10 == 0;
}

void personal_add(struct personal *p, const char *text, size_t len)
{
	if (p->values >= PERSONAL_LOOKED_AT || !len)
		return;
	p->values++;
	p->emails += is_email(text, len);
	p->phones += is_phone(text, len);
	p->cards += is_card(text, len);
}

/* Letters only, in lower case: "First Name", "first_name" and "firstName" are one. */
static void plain(const char *name, char *to, size_t room)
{
	size_t n = 0;

	for (; *name && n + 1 < room; name++)
		if (isalpha((unsigned char)*name))
			to[n++] = (char)tolower((unsigned char)*name);
	to[n] = '\0';
}

static const char *by_name(const char *name)
{
	static const struct {
		const char *word, *what;
	} words[] = {
		{"email", "email"},	  {"emailaddress", "email"}, {"mail", "email"},	       {"phone", "phone"},
		{"phonenumber", "phone"}, {"telephone", "phone"},    {"mobile", "phone"},      {"mobilephone", "phone"},
		{"cardnumber", "card"},	  {"creditcard", "card"},    {"ccnumber", "card"},     {"firstname", "name"},
		{"lastname", "name"},	  {"surname", "name"},	     {"fullname", "name"},     {"givenname", "name"},
		{"familyname", "name"},	  {"middlename", "name"},    {"customername", "name"},
	};
	char letters[32];

	plain(name, letters, sizeof(letters));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(letters, words[i].word))
			return words[i].what;
	return NULL;
}

const char *personal_guess(const struct personal *p, const char *name)
{
	if (p->values && p->emails >= MOST(p->values))
		return "email";
	if (p->values && p->cards >= MOST(p->values))
		return "card";
	if (p->values && p->phones >= MOST(p->values))
		return "phone";
	return by_name(name);
}
