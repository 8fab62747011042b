// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who may: credentials, clocks, buckets, certificates. A refusal is final, says what is wrong, and never looks like
 * "not there".
 */
#include "conform.h"

#include <regex.h>

static const char *settings(void)
{
	return getenv("CONFORM_SETTINGS");
}

static int count_page(void *arg, const struct tier_entry *entries, int n)
{
	(void)entries;
	*(int *)arg += n;
	return 0;
}

/* What the remote T says to a read, a write, a listing, and tier_check(), whose words must match PATTERN. */
static bool all_say(struct tier *t, int wanted, const char *pattern)
{
	const struct tier_call call = {.patience = NSEC_PER_SEC};
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier_head head;
	struct conform_source s = {.size = 10, .seed = 1};
	struct tier_put p = {.key = key_of("other"), .source = conform_source(&s)};
	int n = 0;
	struct tier_list l = {.prefix = key_of(""), .page = count_page, .arg = &n};
	regex_t re;
	bool good;

	WANT(get_from(t, key_of("object"), 10, 1, &call), wanted);
	WANT(tier_head(t, key_of("object"), &call, &head), wanted);
	WANT(tier_check(t, &call, &why), wanted);
	WANT(tier_put(t, &p, &call, NULL), wanted);
	WANT(tier_list(t, &l, &call), wanted);
	if (regcomp(&re, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		return false;
	good = regexec(&re, buf_str(&why), 0, NULL, 0) == 0;
	regfree(&re);
	if (!good)
		diag("\"%s\" is not like %s", buf_str(&why), pattern);
	return good && !strstr(buf_str(&why), getenv("S3_SECRET"));
}

/* Sets NAME in the environment, or removes it where VALUE is NULL: what it was, to be given to put_back(). */
static char *change(const char *name, const char *value)
{
	char *was = getenv(name) ? strdup(getenv(name)) : NULL;

	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	return was;
}

static void put_back(const char *name, char *was)
{
	free(change(name, was));
	free(was);
}

/* TEXT is the environment's variable, RULES its value. */
static bool wrong_variable(const struct conform_case *c)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;
	char *was;
	bool good;

	WANT(put_to(the.t, key_of("object"), 10, 1), 0);
	was = change(c->text, c->rules);
	good = open_remote(settings(), &t, &why) == 0 &&
	       all_say(t, -EACCES, "secret|signature|access|credential|token");
	put_back(c->text, was);
	tier_unref(t);
	return good;
}

/* Ceph takes any token for an ordinary user: here it is the proxy that refuses it. */
static bool wrong_token(const struct conform_case *c)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;
	char *was;
	bool good;

	(void)c;
	proxy_rules(
		"[{\"head\": \"x-amz-security-token: wrong\", \"do\": \"status\", \"status\": 403, "
		"\"code\": \"InvalidToken\"}]");
	was = change("AWS_SESSION_TOKEN", "wrong");
	good = open_remote(getenv("CONFORM_FAULTY"), &t, &why) == 0 && all_say(t, -EACCES, "token");
	put_back("AWS_SESSION_TOKEN", was);
	proxy_rules("[]");
	tier_unref(t);
	return good;
}

static bool no_credentials(const struct conform_case *c)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;
	char *was, *home;
	int r;

	(void)c;
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	was = change("AWS_SECRET_ACCESS_KEY", NULL);
	home = change("HOME", "/nonexistent");
	r = open_remote(settings(), &t, &why);
	if (r == 0)
		r = head_of(t, key_of("object"), NULL);
	put_back("AWS_SECRET_ACCESS_KEY", was);
	put_back("HOME", home);
	tier_unref(t);
	HOLDS(r == -EACCES || r == -EINVAL);
	return true;
}

static bool no_bucket(const struct conform_case *c)
{
	struct tier *t = NULL;
	bool good;

	(void)c;
	WANT(open_changed(settings(), "cloud_bucket: ", "cloud_bucket: no-such-bucket-", &t), 0);
	good = all_say(t, -EHOSTUNREACH, "bucket");
	tier_unref(t);
	return good;
}

/* Both ways, further than the 15 minutes that are allowed; and within them. */
static bool clock_skew(const struct conform_case *c)
{
	bool good = true;

	WANT(put_to(the.t, key_of("object"), 10, 1), 0);
	conform_skew = c->text[0] == '-' ? -(long)c->size : (long)c->size;
	if (c->error)
		good = all_say(the.t, c->error, "clock");
	else
		good = get_from(the.t, key_of("object"), 10, 1, NULL) == 0;
	conform_skew = 0;
	return good && get_from(the.t, key_of("object"), 10, 1, NULL) == 0;
}

