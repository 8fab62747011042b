#include "tier/s3/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/moment.h"
#include "tier/s3/imds.h"
#include "tier/s3/ini.h"

#define LOOK_EACH (10 * NSEC_PER_SEC)	    /* files may have changed */
#define FETCH_AHEAD (5 * 60 * NSEC_PER_SEC) /* before they expire */
#define NONE_FOR (30 * NSEC_PER_SEC)	    /* a machine without metadata is not asked at each request */

struct credentials {
	char *profile;	      /* of the settings; NULL */
	pthread_mutex_t lock; /* protects what follows; held while files are read, never over the network */
	struct secret secret;
	bool have, from_instance, fetching;
	int64_t looked;	 /* clock_monotonic() */
	int64_t expires; /* clock_wall(); 0: never */
	int64_t none_until;
	int none_error;
	char none_why[120];
};

/* ---- the environment ---- */

enum { ENV_ACCESS, ENV_SECRET, ENV_TOKEN, ENV_COUNT };
static const char *const env_names[ENV_COUNT] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
static char *env_taken[ENV_COUNT];

void credentials_take_environment(void)
{
	for (int i = 0; i < ENV_COUNT; i++) {
		char *value = getenv(env_names[i]);

		if (!value || !value[0])
			continue;
		free(env_taken[i]);
		env_taken[i] = strdup(value);
		/* Where /proc/PID/environ looks. */
		explicit_bzero(value, strlen(value));
		unsetenv(env_names[i]);
	}
}

static const char *env_get(int i)
{
	const char *value = env_taken[i] ? env_taken[i] : getenv(env_names[i]);

	return value ? value : "";
}

/* From now on there are secrets in memory. */
static void no_core_dumps_of_memory(void)
{
	_cleanup_close_ int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "0", 1) < 0)
		return;
}

/* ---- one ---- */

void secret_clear(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

struct credentials *credentials_new(const char *profile)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->profile = profile ? strdup(profile) : NULL;
	if (profile && !c->profile) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	secret_clear(&c->secret);
	pthread_mutex_destroy(&c->lock);
	free(c->profile);
	free(c);
}

static bool fits(char *to, size_t size, const char *text)
{
	if (!text[0] || strlen(text) >= size)
		return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static bool take(struct secret *s, const char *access, const char *secret, const char *token)
{
	s->token[0] = '\0';
	return fits(s->access, sizeof(s->access), access) && fits(s->secret, sizeof(s->secret), secret) &&
	       (!token[0] || fits(s->token, sizeof(s->token), token));
}

/* ---- files ---- */

static void file_name(struct buf *path, const char *variable, const char *name)
{
	const char *file = getenv(variable), *home = getenv("HOME");
	struct passwd *pw;

	if (file && file[0]) {
		buf_adds(path, file);
		return;
	}
	if (!home || !home[0]) {
		pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : "/";
	}
	buf_addf(path, "%s/.aws/%s", home, name);
}

static const char *profile_of(const struct credentials *c)
{
	const char *profile = c->profile ? c->profile : getenv("AWS_PROFILE");

	return profile && profile[0] ? profile : "default";
}

/* In ~/.aws/config a section is [profile NAME], but for the default one. */
static int config_get(const struct credentials *c, const char *name, char *value, size_t size)
{
	_cleanup_buf_ struct buf path = BUF_INIT, section = BUF_INIT;
	const char *profile = profile_of(c);
	int r;

	file_name(&path, "AWS_CONFIG_FILE", "config");
	buf_addf(&section, "%s%s", strcmp(profile, "default") == 0 ? "" : "profile ", profile);
	if (buf_error(&path) || buf_error(&section))
		return -ENOMEM;
	r = ini_get(buf_str(&path), buf_str(&section), name, value, size);
	return r;
}

static int file_get(const struct credentials *c, const char *name, char *value, size_t size)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	file_name(&path, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	return buf_error(&path) ? -ENOMEM : ini_get(buf_str(&path), profile_of(c), name, value, size);
}

typedef int reader(const struct credentials *c, const char *name, char *value, size_t size);

static int read_three(const struct credentials *c, reader *get, struct secret *s)
{
	int r = get(c, "aws_access_key_id", s->access, sizeof(s->access));

	if (r == 0)
		r = get(c, "aws_secret_access_key", s->secret, sizeof(s->secret));
	if (r == 0)
		r = get(c, "aws_session_token", s->token, sizeof(s->token));
	return r;
}

void credentials_setting(struct credentials *c, const char *name, char *value, size_t size)
{
	if (config_get(c, name, value, size) < 0)
		value[0] = '\0';
}

/* The environment, then the files. 1: found; 0: not; -errno with a line in WHY. */
static int look_here(const struct credentials *c, struct secret *s, char *why, size_t size)
{
	int r;

	if (!c->profile && take(s, env_get(ENV_ACCESS), env_get(ENV_SECRET), env_get(ENV_TOKEN)))
		return 1;
	r = read_three(c, file_get, s);
	if (r == 0 && !(s->access[0] && s->secret[0]))
		r = read_three(c, config_get, s);
	if (r < 0) {
		snprintf(why, size, "cannot read the credentials of profile %.40s: %s", profile_of(c), strerror(-r));
		return -EACCES;
	}
	if (s->access[0] && s->secret[0])
		return 1;
	if (c->profile || getenv("AWS_PROFILE")) {
		snprintf(why, size, "no credentials in the profile %.60s", profile_of(c));
		return -EACCES;
	}
	return 0;
}

/* ---- the instance ---- */

static const char *json_text(struct json_object *o, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(o, name, &value) ? json_object_get_string(value) : "";
}

/* What the instance's metadata says about its role. */
static int parse_role(const char *text, struct secret *s, int64_t *expires)
{
	struct json_object *o = json_tokener_parse(text);
	const char *until;
	int r = -EIO;

	if (!o)
		return r;
	until = json_text(o, "Expiration");
	if (json_object_is_type(o, json_type_object) &&
	    take(s, json_text(o, "AccessKeyId"), json_text(o, "SecretAccessKey"), json_text(o, "Token")) &&
	    moment_parse(until, strlen(until), expires))
		r = 0;
	json_object_put(o);
	return r;
}

static int ask_instance(struct tier_try *t, struct secret *s, int64_t *expires)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = imds_role(t, &text);

	if (r == 0)
		r = parse_role(buf_str(&text), s, expires);
	if (text.data)
		explicit_bzero(text.data, text.room);
	return r;
}

