/*
 * tarn init: a new lake.
 *
 * The folder may be there already when it is empty (a fresh disk's lost+found does not count). settings.yaml comes
 * last but for the store: it is what makes a folder a lake. Whatever goes wrong, everything that was made goes again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/layout.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "config/settings_edit.h"
#include "meta/store.h"

struct making {
	char *path; /* the lake, absolute */
	int fd;
	bool made; /* the folder itself is ours */
};

/* 0, or -errno with the reason said. */
static int check_empty(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	struct dirent *e;

	if (!d) {
		int error = errno;

		say("%s: %s", path, strerror(error));
		return -error;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "lost+found"))
			continue;
		say("%s: not empty, %s is there (name a new folder; `tarn adopt` takes a folder into a lake)", path,
		    e->d_name);
		return -ENOTEMPTY;
	}
	return 0;
}

/* The absolute path, in no other lake. */
static int check_place(struct making *m, const char *given)
{
	_cleanup_place_ struct place p = {0};
	int rc = place_find(given, &p);

	if (rc) {
		say("%s: %s%s", given, strerror(-rc), rc == -ENOENT ? " (the folder above it must be there)" : "");
		return rc;
	}
	if (p.lake && !strcmp(p.lake, p.path)) {
		say("%s: is a lake already (`tarn mount %s` mounts it)", p.path, p.path);
		return -EEXIST;
	}
	if (p.lake) {
		say("%s: lies in the lake %s (a folder there is a bucket or in one already)", p.path, p.lake);
		return -EINVAL;
	}
	m->path = steal_ptr(&p.path);
	return 0;
}

/* The folder itself: made, or found empty. */
static int begin(struct making *m, const char *given)
{
	int rc = check_place(m, given);

	if (rc)
		return rc;
	if (!mkdir(m->path, 0755)) {
		m->made = true;
	} else if (errno != EEXIST) {
		rc = -errno;
	} else {
		rc = check_empty(m->path);
		if (rc)
			return rc;
	}
	if (!rc) {
		m->fd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = m->fd < 0 ? -errno : 0;
	}
	if (!rc && m->made && fchmod(m->fd, 0755) < 0)
		rc = -errno;
	if (rc)
		say("%s: %s", m->path, strerror(-rc));
	return rc;
}

static int write_file(const struct making *m, const char *name, mode_t mode, const char *text)
{
	_cleanup_close_ int fd = openat(m->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t len = strlen(text), done = 0;

	while (fd >= 0 && done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && done == len && !fchmod(fd, mode) && !fsync(fd))
		return 0;
	say("%s/%s: %m", m->path, name);
	return errno ? -errno : -EIO;
}

static int write_bucket_info(const struct making *m, struct settings *settings, const struct starter_bucket *b)
{
	const struct bucket_policy *p = settings_bucket(settings, b->name);
	_cleanup_buf_ struct buf name = BUF_INIT, text = BUF_INIT;
	int rc;

	buf_addf(&name, "buckets/%s", b->name);
	rc = layout_make_folder(m->fd, m->path, &(struct layout_folder){buf_str(&name), 0755}, false);
	if (rc)
		return rc;
	buf_addf(&text, "bucket:     %s\npurpose:    %s\ntier:       %s\n", b->name, p->purpose,
		 bucket_tier_name(p->tier));
	if (p->retention_days < 0)
		buf_adds(&text, "retention:  for ever\n");
	else
		buf_addf(&text, "retention:  %lld days\n", (long long)p->retention_days);
	buf_addf(&text,
		 "\nThese are the settings that the bucket began with. `tarn bucket list` shows the present ones,\n"
		 "`tarn bucket set %s KEY=VALUE` changes them. This file may be removed.\n",
		 b->name);
	buf_adds(&name, "/BUCKET_INFO.txt");
	return buf_error(&text) ? buf_error(&text) : write_file(m, buf_str(&name), 0644, buf_str(&text));
}

static int make_buckets(const struct making *m)
{
	struct findings findings = {0};
	struct settings *settings = NULL;
	int rc;

	/* The new file's own words count here, not those of the environment that somebody else's lake runs in. */
	unsetenv("TARN_ENV");
	rc = settings_load(m->path, NULL, &settings, &findings);
	if (rc)
		findings_say(&findings);
	for (int i = 0; !rc && starter_buckets[i].name; i++)
		rc = write_bucket_info(m, settings, &starter_buckets[i]);
	findings_release(&findings);
	if (settings)
		settings_unref(settings);
	return rc;
}

static int make_store(const struct making *m)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct store *store = NULL;
	const char *why = NULL;
	int rc;

	buf_addf(&path, "%s/catalog/tarn.db", m->path);
	rc = buf_error(&path);
	if (!rc)
		rc = store_open(buf_str(&path), STORE_CREATE, &store, &why);
	if (!rc)
		rc = store_close(store);
	if (rc)
		say("%s: %s", buf_str(&path), why ? why : strerror(-rc));
	return rc;
}

static int make_all(const struct making *m, bool empty)
{
	_cleanup_buf_ struct buf settings = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && layout_folders[i].name; i++)
		rc = layout_make_folder(m->fd, m->path, &layout_folders[i], false);
	settings_template(&settings, empty);
	if (!rc)
		rc = buf_error(&settings);
	if (!rc)
		rc = write_file(m, "README.md", 0644, layout_readme);
	if (!rc)
		rc = write_file(m, "config/settings.yaml", 0600, buf_str(&settings));
	if (!rc && !empty)
		rc = make_buckets(m);
	if (!rc)
		rc = make_store(m);
	if (!rc && fsync(m->fd) < 0)
		rc = -errno;
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* The folder was empty or not there, so what has our names is ours. */
static void undo(const struct making *m)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	for (size_t i = 0; layout_folders[i].name; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/%s", m->path, layout_folders[i].name);
		nftw(buf_str(&path), remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
	unlinkat(m->fd, "README.md", 0);
	if (m->made)
		rmdir(m->path);
}

static void print_next(const char *lake)
{
	_cleanup_buf_ struct buf word = BUF_INIT;

	shell_word(&word, lake);
	printf("made the lake %s\n\nnext:\n  tarn mount %s\n", lake, buf_str(&word));
}

static int run_init(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"empty", no_argument, NULL, 'e'}, {0}};
	struct making m = {.fd = -1};
	sigset_t signals, before;
	bool empty = false;
	int c, rc;

	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		empty |= c == 'e';
	verb_arguments(v, argc, argv, 1, 1);

	/* An interrupt waits until the lake is whole, or gone. It takes milliseconds. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	rc = begin(&m, argv[optind]);
	if (!rc) {
		rc = make_all(&m, empty);
		if (rc)
			undo(&m);
	} else if (m.made) {
		rmdir(m.path);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		print_next(m.path);
	free(m.path);
	if (m.fd >= 0)
		close(m.fd);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_init = {
	.name = "init",
	.args = "LAKE [--empty]",
	.summary = "make a new lake",
	.details =
		"Makes the folder LAKE (or takes an empty one) and lays a lake out in it:\n"
		"settings, the record of changes, and five starter buckets: raw-data,\n"
		"processed, analytics, ml-models, archive. Nothing is left behind when that\n"
		"fails.\n"
		"\n"
		"options:\n"
		"      --empty    no starter buckets (any folder made at the mount's root is one)\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn init ~/lake\n"
		"  tarn init /data/lake --empty\n",
	.run = run_init,
};
