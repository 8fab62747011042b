#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn reload` and SIGHUP apply the settings without unmounting.
. "$(dirname "$0")/lib.sh"

lake lake
up
exec 5>"$B/open"
put one "$B/a.log"
put two "$B/a.log"
is "$(versions "$B/a.log")" "1.log 2.log" "a file is versioned"
printf 'buckets:\n  data: {exclude: ["*.log"]}\n' >"$L/config/settings.yaml"
exits 0 "reload" "$TARN" reload "$L"
put one "$B/b.log"
put two "$B/b.log"
is "$(versions "$B/b.log")" "" "a pattern of exclude holds at once"
printf 'buckets:\n  data: {exclude: ["*.txt"]}\n' >"$L/config/settings.yaml"
kill -HUP "$(daemon_pid)"
reloaded() { [ "$(log_lines 'settings reloaded')" -ge 2 ]; }
ok "SIGHUP does the same" within 10 reloaded
put one "$B/c.log"
put two "$B/c.log"
is "$(versions "$B/c.log")" "1.log 2.log" "the pattern is gone"
put one "$B/c.txt"
put two "$B/c.txt"
is "$(versions "$B/c.txt")" "" "the new one holds"
echo later >&5
exec 5>&-
is "$(cat "$B/open")" later "what was open went on"
printf 'bucket: {}\nmonitoring: {log_level: INFO}\n' >"$L/config/settings.yaml"
exits 0 "a warning does not hinder" "$TARN" reload "$L"
like "$(cat "$FOLDER/out")" "settings.yaml:1:1: .*buckets" "and is said"
printf 'buckets: [\n' >"$L/config/settings.yaml"
kill -HUP "$(daemon_pid)"
refused() { [ "$(log_lines 'settings.yaml:[0-9]+:[0-9]+')" -ge 2 ]; }
ok "SIGHUP with a wrong file is in the log" within 10 refused
ok "the mount goes on" touch "$B/file"
down
exits 1 "reload of a lake that is not mounted" "$TARN" reload "$L"
