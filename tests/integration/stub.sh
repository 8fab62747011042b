#!/bin/bash
# A stub is the file that it stands for: what lists, compares and changes names and attributes recalls nothing; behind
# the mount no byte of it can be read.
# shellcheck disable=SC2016,SC2086
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
N=100
for ((i = 0; i < N; i++)); do
	head -c $((i * 700 + 1)) /dev/urandom >"$B/f$i"
done
mkdir "$B/d"
echo 'to be linked' >"$B/linked"
printf 'echo ran\n' >"$B/script"
chmod 750 "$B/script"
setfattr -n user.note -v 'a note' "$B/f1"
setfacl -m u:$NOBODY:r "$B/f2"
chmod 640 "$B/f3"
chown $NOBODY:$NOBODY "$B/f4"
touch -d '2001-02-03 04:05:06.789' "$B/f5"
(cd "$B" && sha256sum -- *f* script linked 2>/dev/null) >"$FOLDER/sums"
(cd "$B" && stat -c '%n %s %a %U %G %Y %F' -- *f* script linked) >"$FOLDER/stats"
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
is "$(find "$B" -type l | wc -l)" $((N + 2)) 'only placeholders lie in the bucket'

# ---- behind the mount ----
ok 'behind the mount no byte can be read' sh -c '! cat "$1"/f* >/dev/null 2>&1 && ! head -c 1 "$1/f7"' sh "$B"
ok 'nor copied through the placeholders' sh -c '! cp -rL "$1" "$2"' sh "$B" "$FOLDER/followed"
is "$(find "$FOLDER/followed" -type f | wc -l)" 0 'and nothing is made of them'
ok 'nothing can be written through one' sh -c '! echo x >"$1/f7"' sh "$B"
cp -a "$L" "$FOLDER/copy"
cp -a "$CLOUD_DIR" "$FOLDER/cloud-copy" # the objects follow what is done to the lake from now on
sed -i "s,$CLOUD_DIR,$FOLDER/cloud-copy," "$FOLDER/copy/config/settings.yaml"

stubs() { find "$FOLDER/raw/buckets/data" -type l 2>/dev/null | wc -l; }
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
up

# ---- looking ----
is "$(cd "$B" && stat -c '%n %s %a %U %G %Y %F' -- *f* script linked | cmp - "$FOLDER/stats" && echo same)" same \
	'size, mode, owner and mtime are those of the files'
is "$(find "$B" -type f | wc -l)" $((N + 2)) 'find sees files'
is "$(find "$B" -type l | wc -l)" 0 'and no symlinks'
ok 'ls -l --color' sh -c 'ls -lR --color=always "$1" >/dev/null' sh "$B"
ok 'du' du -s "$B"
is "$(find "$B" -maxdepth 1 -name 'f*' -size +20k | wc -l)" \
	"$(for ((i = 0; i < N; i++)); do [ $(((i * 700 + 1 + 1023) / 1024)) -gt 20 ] && echo; done | wc -l)" 'find -size'
is "$(getfattr --only-values -n user.note "$B/f1")" 'a note' 'an extended attribute'
like "$(getfacl -pcn "$B/f2")" "user:$NOBODY:r--" 'an ACL'
ok 'which holds' setpriv --reuid $NOBODY --regid $NOBODY --clear-groups test -r "$B/f2"
ok 'and a mode does, too' setpriv --reuid $NOBODY --regid $NOBODY --clear-groups sh -c '! test -r "$1"' sh "$B/f3"
is "$(stat -c %b "$B/f50")" 1 'it occupies next to nothing, but something'
is "$(stubs)" $((N + 2)) 'none of that recalled anything'

