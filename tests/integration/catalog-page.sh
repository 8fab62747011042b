#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog/index.html: one file with all that its reader may see, which no name can break out of. tests/long/page.sh
# opens it in a browser.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_root
need_program node nodejs

lake lake
up
mkdir "$B/deep"
for i in 1 2 3; do printf 'id,amount,email\n%s' "$(seq "$i" | sed 's/.*/&,&0,a&@example.org/')" >"$B/deep/sales.csv"; done
printf 'id\n1\n' >"$B/old.csv" && printf 'id,name\n1,x\n' >"$B/old.csv"
setfattr -n user.xdg.tags -v 'pii,finance 2026' "$B/deep/sales.csv"
put x "$B/<!--<script>alert(1).txt"
put x "$B/"$'b\xe4d \'"&.txt'
put secret "$B/secret.csv" && chmod 600 "$B/secret.csv"
ok "the search by itself" env TARN_SOURCE="$TARN_SOURCE" node --test "$TARN_SOURCE/tests/page/search.js"
PAGE=$M/.catalog/index.html
page() { node "$TARN_SOURCE/tests/page/query.js" "$PAGE" "$1" 2>&1; }
described() { [ "$(tail -n +2 "$M/.catalog/tables.csv" | wc -l)" -ge 2 ]; }

ok "what the files are is known a moment later" within 20 described
exec 3<"$PAGE"
is "$(wc -c <&3)" "$(stat -L -c %s /dev/fd/3)" "stat tells its exact size"
exec 3<&-
cat >"$FOLDER/wanted" <<'END'
5
sales: sales.csv
type:csv: old.csv sales.csv secret.csv
tag:pii: sales.csv
tag:"finance 2026" deep: sales.csv
column:email: sales.csv
size:<5 bucket:data: <!--<script>alert(1).txt b\xe4d '"&.txt
modified:>2026-01-01 nowhere:
../data/b%e4d%20'%22%26.txt
id BIGINT,amount BIGINT,email VARCHAR
3:3,2:2,1:1
{"added":[{"name":"name","type":"VARCHAR"}],"removed":[],"changed":[]}
4
END
# shellcheck disable=SC2016 # the $ is JavaScript's
page '[files.length, ...["sales", "type:csv", "tag:pii", `tag:"finance 2026" deep`, "column:email",
	"size:<5 bucket:data", "modified:>2026-01-01 nowhere"].map(q =>
		(q + ": " + search(files, q).map(f => shown(f.name)).sort().join(" ")).trim()),
	address(files.find(f => f.name[0] === "b").path), ...(t => [
		t.columns.map(c => c.name + " " + c.type).join(), t.versions.map(v => v.number + ":" + v.rows).join()])
		(byPath.get("data/deep/sales.csv").table),
	...(t => [JSON.stringify(schemaChanges(data.schemas[t.versions[1].schema], data.schemas[t.versions[0].schema]))])
		(byPath.get("data/old.csv").table),
	quartileBars(byPath.get("data/deep/sales.csv").table.columns[0]).length].join("\n")' >"$FOLDER/got"
ok "files, what finds them, a table, its versions, what changed between them, its statistics" \
	diff "$FOLDER/wanted" "$FOLDER/got"

chmod 755 "$FOLDER" "$L" "$M" "$B"
as_nobody cat "$PAGE" >"$FOLDER/nobody.html"
is "$(node "$TARN_SOURCE/tests/page/query.js" "$FOLDER/nobody.html" files.length)" 4 "another user has a page without what is not theirs"
ok "nor is it anywhere in it" not grep -q secret.csv "$FOLDER/nobody.html"
is "$(as_nobody stat -c %s "$PAGE")" "$(wc -c <"$FOLDER/nobody.html")" "with a size of its own"
ok "root's has it" grep -q secret.csv "$PAGE"
fails EROFS "it cannot be written" put x "$PAGE"
down
