#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Lineage as it is seen: .lineage, tarn lineage, tarn why; what users may know of others; off means off.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
# The README's example: two scripts, three steps, and a secret on a command line.
printf 'id,name\n1,ann\n2,bob\n' >"$B/customers.csv"
printf '1,30\n2,40\n1,5\n' >"$B/orders.csv"
cat >"$FOLDER/summary.sh" <<-'END'
	cut -d, -f1 orders.csv | sort | uniq -c > counts.part
	tail -n +2 customers.csv | paste -d, - counts.part > customer_summary.csv
	rm counts.part
END
cat >"$FOLDER/features.py" <<-'END'
	rows = [r.strip().split(",") for r in open("customer_summary.csv")]
	with open("customer_features.csv", "w") as out:
	    out.writelines(f"{r[1]};{len(r)}\n" for r in rows)
END
(cd "$B" && bash "$FOLDER/summary.sh" && python3 "$FOLDER/features.py" --password hunter2)
(cd "$B" && cp customers.csv copy.csv && cat customers.csv orders.csv | grep -r x . | cat >/dev/null)
edges() { tail -n +2 "$M/.lineage/edges.csv" | tr -d '\r' | sed 's|data/||g' | cut -d, -f1-5 | sort | paste -sd' '; }
copied() { grep -q ',copy,' "$M/.lineage/edges.csv"; }
ok "a copy is known when hashes are" within 20 copied
is "$(edges)" "copy.csv,1,customers.csv,1,copy customer_features.csv,1,customer_summary.csv,1,exact \
customer_summary.csv,1,customers.csv,1,pipe customer_summary.csv,1,orders.csv,1,pipe" "edges.csv: what was made from what"
runs=$M/.lineage/runs.jsonl
like "$(jq -r 'select(.exe | test("python3")) | .argv | join(" ")' "$runs")" \
	"python3[.0-9]* $FOLDER/features.py --password \*\*\*$" "runs.jsonl: by which command, without its secret"
is "$(grep -c grep "$runs")" 0 "who only reads is not in it"
like "$(jq -r 'select(.argv) | .argv | join(" ")' "$runs" | grep -c 'bash .*summary.sh$')" '^[1-9]' \
	"the script that started a program is"
cd "$B" || exit 1
is "$("$TARN" lineage customer_features.csv | sed 's|data/||; s|\(@v[0-9]*\)  .*|\1|')" "customer_features.csv@v1
└─ customer_summary.csv@v1
   ├─ customers.csv@v1
   └─ orders.csv@v1" "tarn lineage: the tree"
is "$("$TARN" lineage orders.csv --down --depth 1 | sed 's|data/||; s|\(@v[0-9]*\)  .*|\1|')" $'orders.csv@v1\n└─ customer_summary.csv@v1' \
	"down, one step"
like "$("$TARN" why customer_features.csv)" \
	'^data/customer_features.csv@v1 was made at .*Z by root with .*features.py.* from data/customer_summary.csv@v1\.' \
	"tarn why: a paragraph"
is "$("$TARN" lineage customer_summary.csv --json | jq -r '.[] | .input' | sort | paste -sd' ')" \
	"data/customers.csv data/orders.csv" "as JSON"
echo 3,cid >>customers.csv
is "$("$TARN" lineage customers.csv@v2 | sed 's|\(@v[0-9]*\)  .*|\1|')" $'data/customers.csv@v2\n└─ data/customers.csv@v1' \
	"what is added to comes from what was there"
is "$("$TARN" lineage customer_summary.csv | sed -n 2p | sed 's|\(@v[0-9]*\)  .*|\1|')" "├─ data/customers.csv@v1" \
	"an edge goes on leading to the version that was read"
cd / || exit 1
exits 1 "of what is not there nothing is known" "$TARN" lineage "$B/nothing"

# The kernel holds a lock of the process then, for which a reader of its /proc waits.
executes() { python3 -c 'import os, sys; os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT); os.execvp("true", ["true"])' "$1"; }
many_execute() { for _ in $(seq 20); do timeout 20 bash -c "$(declare -f executes); executes '$B/closed'" || return 1; done; }
ok "a file that is closed by executing a program waits for nobody" many_execute

chmod 600 "$B/orders.csv"
is "$(as_nobody cat "$M/.lineage/edges.csv" | grep -c orders)" 0 "a user sees no edge of what that user may not read"
is "$(as_nobody cat "$M/.lineage/edges.csv" | grep -c 'customers.csv,1,pipe')" 1 "but the others"
is "$(as_nobody cat "$runs" | jq -r 'select(.argv) | .argv | join(" ")' | grep -c .)" 0 "and no command lines of others"
is "$(as_nobody "$TARN" lineage "$B/customer_summary.csv" | grep -c orders)" 0 "tarn lineage neither"

sed -i 's/auto_lineage: true/auto_lineage: false/' "$L/config/settings.yaml"
grep -q auto_lineage "$L/config/settings.yaml" || echo 'catalog: {auto_lineage: false}' >>"$L/config/settings.yaml"
ok "switched off" "$TARN" reload "$L"
before=$(wc -l <"$M/.lineage/edges.csv")
sh -c 'sort "$1" >"$2"' sh "$B/customers.csv" "$B/sorted.csv"
is "$(wc -l <"$M/.lineage/edges.csv")" "$before" "nothing is recorded any more"
down
