#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tags by xattr and by `tarn tag` are the same, and stay through renames, saves of editors and remounts.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
C=$M/.catalog
put one "$B/a.csv"
put two "$B/b.csv"
mkdir "$B/folder"
tags() { "$TARN" tag "$1" | paste -sd,; }
tagged() { find "$C/tag/$1/files" -type l | sed "s|.*/files/||" | sort | paste -sd,; }
names() { find "$1" -mindepth 1 -maxdepth 1 -printf "%f\\n" | sort | paste -sd,; }

setfattr -n user.xdg.tags -v "pii, customer data" "$B/a.csv"
is "$(tags "$B/a.csv")" "pii,customer data" "tarn tag tells what an attribute says"
ok "tags are added and taken away" "$TARN" tag "$B/a.csv" "$B/b.csv" +new "-customer data"
is "$(getfattr --only-values --absolute-names -n user.xdg.tags "$B/a.csv")" "pii,new" "by the same attribute"
is "$("$TARN" tag "$B/b.csv" --json | jq -c '.[0].tags')" '["new"]' "as JSON"
ok "folders have tags, too" "$TARN" tag "$B/folder" +new
is "$(names "$C/tag")" "new,pii" "a tag is a folder"
is "$(names "$C/tag/new")" "files,pii" "in which a used tag is not offered again"
is "$(tagged new/pii)" "data/a.csv" "with what has both"
is "$(tagged new)" "data/a.csv,data/b.csv,data/folder" "all that has one"
is "$(cat "$C/tag/pii/files/data/a.csv")" one "as links"
is "$(tr -d '\r' <"$C/tags.csv" | paste -sd' ')" \
	"tag,path new,data/a.csv new,data/b.csv new,data/folder pii,data/a.csv" "tags.csv"
chmod 600 "$B/a.csv"
is "$(as_nobody ls "$C/tag" | paste -sd,)" new "a user does not see tags of what that user may not read"
chmod 644 "$B/a.csv"

mv "$B/a.csv" "$B/c.csv"
is "$(tagged pii)" "data/c.csv" "a renamed file keeps its tags"
put three "$B/.c.csv.new" && mv "$B/.c.csv.new" "$B/c.csv"
is "$(tags "$B/c.csv")/$(tagged pii)" "pii,new/data/c.csv" "a file that is saved by another one, too"
put four "$B/d.csv" && setfattr -n user.xdg.tags -v own "$B/d.csv" && mv "$B/d.csv" "$B/c.csv"
is "$(tags "$B/c.csv")" own "unless that has its own"
: >"$B/empty" && setfattr -n user.xdg.tags -v kept "$B/empty" && put five "$B/d.csv" && mv "$B/d.csv" "$B/empty"
is "$(tags "$B/empty")" kept "an empty one has nothing else that is worth keeping"
rm "$B/empty"
rm "$B/b.csv"
is "$(tagged new)" "data/folder" "what was deleted has none"
down
up
is "$(tagged own)" "data/c.csv" "they are there after a remount"
"$TARN" tag "$B/c.csv" -own
ok "without the last one the attribute is gone" not getfattr -n user.xdg.tags "$B/c.csv"
is "$(names "$C/tag")" new "and so is the tag"

# More names than a listing has at first; each is there once, whatever comes meanwhile.
many() { seq -f "many-%03g" "$1" "$2" | paste -sd,; }
for i in $(seq 0 19); do
	put x "$B/many-$i"
	setfattr -n user.xdg.tags -v "$(many $((i * 40)) $((i * 40 + 39)))" "$B/many-$i"
done
is "$(names "$C/tag")" "$(many 0 799),new" "a listing of many names has each of them once"
down
