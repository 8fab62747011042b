#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The conformance test of tier/ over S3 through libcurl, with signature v4.
set -- v4 "$@"
. "$(dirname "$0")/conform-s3.sh"
