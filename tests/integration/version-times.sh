#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Earlier versions by time, in every spelling: the newest one committed at or before it.
. "$(dirname "$0")/lib.sh"

lake lake
up
# now: a moment between two versions, in nanoseconds since 1970.
now() { sleep 0.02; date +%s%N; sleep 0.02; }
# at NS FORMAT: that moment as date(1) prints it in UTC.
at() { date -u -d "@${1:0:10}.${1:10}" "+$2"; }

F=$B/sales.csv
before=$(now)
put one "$F"
first=$(now)
put two "$F"
second=$(now)
put three "$F"
third=$(now)

for format in %FT%T.%NZ %FT%H-%M-%S.%NZ %Y%m%dT%H%M%S.%NZ epoch-%s.%N %FT%T.%N %FT%T.%N+00:00; do
	is "$(cat "$F@v/$(at "$first" "$format").csv")" one "the first, $format"
	is "$(cat "$F@v/$(at "$second" "$format")")" two "the second, without the extension"
done
is "$(cat "$F@v/$(TZ=UTC-1 date -d "@${second:0:10}.${second:10}" +%FT%T.%N%:z).csv")" two "a time with an offset"
is "$(cat "$F@v/$(at "$third" %FT%T.%NZ).csv")" three "the live one"
fails ENOENT "before the first there is nothing" cat "$F@v/$(at "$before" %FT%T.%NZ).csv"
fails ENOENT "not long before it, either" cat "$F@v/1990-01-01.csv"
fails ENOENT "nor in 1066" cat "$F@v/1066-10-14.csv"
fails ENOENT "the future is not known" cat "$F@v/$(date -u -d '+1 hour' +%FT%TZ).csv"
fails ENOENT "nor tomorrow" cat "$F@v/$(date -u -d tomorrow +%F).csv"
fails ENOENT "nor the year 9999" cat "$F@v/9999-12-31"
for name in 2026-02-30 2026-11-31.csv 2026-1-1 epoch- now 20261120 "2026-11-20 09:00:00" 2026-11-20T25:00:00Z; do
	fails ENOENT "$name is nothing" cat "$F@v/$name"
done

# Seconds without a fraction, as Samba asks for them.
sleep 1.1
whole=$(date +%s)
sleep 1.1
put four "$F"
for format in %F %FT%TZ %FT%H-%M-%SZ %Y%m%dT%H%M%SZ epoch-%s @GMT-%Y.%m.%d-%H.%M.%S; do
	[ "$format" != %F ] || continue
	is "$(cat "$F@v/$(date -u -d "@$whole" "+$format").csv")" three "whole seconds, $format"
done
is "$(versions "$F")" "1.csv 2.csv 3.csv 4.csv" "times are found by name and not listed"
is "$(stat -c %i "$F@v/$(at "$first" %FT%T.%NZ).csv")" "$(stat -c %i "$F@v/1.csv")" "it is the version with the number"
fails EROFS "which cannot be written" put x "$F@v/$(at "$first" %FT%T.%NZ).csv"

mv "$F" "$B/sales.old"
is "$(cat "$B/sales.old@v/$(at "$first" %FT%T.%NZ)")" one "renamed, its past goes along"
rm "$B/sales.old"
is "$(cat "$B/sales.old@v/$(at "$second" %FT%T.%NZ)")" two "removed, its past stays"
put one "$B/a.tar.gz"
is "$(cat "$B/a.tar.gz@v/$(at "$(now)" %FT%H-%M-%S.%NZ).tar.gz")" one "a compression suffix keeps the one before it"
down
is "$(find "$B" | wc -l)" 2 "nothing of this is on disk"
up
is "$(cat "$B/sales.old@v/$(at "$second" %FT%T.%NZ)")" two "after the next mount, too"
down
