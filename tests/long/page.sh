#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog/index.html of 10,000 files in headless Chromium: fast, found, drawn, dark, without an error. Pictures of it
# are kept as page-*.png in the folder that PICTURES names.
. "$(dirname "$0")/lib.sh"
need chromium "install chromium"
need python3 "install python3"

lake_up lake
mkdir "$B/deep" "$B/many"
for i in 1 2 3; do
	python3 - $((i * 400)) $((i > 1)) >"$B/deep/sales.csv" <<-'END_PY'
		import random, sys
		random.seed(1)
		rows, late = int(sys.argv[1]), int(sys.argv[2])
		print("id,amount,region,email,ordered" + (",returned" if late else ""))
		for i in range(rows):
		    region = random.choices(["north", "south", "east", "west"], [8, 5, 3, 1])[0]
		    print(f"{i},{random.lognormvariate(3, 1):.2f},{region},c{i}@example.org,2026-{1 + i % 9:02}-{1 + i % 27:02}"
		          + (f",{'true' if random.random() < .1 else 'false'}" if late else ""))
	END_PY
done
setfattr -n user.xdg.tags -v 'pii,finance' "$B/deep/sales.csv"
python3 - "$B/many" <<'END_PY'
import sys
for i in range(9999):
    with open(f"{sys.argv[1]}/file-{i:04}.{['txt', 'md', 'log'][i % 3]}", "w") as f:
        f.write(f"file {i}\n" * (i % 50 + 1))
END_PY
cat "$B/deep/sales.csv" >/dev/null

end=$((SECONDS + 120))
until grep -q 'deep/sales.csv",.*"versions":.*"q75"' "$MNT/.catalog/index.html" || [ $SECONDS -gt $end ]; do sleep 0.2; done
mkdir -p "${PICTURES:=$WORK/pictures}"
cp "$MNT/.catalog/index.html" "$WORK/index.html"
result $? "the page is made: $(stat -c %s "$WORK/index.html") bytes"
timeout 300 python3 "$HERE/../page/look.py" "$WORK/index.html" "$PICTURES" 2>"$WORK/look.log" | grep -v '^1\.\.'
result "${PIPESTATUS[0]}" "Chromium came to the end" "$WORK/look.log"
cd / && down
