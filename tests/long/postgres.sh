#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# PostgreSQL with its data in the mount: initdb, pgbench, kill -9 of the server under load, recovery, the invariants of
# pgbench's tables, pg_checksums.
. "$(dirname "$0")/lib.sh"
need_root
bin=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { skip postgres "initdb is missing: install postgresql"; exit 0; }
[ -x "$bin/pgbench" ] || { skip postgres "pgbench is missing: install postgresql-contrib"; exit 0; }

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env -C "$WORK" HOME="$WORK" "$@"; }

start_server()
{
	as_postgres "$bin/pg_ctl" -D "$B/data" -w -t 120 -l "$WORK/server/log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$WORK/server'" start
}

query() { as_postgres "$bin/psql" -h "$WORK/server" -d bench -Atqc "$1"; }

# Kills the server and all its processes, as a loss of power would end them.
kill_server()
{
	local main
	main=$(head -1 "$B/data/postmaster.pid") || return
	# shellcheck disable=SC2046 # several numbers
	kill -9 "$main" $(ps -o pid= --ppid "$main")
	while kill -0 "$main" 2>/dev/null; do sleep 0.05; done
}

database()
{
	local log=$WORK/postgres.log start=$SECONDS load tps rows promised
	lake_up lake
	mkdir -p "$WORK/server" data
	chown postgres: "$WORK/server" data
	as_postgres "$bin/initdb" -k -D "$B/data" --auth=trust >"$log" 2>&1 && start_server >>"$log" 2>&1
	local status=$?
	result $status "PostgreSQL initdb and start, $MODE" "$log"
	[ $status -eq 0 ] || { lake_gone postgres; return; }
	as_postgres "$bin/createdb" -h "$WORK/server" bench >>"$log" 2>&1
	as_postgres "$bin/pgbench" -h "$WORK/server" -i -q -s 5 bench >>"$log" 2>&1
	result $? "PostgreSQL pgbench -i, $MODE" "$log"

	as_postgres "$bin/pgbench" -h "$WORK/server" -n -c 4 -j 2 -T 10 bench >"$WORK/pgbench.log" 2>&1
	load=$?
	tps=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$WORK/pgbench.log")
	result $load "PostgreSQL pgbench, 4 clients, $MODE: $tps transactions/s" "$WORK/pgbench.log"

	as_postgres "$bin/pgbench" -h "$WORK/server" -n -c 4 -j 2 -T 60 bench >>"$WORK/pgbench.log" 2>&1 &
	CHILDREN=($!)
	sleep 8
	kill_server
	wait "${CHILDREN[0]}" 2>/dev/null
	CHILDREN=()
	rm -f "$WORK/server/.s.PGSQL.5432" "$WORK/server/.s.PGSQL.5432.lock"
	start_server >>"$log" 2>&1
	result $? "PostgreSQL recovery after kill -9, $MODE" "$log"
	holds "$(query 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)
		AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history)
		AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history)' 2>>"$log")" = t
	result $? "PostgreSQL: the balances agree after recovery, $MODE" "$log"
	rows=$(query 'SELECT count(*) FROM pgbench_history')
	promised=$(awk '/actually processed:/ { n += $6 } END { print n }' "$WORK/pgbench.log")
	holds "${rows:-0}" -ge "$promised"
	result $? "PostgreSQL: no transaction lost, $MODE: $promised were acknowledged, $rows found" "$WORK/pgbench.log"
	as_postgres "$bin/pg_ctl" -D "$B/data" -w -m fast stop >>"$log" 2>&1
	as_postgres "$bin/pg_checksums" --check -D "$B/data" >"$WORK/checksums.log" 2>&1
	status=$?
	rows=$(sed -n 's/^Blocks scanned: *//p' "$WORK/checksums.log")
	result $status "PostgreSQL pg_checksums, $MODE: $rows blocks, $((SECONDS - start)) s" \
		"$WORK/checksums.log"
	lake_gone postgres
	rm -rf "$WORK/server"
}

# Before lib.sh's own: a server that still runs would keep the mount busy.
trap 'kill_server 2>/dev/null; clean_up' EXIT
modes database
