#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The conformance test of tier/ over a folder (tests/s3/conform.h).
set -u
: "${TARN_BUILD:?the build tree}"
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-conform-dir.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$T/cloud"
export TMPDIR=$T CONFORM_SETTINGS="hybrid_storage: {cloud_provider: dir, cloud_path: $T/cloud, cloud_prefix: pre, \
cloud_allow_same_disk: true}"
timeout 300 "$TARN_BUILD/tests/s3/conformance"
