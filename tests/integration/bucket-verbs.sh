#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn bucket list and set: policies are shown, edited with comments kept, and applied to a mounted lake.
. "$(dirname "$0")/lib.sh"

lake lake
cat >"$L/config/settings.yaml" <<-'END'
	# the first line
	buckets:
	  data:            # what came in
	    tier: local    # not yet
	    retention_days: 90
	  other: {tier: pinned}
	# the last line
END
policy() { "$TARN" bucket list --lake "$L" --json | jq -c ".[] | select(.name == \"$1\") | [$2]"; }

is "$(policy data '.tier, .retention_days, .declared')" '["local",90,true]' "list shows what the settings say"
exits 0 "set" "$TARN" bucket set data tier=pinned retention_days=-1 'exclude=*.log,scratch/' --lake "$L"
is "$(policy data '.tier, .retention_days')" '["pinned",-1]' "list shows it"
like "$(<"$L/config/settings.yaml")" '^# the first line.*data: +# what came in.*tier: pinned +# not yet.*# the last line$' \
	"comments and order stay"
exits 0 "the file is right" env -C "$L" "$TARN" bucket list
up
mkdir "$M/fresh"
is "$(policy fresh '.tier, .retention_days, .keep_last, .declared')" '["local",30,3,false]' "a bucket that was not declared"
exits 0 "set, mounted" "$TARN" bucket set fresh 'exclude=*.log' 'purpose=what is: new' --lake "$L"
is "$(policy fresh '.purpose, .declared')" '["what is: new",true]' "list shows that it is declared now"
put one "$M/fresh/a.log"
put two "$M/fresh/a.log"
is "$(versions "$M/fresh/a.log")" "" "it is applied at once"
exits 78 "a wrong value is refused" "$TARN" bucket set data tier=moon --lake "$L" ||
	note <"$L/config/settings.yaml"
like "$(cat "$FOLDER/out")" moon "and named"
is "$(policy data .tier)" '["pinned"]' "the old one stays"
"$TARN" bucket set data no_such_key=1 --lake "$L" >"$FOLDER/out" 2>&1
ok "an unknown key is refused" test $? -ne 0
exits 78 "of several keys one is wrong" "$TARN" bucket set data keep_last=7 tier=moon --lake "$L"
is "$(policy data .keep_last)" '[3]' "none is set"
exits 0 "several keys of a new bucket" "$TARN" bucket set other-one keep_last=7 tier=pinned 'exclude=*.a,*.b' --lake "$L"
is "$(policy other-one '.keep_last, .tier')" '[7,"pinned"]' "are set"
down
