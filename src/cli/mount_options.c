#include "cli/mount_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* For mount(8), systemd and others that read fstab; nothing to do here. */
static const char *const for_others[] = {
	"rw", "defaults", "auto", "noauto", "user", "nouser", "users", "owner", "group", "_netdev", "nofail", NULL,
};

/* Handed on. libfuse turns them into mount flags. */
static const char *const for_fuse[] = {
	"suid",	      "nosuid",	     "dev",	      "nodev",	   "exec",	  "noexec",	"sync",
	"async",      "dirsync",     "atime",	      "noatime",   "diratime",	  "nodiratime", "relatime",
	"norelatime", "strictatime", "nostrictatime", "symfollow", "nosymfollow", NULL,
};

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(word, *list))
			return true;
	}
	return false;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

void mount_options_init(struct mount_options *o)
{
	*o = (struct mount_options){.passthrough = true, .allow_other = -1, .synth = DAEMON_SYNTH_HIDDEN};
}

void mount_options_release(struct mount_options *o)
{
	free(o->environment);
	free(o->view);
	buf_release(&o->for_fuse);
}

static int wrong(struct buf *why, const char *word, const char *what)
{
	buf_addf(why, "option '%s': %s", word, what);
	return -EINVAL;
}

static int parse_passthrough(struct mount_options *o, const char *word, const char *value, struct buf *why)
{
	if (strcmp(value, "on") && strcmp(value, "off"))
		return wrong(why, word, "it is passthrough=on or passthrough=off");
	o->passthrough = !strcmp(value, "on");
	return 0;
}

static int parse_synth(struct mount_options *o, const char *word, const char *value, struct buf *why)
{
	static const char *const words[] = {
		[DAEMON_SYNTH_HIDDEN] = "hidden", [DAEMON_SYNTH_VISIBLE] = "visible", [DAEMON_SYNTH_OFF] = "off"};

	for (int i = DAEMON_SYNTH_HIDDEN; i <= DAEMON_SYNTH_OFF; i++) {
		if (!strcmp(value, words[i])) {
			o->synth = i;
			return 0;
		}
	}
	return wrong(why, word, "it is synth=hidden, synth=visible or synth=off");
}

static int parse_stubs(struct mount_options *o, const char *word, const char *value, struct buf *why)
{
	static const char *const words[] = {[STUBS_RECALL] = "recall", [STUBS_SKIP] = "skip", [STUBS_FAIL] = "fail"};

	for (int i = STUBS_RECALL; i <= STUBS_FAIL; i++) {
		if (!strcmp(value, words[i])) {
			o->stubs = (enum stubs_use)i;
			return 0;
		}
	}
	return wrong(why, word, "it is stubs=recall, stubs=skip or stubs=fail");
}

static int parse_environment(struct mount_options *o, const char *word, const char *value, struct buf *why)
{
	if (!value[0])
		return wrong(why, word, "it is env=NAME, a section of environments in settings.yaml");
	free(o->environment);
	o->environment = strdup(value);
	return o->environment ? 0 : -ENOMEM;
}

static int parse_view(struct mount_options *o, const char *word, const char *value, struct buf *why)
{
	if (!value[0])
		return wrong(why, word, "it is view=TIME, view=LABEL or view=commit-N");
	free(o->view);
	o->view = strdup(value);
	return o->view ? 0 : -ENOMEM;
}

static int parse_value(struct mount_options *o, const char *word, struct buf *why, bool *known)
{
	*known = true;
	if (begins(word, "passthrough="))
		return parse_passthrough(o, word, strchr(word, '=') + 1, why);
	if (begins(word, "stubs="))
		return parse_stubs(o, word, strchr(word, '=') + 1, why);
	if (begins(word, "synth="))
		return parse_synth(o, word, strchr(word, '=') + 1, why);
	if (begins(word, "env="))
		return parse_environment(o, word, strchr(word, '=') + 1, why);
	if (begins(word, "view="))
		return parse_view(o, word, strchr(word, '=') + 1, why);
	if (begins(word, "x-") || begins(word, "X-") || begins(word, "comment="))
		return 0;
	*known = false;
	return 0;
}

static bool parse_flag(struct mount_options *o, const char *word)
{
	if (!strcmp(word, "ro")) {
		o->read_only = true;
		o->rw = false;
	} else if (!strcmp(word, "debug"))
		o->debug = true;
	else if (!strcmp(word, "nonempty"))
		o->nonempty = true;
	else if (!strcmp(word, "allow_other"))
		o->allow_other = 1;
	else if (!strcmp(word, "noallow_other"))
		o->allow_other = 0;
	else
		return false;
	return true;
}

static int parse_word(struct mount_options *o, const char *word, bool sloppy, struct buf *why)
{
	bool known;
	int rc = parse_value(o, word, why, &known);

	if (rc || known || !word[0] || parse_flag(o, word))
		return rc;
	if (!strcmp(word, "rw")) {
		o->read_only = false;
		o->rw = true;
	}
	if (is_one_of(word, for_others))
		return 0;
	if (is_one_of(word, for_fuse)) {
		buf_addf(&o->for_fuse, "%s%s", o->for_fuse.len ? "," : "", word);
		return buf_error(&o->for_fuse);
	}
	return sloppy ? 0 : wrong(why, word, "unknown (tarn(1) lists those that there are)");
}

int mount_options_parse(struct mount_options *o, const char *text, bool sloppy, struct buf *why)
{
	_cleanup_buf_ struct buf word = BUF_INIT;
	int rc = 0;

	for (; !rc; text++) {
		if (text[0] == '\\' && (text[1] == ',' || text[1] == '\\')) {
			buf_addc(&word, *++text);
		} else if (*text && *text != ',') {
			buf_addc(&word, *text);
		} else {
			rc = buf_error(&word) ? buf_error(&word) : parse_word(o, buf_str(&word), sloppy, why);
			buf_clear(&word);
			if (!*text)
				break;
		}
	}
	return rc;
}

bool fuse_conf_user_allow_other(const char *file)
{
	_cleanup_fclose_ FILE *f = fopen(file ? file : "/etc/fuse.conf", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) >= 0) {
		char word[32] = "", more[2];

		/* as fusermount3 reads it: white space around, "#" begins a comment */
		line[strcspn(line, "#")] = '\0';
		if (sscanf(line, " %31s %1s", word, more) == 1 && !strcmp(word, "user_allow_other"))
			return true;
	}
	return false;
}
