#include "cli/mount_options.h"

#include <errno.h>
#include <unistd.h>

#include "tap.h"

static void test_defaults(void)
{
	struct mount_options o;

	mount_options_init(&o);
	ok(o.passthrough && o.synth == DAEMON_SYNTH_HIDDEN && o.allow_other == -1, "defaults");
	ok(!o.read_only && !o.debug && !o.nonempty && !o.environment && !o.view, "nothing else is on");
	mount_options_release(&o);
}

static void test_all(void)
{
	struct mount_options o;
	struct buf why = BUF_INIT;

	mount_options_init(&o);
	is_int(mount_options_parse(
		       &o,
		       "passthrough=off,synth=visible,ro,debug,nonempty,allow_other,env=production,view=commit-7,"
		       "stubs=skip",
		       false, &why),
	       0, "tarn's own options");
	ok(!o.passthrough && o.synth == DAEMON_SYNTH_VISIBLE && o.read_only && o.debug && o.nonempty &&
		   o.stubs == STUBS_SKIP,
	   "are set");
	is_int(o.allow_other, 1, "allow_other");
	is_str(o.environment, "production", "env");
	is_str(o.view, "commit-7", "view");
	is_int(mount_options_parse(&o, "passthrough=on,synth=off,rw,noallow_other,env=a\\,b", false, &why), 0,
	       "a second list");
	ok(o.passthrough && o.synth == DAEMON_SYNTH_OFF && !o.read_only && o.allow_other == 0, "later ones win");
	is_str(o.environment, "a,b", "a comma in a value");
	mount_options_release(&o);
	buf_release(&why);
}

static void test_fstab(void)
{
	struct mount_options o;
	struct buf why = BUF_INIT;

	mount_options_init(&o);
	is_int(mount_options_parse(&o,
				   "rw,defaults,noauto,user,users,_netdev,nofail,x-systemd.automount,x-gvfs-show,"
				   "X-mount.mkdir=0755,comment=what,,",
				   false, &why),
	       0, "what fstab says to others is left alone");
	is_int((int64_t)o.for_fuse.len, 0, "and handed to nobody");
	is_int(mount_options_parse(&o, "nosuid,noexec", false, &why), 0, "mount flags");
	is_int(mount_options_parse(&o, "noatime", false, &why), 0, "one more");
	is_str(buf_str(&o.for_fuse), "nosuid,noexec,noatime", "are handed to libfuse");
	mount_options_release(&o);
	buf_release(&why);
}

static void wrong(const char *text, const char *says)
{
	struct mount_options o;
	struct buf why = BUF_INIT;

	mount_options_init(&o);
	is_int(mount_options_parse(&o, text, false, &why), -EINVAL, text);
	ok(strstr(buf_str(&why), says) != NULL, "%s: says %s", text, buf_str(&why));
	mount_options_release(&o);
	buf_release(&why);
}

static void test_sloppy(void)
{
	struct mount_options o;
	struct buf why = BUF_INIT;

	mount_options_init(&o);
	is_int(mount_options_parse(&o, "nonsense,ro", true, &why), 0, "sloppy leaves unknown options out");
	ok(o.read_only, "and goes on");
	is_int(mount_options_parse(&o, "synth=nonsense", true, &why), -EINVAL, "but not wrong values of known ones");
	mount_options_release(&o);
	buf_release(&why);
}

static bool conf(const char *text)
{
	char path[] = "/tmp/tarn-fuse-conf-XXXXXX";
	int fd = mkstemp(path);
	bool allowed;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		diag("cannot write %s", path);
	close(fd);
	allowed = fuse_conf_user_allow_other(path);
	unlink(path);
	return allowed;
}

int main(void)
{
	test_defaults();
	test_all();
	test_fstab();
	wrong("nonsense", "'nonsense'");
	wrong("ro,passthrough=maybe", "passthrough=on or passthrough=off");
	wrong("synth=", "synth=hidden");
	wrong("env=", "env=NAME");
	wrong("RO", "'RO'");
	test_sloppy();
	ok(conf("# comment\n  user_allow_other  \n"), "fuse.conf allows");
	ok(conf("mount_max = 10\nuser_allow_other # yes"), "with a comment behind, and no newline");
	ok(!conf("#user_allow_other\n"), "a comment does not");
	ok(!conf("user_allow_others\nuser_allow_other = 1\n"), "another word does not");
	ok(!fuse_conf_user_allow_other("/nonexistent/fuse.conf"), "no file does not");
	return done();
}
