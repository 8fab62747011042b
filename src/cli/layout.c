#include "cli/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/cli.h"

const struct layout_folder layout_folders[] = {
	{"config", 0700}, {"config/tables", 0700}, {"buckets", 0755}, {"catalog", 0700}, {"versions", 0700},
	{"cache", 0700},  {"logs", 0700},	   {"temp", 0700},    {NULL, 0},
};

const char layout_readme[] =
	"# A tarn lake\n"
	"\n"
	"This folder is a data lake of tarn, a file system. Your files are the plain files below `buckets/`: they can "
	"be\n"
	"read, copied and backed up without tarn.\n"
	"\n"
	"| folder | what lies there |\n"
	"|---|---|\n"
	"| `buckets/` | the live files. Each folder in it is a bucket with a policy of its own |\n"
	"| `config/` | `settings.yaml`, the only settings file (`man tarn.yaml`), and declared tables |\n"
	"| `catalog/` | `tarn.db`, the record of every change: an SQLite database |\n"
	"| `versions/` | what overwrites and deletes took, until it expires |\n"
	"| `cache/`, `temp/` | tarn's own; may be emptied while the lake is not mounted |\n"
	"| `logs/` | what happened |\n"
	"\n"
	"The whole folder can be moved, or copied with `rsync -a`, while it is not mounted.\n"
	"\n"
	"    tarn mount LAKE         mount it, over its own buckets/\n"
	"    tarn status             how it is\n"
	"    tarn versions FILE      earlier versions of a file, also of a deleted one\n"
	"    tarn restore FILE@v2    bring one back\n"
	"    tarn doctor             what is wrong, and what to do\n"
	"    tarn umount LAKE        unmount it\n"
	"\n"
	"On the mount `.catalog/` (a folder that no listing shows) tells what is in the lake, and `FILE@v/` holds the\n"
	"earlier versions of FILE. `man 7 tarn` explains the words.\n";

int layout_make_folder(int lake_fd, const char *lake, const struct layout_folder *f, bool may_be_there)
{
	if (mkdirat(lake_fd, f->name, 0700) < 0 && !(may_be_there && errno == EEXIST)) {
		say("%s/%s: %m", lake, f->name);
		return -errno;
	}
	/* Exactly its mode, whatever the umask is. */
	if (fchmodat(lake_fd, f->name, f->mode, 0) < 0) {
		say("%s/%s: %m", lake, f->name);
		return -errno;
	}
	return 0;
}
