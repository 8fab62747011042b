#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/integration/cloud-faults.sh for 15 minutes, with the server stopped for 60 s.
. "$(dirname "$0")/lib.sh"
need_root
need radosgw "radosgw ceph-mon ceph-osd ceph-common"
FAULTS_SECONDS=900 FAULTS_STOPPED=60 TMPDIR=$WORK TARN_SOURCE=$(cd "$HERE/../.." && pwd) TARN_BUILD=$WORK \
	bash "$HERE/../integration/cloud-faults.sh" >"$WORK/faults.log" 2>&1
grep -E '^(ok|not ok|#) ' "$WORK/faults.log"
"$HERE/../s3/rgw" stop "$WORK/s3-server"
