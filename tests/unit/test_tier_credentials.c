/* Whose key is taken: the environment's, a file's, the instance's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "test_http.h"
#include "tier/s3/credentials.h"
#include "tier/s3/ini.h"

static char folder[64], credentials_file[96], config_file[96];
static struct tier_call call;
static int64_t (*real_monotonic)(void), ahead;

static int64_t shifted(void)
{
	return real_monotonic() + ahead;
}

static void write_file(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	fputs(text, f);
	fclose(f);
}

static int look(struct credentials *c, struct secret *s, struct tier_try *t)
{
	*t = (struct tier_try){.call = &call, .stall = 2 * NSEC_PER_SEC};
	secret_clear(s);
	return credentials_get(c, t, s);
}

/* "ACCESS SECRET TOKEN", or "-ERRNO". */
static void gives(const char *profile, const char *wanted, const char *what)
{
	struct credentials *c = credentials_new(profile);
	struct tier_try t;
	struct secret s;
	char text[200];
	int r = look(c, &s, &t);

	if (r < 0)
		snprintf(text, sizeof(text), "%d", r);
	else
		snprintf(text, sizeof(text), "%.50s %.50s %.50s", s.access, s.secret, s.token);
	is_str(text, wanted, what);
	ok(!strstr(t.why, "SECRET"), "no secret in what is told: %s", t.why);
	credentials_free(c);
}

