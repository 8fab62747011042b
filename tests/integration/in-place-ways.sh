#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every way to change a file in place, and every version afterwards: also after the lake was unmounted and mounted.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# digests: of every version of every file, sorted.
digests()
{
	find "$B" -maxdepth 1 -type f -printf '%f\n' | sort | while read -r f; do
		find "$B/$f@v" -mindepth 1 -printf "$B/$f@v/%f\0" | sort -z | xargs -0r sha256sum
	done
}

# Content that is the same as before is one version once both hashes are known.
all_hashed()
{
	find "$B" -maxdepth 1 -type f -printf '%p@v/history.jsonl\0' | xargs -0r cat |
		jq -se 'all((.state != "live" and .state != "kept") or .sha256 != null)' >/dev/null
}

scenario()
{
	while read -r said; do
		is "${said% *}" ok "$1: ${said##* }"
	done < <(python3 "$TARN_SOURCE/tests/integration/in-place.py" "$B")
	is "$(fact versions_not_kept)" 0 "$1: nothing is not kept"
	ok "$1: all are hashed" within 20 all_hashed
	digests >"$FOLDER/before"
	down
	if [ "$1" = cached ]; then up -o passthrough=off; else up; fi
	digests >"$FOLDER/after"
	ok "$1: after mounting again all are the same" cmp "$FOLDER/before" "$FOLDER/after"
}

both_ways scenario
