#!/bin/bash
# Nobody who only looks empties the cloud onto the disk: indexers and thumbnailers get what is here, and so does everybody
# with stubs=fail; who reads everything reads it right, and it stays where it was.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
N=60

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
mkdir "$B/many"
for ((i = 0; i < N; i++)); do
	head -c 200000 /dev/urandom >"$B/many/f$i"
done
head -c 9000000 /dev/urandom >"$B/large"
(cd "$B" && find . -type f -exec sha256sum {} +) | sort >"$FOLDER/sums"
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
RAW=$FOLDER/raw/buckets/data
stubs() { find "$RAW" -type l | wc -l; }
sum() { sha256sum <"$1" | cut -d' ' -f1; }

# ---- who is denied ----
up
cp "$(command -v cat)" "$FOLDER/tumblerd"
cp "$(command -v head)" "$FOLDER/my-thumbnailer"
for f in large many/f1; do
	ok "an indexer cannot read $f" sh -c '! "$1" "$2" >/dev/null 2>"$3"' sh "$FOLDER/tumblerd" "$B/$f" "$FOLDER/error"
	like "$(cat "$FOLDER/error")" 'No data available' 'and is told so'
	ok 'but its head' sh -c '"$1" -c 100 "$2" >/dev/null' sh "$FOLDER/my-thumbnailer" "$B/$f"
done
is "$(stubs)" $((N + 1)) 'nothing came back for it'
down
settings 'buckets: {data: {tier: local}}'
sed -i 's/cloud_allow_same_disk: true/&, recall_deny: [sha256sum]/' "$L/config/settings.yaml"
up
ok 'the settings say who' sh -c '! sha256sum "$1" >/dev/null 2>&1' sh "$B/large"
ok 'and so who is not' "$FOLDER/tumblerd" "$B/large"
down
settings 'buckets: {data: {tier: local}}'

# ---- a mount that downloads nothing ----
up -o stubs=fail
ok 'with stubs=fail nobody can' sh -c '! cat "$1" >/dev/null 2>&1' sh "$B/many/f1"
is "$(find "$B" -type f | wc -l)" $((N + 1)) 'they are listed, though'
down
up -o stubs=skip
is "$(find "$B" -type f)" '' 'with stubs=skip they are not'
echo here >"$B/many/here"
is "$(find "$B" -type f -printf '%f ')" 'here ' 'but what is here is'
ok 'one that is asked for by its name is there' test -f "$B/many/f1"
ok 'and not downloaded' sh -c '! cat "$1" >/dev/null 2>&1' sh "$B/many/f1"
mkdir "$FOLDER/backup"
within 20 test -e "$B/many/here@v/1"
ok 'a view of the past is mounted' "$TARN" mount "$L" "$FOLDER/backup" -o \
	"view=commit-$(jq -r .commit "$B/many/here@v/history.jsonl" | tail -n 1),stubs=skip"
is "$(find "$FOLDER/backup" -type f -printf '%f ')" 'here ' 'it can do the same'
ok 'and downloads nothing' sh -c '! cat "$1" >/dev/null 2>&1' sh "$FOLDER/backup/data/many/f1"
"$TARN" umount "$FOLDER/backup" >/dev/null
rm "$B/many/here"
down
exits 2 'another word is refused' "$TARN" mount "$L" -o stubs=maybe

# ---- who reads more than its budget ----
settings 'buckets: {data: {tier: local}}'
sed -i 's/cloud_allow_same_disk: true/&, recall_budget_gb: 0.0005/' "$L/config/settings.yaml"
up
for f in f11 f12 f13; do # of 200,000 bytes each
	is "$(sum "$B/many/$f")" "$(awk -v f="./many/$f" '$2 == f { print $1 }' "$FOLDER/sums")" "$f is read right"
done
cat "$B/many/f14" >"$FOLDER/read" # another program, whose file comes after those
back() { [ ! -L "$RAW/many/$1" ]; }
ok 'what another program reads stays' within 20 back f14
ok 'and so does what is within the budget' within 20 back f12
ok 'but not what is beyond it' test -L "$RAW/many/f13"
down
settings 'buckets: {data: {tier: local}}'

# ---- who reads everything ----
up
mkdir "$FOLDER/unpacked"
(tar -C "$B" -cf - . 2>"$FOLDER/tar" || echo failed >>"$FOLDER/tar") | tar -C "$FOLDER/unpacked" -xf -
is "$(cd "$FOLDER/unpacked" && sha256sum --quiet -c "$FOLDER/sums" 2>&1 && echo right)" right 'who reads everything reads it right'
is "$(cat "$FOLDER/tar")" '' 'and tar sees nothing change meanwhile'
sleep 2
ok 'and most of it stays where it was' test "$(stubs)" -ge 20
down
umount "$FOLDER/raw"