static void test_environment(void)
{
	setenv("AWS_ACCESS_KEY_ID", "A", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SECRET", 1);
	setenv("AWS_SESSION_TOKEN", "T", 1);
	gives(NULL, "A SECRET T", "from the environment");
	gives("other", "O SECRET-O ", "not for a profile of the settings");
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
}

static void test_files(void)
{
	gives(NULL, "D SECRET=D+/ ", "the default profile");
	setenv("AWS_PROFILE", "other", 1);
	gives(NULL, "O SECRET-O ", "AWS_PROFILE");
	setenv("AWS_PROFILE", "configured", 1);
	gives(NULL, "C SECRET-C T", "a profile of the other file");
	setenv("AWS_PROFILE", "none", 1);
	gives(NULL, "-13", "a profile that is not there");
	unsetenv("AWS_PROFILE");
	chmod(credentials_file, 0);
	if (geteuid() != 0)
		gives(NULL, "-13", "a file that cannot be read");
	chmod(credentials_file, 0600);
}

static void test_changed(void)
{
	struct credentials *c = credentials_new(NULL);
	struct tier_try t;
	struct secret s;

	look(c, &s, &t);
	write_file(credentials_file, "[default]\naws_access_key_id=N\naws_secret_access_key=SECRET\n");
	look(c, &s, &t);
	is_str(s.access, "D", "a file that was read a moment ago");
	is_int(credentials_refused(c), false, "refused");
	look(c, &s, &t);
	is_str(s.access, "N", "it is read again");
	credentials_free(c);
}

static void test_settings(void)
{
	struct credentials *c = credentials_new("configured");
	char value[64];

	credentials_setting(c, "region", value, sizeof(value));
	is_str(value, "eu-west-3", "the region of a profile");
	credentials_setting(c, "output", value, sizeof(value));
	is_str(value, "", "what it does not say");
	is_int(ini_get(config_file, "profile configured", "aws_secret_access_key", value, 3), -E2BIG,
	       "a value that is too long");
	credentials_free(c);
}

static const char *answer(const char *body)
{
	static char texts[8][600];
	static int n;
	char *text = texts[n++ % 8];

	snprintf(text, sizeof(texts[0]), "200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	return text;
}

static const char *role(const char *access, int64_t seconds_left)
{
	_cleanup_buf_ struct buf until = BUF_INIT;
	char body[400];

	buf_add_time(&until, clock_wall() + seconds_left * NSEC_PER_SEC);
	snprintf(body, sizeof(body),
		 "{\"Code\": \"Success\", \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"SECRET\", \"Token\": \"IT\", "
		 "\"Expiration\": \"%s\"}",
		 access, buf_str(&until));
	return answer(body);
}

static void test_instance(void)
{
	struct credentials *c = credentials_new(NULL);
	char endpoint[64];
	struct tier_try t;
	struct secret s;

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/", stand_in.port);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint, 1);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	ANSWERS(answer("TOKEN"), answer("the-role\n"), role("I1", 3600));
	is_int(look(c, &s, &t), 0, "from the instance");
	ok(strcmp(s.access, "I1") == 0 && strcmp(s.token, "IT") == 0, "its role");
	ok(strstr(request(0), "PUT /latest/api/token ") && strstr(request(0), "token-ttl-seconds: "), "a token first");
	ok(strstr(request(1), "X-aws-ec2-metadata-token: TOKEN"), "and with it");
	ok(strstr(request(2), "GET /latest/meta-data/iam/security-credentials/the-role "), "the role's");
	is_int(look(c, &s, &t), 0, "again");
	is_int(requests(), 3, "without asking");
	ANSWERS(answer("TOKEN"), answer("the-role"), role("I2", 200));
	is_int(credentials_refused(c), true, "refused");
	look(c, &s, &t);
	is_str(s.access, "I2", "then it is asked again");
	ANSWERS(answer("TOKEN"), answer("the-role"), role("I3", 3600));
	look(c, &s, &t);
	is_str(s.access, "I3", "and before they expire");
	credentials_free(c);
}

static void test_no_instance(void)
{
	struct credentials *c = credentials_new(NULL);
	struct tier_try t;
	struct secret s;

	ANSWERS("404 Not Found\r\n");
	is_int(look(c, &s, &t), -EACCES, "an instance without it");
	ok(strstr(t.why, "no credentials"), "which is told: %s", t.why);
	ANSWERS(answer("TOKEN"), answer("the-role"), role("I4", 3600));
	is_int(look(c, &s, &t), -EACCES, "is not asked at each request");
	ahead = 31 * NSEC_PER_SEC;
	is_int(look(c, &s, &t), 0, "but after a while");
	credentials_free(c);
	c = credentials_new(NULL);
	ANSWERS(answer("TOKEN\r\nX: y"), "404 Not Found\r\n");
	is_int(look(c, &s, &t), -EACCES, "a token that is no word");
	credentials_free(c);
	c = credentials_new(NULL);
	ANSWERS(answer("TOKEN"), answer("the-role"), answer("{\"Code\": \"Failed\"}"));
	is_int(look(c, &s, &t), -EACCES, "a role without a key");
	credentials_free(c);
	c = credentials_new(NULL);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	is_int(look(c, &s, &t), -EACCES, "no instance wanted");
	credentials_free(c);
}

int main(void)
{
	static const char *const unset[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",     "AWS_SESSION_TOKEN",
					    "AWS_PROFILE",	 "AWS_EC2_METADATA_DISABLED", "no_proxy"};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		unsetenv(unset[i]);
	snprintf(folder, sizeof(folder), "/tmp/test-tier-credentials-XXXXXX");
	if (!mkdtemp(folder) || !stand_in_start())
		return skip_all("a place for files, a socket");
	real_monotonic = clock_source.monotonic;
	clock_source.monotonic = shifted;
	snprintf(credentials_file, sizeof(credentials_file), "%s/credentials", folder);
	snprintf(config_file, sizeof(config_file), "%s/config", folder);
	setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_file, 1);
	setenv("AWS_CONFIG_FILE", config_file, 1);
	write_file(credentials_file,
		   "# of nobody\n[ default ]\naws_access_key_id = D \n; x\naws_secret_access_key = SECRET=D+/\n"
		   "[other]\r\naws_access_key_id=O\r\naws_secret_access_key=SECRET-O\r\n");
	write_file(config_file,
		   "[default]\nregion = eu-west-1\n[profile configured]\nregion = eu-west-3\ns3 =\n  output = x\n"
		   "aws_access_key_id = C\naws_secret_access_key = SECRET-C\naws_session_token = T\n");
	test_environment();
	test_files();
	test_settings();
	test_changed();
	unlink(credentials_file);
	test_instance();
	test_no_instance();
	unlink(config_file);
	rmdir(folder);
	return done();
}
