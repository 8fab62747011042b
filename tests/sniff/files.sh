#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# CSV and JSON files of all kinds: delimiter, header, names, types, rows and statistics as DuckDB finds them. duckdb.expected is
# what `node duckdb.mjs SAMPLE...` said (@duckdb/node-api 1.5.6-r.1); `differences` has what is wanted otherwise, and why.
set -u
: "${TARN_BUILD:?the build tree}" "${TARN_SOURCE:?the source}"
here=$TARN_SOURCE/tests/sniff
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-sniff-csv.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP

"$here/samples" "$T/samples" || exit 1
timeout 120 "$TARN_BUILD/tests/sniff/describe" "$T"/samples/* >"$T/described" || echo "Bail out! describe: $?"
"$here/compare" "$T/described" "$here/duckdb.expected" "$T"/samples/* >"$T/compared"
cut -f1 "$here/differences" | grep -v '^#' | sort >"$T/known"

differ=$(cut -d: -f1 "$T/compared" | grep -v '^compared' | sort -u | comm -23 - "$T/known")
if [ -z "$differ" ]; then
	echo "ok 1 - all files but those in differences are to tarn what they are to DuckDB"
else
	echo "not ok 1 - all files but those in differences are to tarn what they are to DuckDB"
	grep -F "$differ" "$T/compared" | sed 's/^/# /'
fi
same=$(cut -d: -f1 "$T/compared" | sort -u | comm -13 - "$T/known")
[ -z "$same" ] && echo "ok 2 - and those do differ" || echo "not ok 2 - and those do differ, but ${same//$'\n'/ }"
compared=$(tail -n 1 "$T/compared")
[ "${compared#compared }" -gt 150 ] && echo "ok 3 - $compared files" || echo "not ok 3 - $compared files"
echo 1..3
