#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The conformance test of tier/ over S3 through libs3, with signature v2.
set -- v2 "$@"
. "$(dirname "$0")/conform-s3.sh"
