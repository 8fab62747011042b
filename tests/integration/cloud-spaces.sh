#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Names through libs3, which sends a space as a plus: files that are alike but for that are not one object, and each
# comes back. Through libcurl every name that S3 can hold is its own key.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

names=("a b" "a+b" "a%20b" "a%2Bb" " a" "a " "ü b" "x")
gone() { [ "$(fact files_cloud)" = ${#names[@]} ] && [ "$(fact cloud_waiting)" = 0 ]; }

both_signatures()
{
	cloud "$1"
	lake "$1"
	settings 'buckets: {data: {tier: cloud}}' 'storage: {min_age: 0}'
	up
	for name in "${names[@]}"; do
		echo "this is <$name>" >"$B/$name"
	done
	ok "$1: all leave" within 30 gone
	"$TARN" evict "$B" >"$FOLDER/said" 2>&1
	is "$(for name in "${names[@]}"; do cat "$B/$name"; done)" "$(printf 'this is <%s>\n' "${names[@]}")" \
		"$1: each comes back as it was"
	is "$(objects data/ | wc -l)" "$2" "$1: so many have their names"
	is "$(objects data/ | grep -c ' ')" "$3" "$1: and so many of these a space in it"
	down
}
both_signatures s3 8 4
both_signatures libs3 4 0
