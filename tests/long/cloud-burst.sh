#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/integration/cloud-burst.sh with a disk of 1 GiB, a lake of 512 MiB, and 5 GiB copied in.
. "$(dirname "$0")/lib.sh"
need_root
need radosgw "radosgw ceph-mon ceph-osd ceph-common"
BURST_MIB=1024 TMPDIR=$WORK TARN_SOURCE=$(cd "$HERE/../.." && pwd) TARN_BUILD=$WORK \
	bash "$HERE/../integration/cloud-burst.sh" >"$WORK/burst.log" 2>&1
grep -E '^(ok|not ok|#) ' "$WORK/burst.log"
"$HERE/../s3/rgw" stop "$WORK/s3-server"