# ---- changing what is not content ----
ok 'chmod' chmod 4711 "$B/f10"
ok 'chown takes set-id bits away' chown $NOBODY "$B/f10"
is "$(stat -c '%a %u' "$B/f10")" "711 $NOBODY" 'as it does of a file'
ok 'touch -c' touch -c -d '2010-01-01 UTC' "$B/f11"
is "$(stat -c %Y "$B/f11")" 1262304000 'gives it that time'
ok 'setfattr' setfattr -n user.x -v y "$B/f12"
ok 'setfattr -x' setfattr -x user.note "$B/f1"
is "$(getfattr -d --absolute-names "$B/f1")" '' 'takes one away'
ok 'setfacl' setfacl -m u:$NOBODY:rwx,m::rx "$B/f13"
is "$(stat -c %A "$B/f13")" '-rw-r-xr--' 'sets the mask, as on a disk'
ok 'chmod of one with an ACL' chmod g-x "$B/f13"
like "$(getfacl -pcn "$B/f13")" 'mask::r--' 'changes its mask'
ok 'rename' mv "$B/f14" "$B/d/moved"
ok 'rename over a stub' mv "$B/f15" "$B/f16"
echo new >"$B/plain"
ok 'rename of a file over a stub' mv "$B/plain" "$B/f17"
echo old >"$B/other"
ok 'rename of a stub over a file' mv "$B/f18" "$B/other"
ok 'unlink' rm "$B/f19"
mv --exchange "$B/f20" "$B/f21" 2>/dev/null || python3 - "$B/f20" "$B/f21" <<'PY'
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) != 0)
PY
ok 'O_TRUNC' sh -c ': >"$1/f22" && echo after >>"$1/f22"' sh "$B"
ok 'truncate to 0' truncate -s 0 "$B/f23"
is "$(cat "$B/f22")" after 'what is written then is there'
is "$(stat -c %s "$B/f23")" 0 'and nothing else'
gone=5 # f16's and f19's, f17, f22, f23
is "$(stubs)" $((N + 2 - gone)) 'none of that recalled anything'
sum() { sha256sum <"$1" | cut -c1-64; }
was() { grep " $1\$" "$FOLDER/sums" | cut -c1-64; }
is "$(sum "$B/f17@v1")" "$(was f17)" 'what a file was renamed over can be read'
is "$(sum "$B/f19@v1")" "$(was f19)" 'what was removed, too'
is "$(sum "$B/f22@v1")" "$(was f22)" 'what was truncated, too'
is "$(sum "$B/f16@v1")" "$(was f16)" 'and what another stub was renamed over'
is "$(sum "$B/other")" "$(was f18)" 'a stub that was renamed over a file has its bytes'
is "$(sum "$B/f20") $(sum "$B/f21")" "$(was f21) $(was f20)" 'exchanged ones have theirs'
is "$(sum "$B/d/moved")" "$(was f14)" 'and a moved one'
is "$(stat -c %s "$B/f24@v1")" "$(stat -c %s "$B/f24")" 'a version of what is a stub now'
is "$(sum "$B/f24@v1")" "$(was f24)" 'can be read'

# ---- content ----
before=$(stat -c '%a %Y %u' "$B/f10")
is "$(sum "$B/f10")" "$(was f10)" 'reading one brings its bytes'
is "$(stat -c '%a %Y %u' "$B/f10")" "$before" 'with mode, time and owner'
ok 'truncate to something' truncate -s 10 "$B/f25"
ok 'append' sh -c 'echo more >>"$1/f26"' sh "$B"
is "$(head -c -5 "$B/f26" | sha256sum | cut -c1-64)" "$(was f26)" 'appends come after what was there'
ok 'link' ln "$B/linked" "$B/linked2"
is "$(stat -c '%h' "$B/linked")-$(cat "$B/linked2")" '2-to be linked' 'both names have the bytes'
is "$("$B/script")" ran 'one can be run'
ok 'tar' sh -c 'tar -C "$1" -cSf "$2/t.tar" f30 f31 f32 && mkdir "$2/t" && tar -C "$2/t" -xf "$2/t.tar"' sh "$B" "$FOLDER"
ok 'cp --sparse=always' cp --sparse=always "$B/f33" "$B/f34" "$FOLDER/t"
for f in f30 f31 f32 f33 f34; do
	is "$(sum "$FOLDER/t/$f")" "$(was $f)" "$f has the right bytes"
done
ok 'mv to the trash keeps it' sh -c 'mkdir -p "$1/.Trash-0/files" && mv "$1/f40" "$1/.Trash-0/files/"' sh "$B"
is "$(sum "$B/.Trash-0/files/f40")" "$(was f40)" 'and it can be read there'
ln -s "$(readlink "$FOLDER/raw/buckets/data/f41")" "$B/forged"
ok 'a user may make a symlink that looks like a placeholder' test -L "$B/forged"
ok 'and it leads nowhere' sh -c '! cat "$1"' sh "$B/forged"
down

# ---- again, and the copy ----
up
ok 'after a remount it is a symlink still' test -L "$B/forged"
for f in f1 f2 f5 f12 f13 f41 f99; do
	is "$(sum "$B/$f")" "$(was $f)" "$f has its bytes"
done
is "$(stat -c %A "$B/f13")" '-rw-r--r--' 'a file that came back has its ACL'
is "$(getfattr --only-values -n user.x "$B/f12")" y 'and what was set while it was away'
is "$(stat -c %y "$B/f5")" "$(TZ='' date -d '2001-02-03 04:05:06.789' '+%F %T.%N +0000')" 'and its time'
down
umount "$FOLDER/raw"
L=$FOLDER/copy M=$L/buckets B=$M/data
up
is "$(find "$B" -type f | wc -l)" $((N + 2)) 'a copy of the lake has its stubs'
is "$(cd "$B" && sha256sum -c --quiet "$FOLDER/sums" && echo right)" right 'and they have their bytes'
down
