#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The sniffers survive files that are broken in random ways. FUZZ_SECONDS: for how long, 3 unless it is set (for hours,
# build with --enable-sanitize); FUZZ_SEED: where chance begins.
set -u
: "${TARN_BUILD:?the build tree}" "${TARN_SOURCE:?the source}"
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-fuzz.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
"$TARN_SOURCE/tests/sniff/samples" "$T" || exit 1
cp "$TARN_SOURCE"/tests/data/sniff/*.parquet "$T"
"$TARN_BUILD/tests/fuzz/sniff" "${FUZZ_SECONDS:-3}" "${FUZZ_SEED:-1}" "$T"/*
