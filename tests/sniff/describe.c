/* describe FILE...: what the sniffers say, in this process, a line of JSON each. */
#include "sniff/sniff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int main(int argc, char **argv)
{
	sniff_prepare();
	for (int i = 1; i < argc; i++) {
		_cleanup_close_ int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		_cleanup_description_ struct description d;
		_cleanup_buf_ struct buf b = BUF_INIT;
		const char *slash = strrchr(argv[i], '/');
		int rc;

		description_init(&d);
		rc = sniff_file(fd, slash ? slash + 1 : argv[i], false, &d);
		if (rc)
			description_set(&d.unreadable, strerror(-rc));
		description_add_json(&b, &d, true);
		puts(buf_str(&b));
	}
	return 0;
}