/* Another address: TEXT, for the endpoint's. */
static bool nobody_there(const struct conform_case *c)
{
	char endpoint[64];
	struct tier *t = NULL;
	bool good;

	snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%s", getenv("S3_PORT"));
	WANT(open_changed(settings(), endpoint, c->text, &t), 0);
	good = all_say(t, -EHOSTUNREACH, c->rules);
	tier_unref(t);
	return good;
}

/* The server at its TLS port; RULES are further settings. */
static bool tls(const struct conform_case *c)
{
	char endpoint[64], secure[256];
	_cleanup_buf_ struct buf changed = BUF_INIT;
	struct tier *t = NULL;
	bool good;

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%s'", getenv("S3_PORT"));
	snprintf(secure, sizeof(secure), "https://%s:%s'", c->text, getenv("S3_TLS_PORT"));
	if (c->length) {
		buf_addf(&changed, "%s, cloud_ca_file: %s", secure, getenv("S3_CA"));
		snprintf(secure, sizeof(secure), "%s", buf_str(&changed));
	}
	WANT(open_changed(settings(), endpoint, secure, &t), c->error == -EINVAL ? -EINVAL : 0);
	if (!t)
		return true;
	if (c->error)
		good = all_say(t, c->error, "certificate");
	else
		good = put_to(t, key_of("object"), 100000, 1) == 0 &&
		       get_from(t, key_of("object"), 100000, 1, NULL) == 0;
	tier_unref(t);
	return good;
}

/* What a server says that checks the region, which Ceph does not. */
static bool region(const struct conform_case *c)
{
	const char *rule =
		"[{\"do\": \"answer\", \"status\": 400, \"body\": \"<Error><Code>AuthorizationHeaderMalformed</Code>"
		"<Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message>"
		"<Region>eu-west-1</Region></Error>\"}]";
	_cleanup_buf_ struct buf why = BUF_INIT, keys = BUF_INIT;

	(void)c;
	proxy_rules(rule);
	WANT(tier_check(the.faulty, NULL, &why), -EACCES);
	WANT(keys_below(the.faulty, key_of(""), &keys), -EACCES);
	proxy_rules("[]");
	HOLDS(strstr(buf_str(&why), "region"));
	return true;
}

static bool checked(const struct conform_case *c)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	(void)c;
	WANT(tier_check(the.t, NULL, &why), 0);
	return true;
}

const struct conform_case conform_access[] = {
	{"the remote can be used", ALL_, checked},
	{"a wrong secret", S3_, wrong_variable, "AWS_SECRET_ACCESS_KEY", "wrong"},
	{"an access key that nobody has", S3_, wrong_variable, "AWS_ACCESS_KEY_ID", "NOBODYHASTHIS"},
	{"a wrong session token", CURL_, wrong_token},
	{"a session token cannot be sent", LIBS3_, wrong_token},
	{"no credentials", S3_, no_credentials},
	{"a wrong region", CURL_, region},
	{"no such bucket", S3_, no_bucket},
	{"a clock that is an hour late", S3_, clock_skew, "-", .size = 3600, .error = -EACCES},
	{"a clock that is an hour early", S3_, clock_skew, "+", .size = 3600, .error = -EACCES},
	{"a clock that is a day late", S3_, clock_skew, "-", .size = 86400, .error = -EACCES},
	{"a clock that is a minute late", S3_, clock_skew, "-", .size = 60},
	{"a clock that is a minute early", S3_, clock_skew, "+", .size = 60},
	{"nobody listens there", S3_, nobody_there, "127.0.0.1:1", "connect|refused|reach"},
	{"a host that has no address", S3_, nobody_there, "no-such-host.invalid", "resolve|name|host"},
	{"TLS with the CA that is named", CURL_, tls, "127.0.0.1", .length = 1},
	{"TLS with a CA that nobody named", CURL_, tls, "127.0.0.1", .error = -EACCES},
	{"TLS for another host", CURL_, tls, "localhost", .length = 1, .error = -EACCES},
	{"TLS without a check is refused by libs3 2.0", LIBS3_, tls, "127.0.0.1", .error = -EINVAL},
	{NULL},
};