static bool instance_disabled(void)
{
	const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");

	return disabled && strcasecmp(disabled, "true") == 0;
}

/* ---- getting ---- */

static void keep_locked(struct credentials *c, const struct secret *s, bool from_instance, int64_t expires)
{
	if (!c->have)
		no_core_dumps_of_memory();
	c->secret = *s;
	c->have = true;
	c->from_instance = from_instance;
	c->expires = expires;
	c->looked = clock_monotonic();
}

static bool is_over_locked(const struct credentials *c, int64_t ahead)
{
	return c->expires && clock_wall() >= c->expires - ahead;
}

/* Good as it is, or as good as it will be while another thread fetches a new one. */
static bool is_good_locked(const struct credentials *c)
{
	if (!c->have)
		return false;
	if (c->from_instance)
		return !is_over_locked(c, FETCH_AHEAD) || (c->fetching && !is_over_locked(c, 0));
	return clock_monotonic() - c->looked < LOOK_EACH;
}

static int none_locked(const struct credentials *c, struct tier_try *t)
{
	snprintf(t->why, sizeof(t->why), "%s", c->none_why);
	t->again = c->none_error != -EACCES;
	return c->none_error;
}

/* Not under the lock: the others go on with what there is. */
static int fetch(struct credentials *c, struct tier_try *t, struct secret *s)
{
	struct tier_try own = {.call = t->call, .deadline = t->deadline, .stall = t->stall};
	int64_t expires = 0;
	int r = instance_disabled() ? -ENOENT : ask_instance(&own, s, &expires);

	pthread_mutex_lock(&c->lock);
	c->fetching = false;
	if (r == 0) {
		keep_locked(c, s, true, expires);
	} else if (c->have && !is_over_locked(c, 0)) {
		*s = c->secret;
		r = 0;
	} else if (r != -ECANCELED) {
		c->none_until = clock_monotonic() + NONE_FOR;
		c->none_error = -EACCES;
		snprintf(c->none_why, sizeof(c->none_why),
			 "no credentials: not in the environment, ~/.aws or the instance's metadata%s%.40s",
			 own.why[0] ? ": " : "", own.why);
		r = none_locked(c, t);
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

int credentials_get(struct credentials *c, struct tier_try *t, struct secret *s)
{
	int r = 1;

	pthread_mutex_lock(&c->lock);
	if (!is_good_locked(c) && !c->from_instance) {
		r = look_here(c, s, t->why, sizeof(t->why));
		if (r == 1)
			keep_locked(c, s, false, 0);
	}
	if (r == 1 && is_good_locked(c)) {
		*s = c->secret;
		r = 0;
	} else if (r >= 0 && c->none_until > clock_monotonic()) {
		r = none_locked(c, t);
	} else if (r >= 0) {
		c->fetching = true;
		r = 1;
	}
	pthread_mutex_unlock(&c->lock);
	return r == 1 ? fetch(c, t, s) : r;
}

bool credentials_refused(struct credentials *c)
{
	SCOPED_LOCK(&c->lock);
	if (c->from_instance)
		c->expires = 1;
	c->looked = clock_monotonic() - LOOK_EACH;
	return c->from_instance;
}
