#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dpkg --root: unpacks Debian packages into the mount (many renames, links, fsyncs), checks them with dpkg --verify, and
# compares with the same packages extracted into a plain folder.
. "$(dirname "$0")/lib.sh"
need dpkg "a Debian system is needed"
need python3 "install python3"
need_root

packages=(coreutils gzip sed grep tar findutils libpython3-stdlib git-man)
mkdir "$WORK/debs"
(cd "$WORK/debs" && chmod 777 . && apt-get -q download "${packages[@]}") >"$WORK/download.log" 2>&1 ||
	{ skip dpkg "apt-get download failed"; note <"$WORK/download.log"; exit 0; }
# A preinst would need a system to run in. Which packages have one is not the same in every release.
packages=()
for deb in "$WORK"/debs/*.deb; do
	if dpkg-deb -I "$deb" preinst >/dev/null 2>&1; then
		rm "$deb"
		continue
	fi
	packages+=("$(dpkg-deb -f "$deb" Package)")
	dpkg-deb -x "$deb" "$WORK/plain"
done
"$HERE/tree.py" "$WORK/plain" >"$WORK/plain.tree"

# Without dpkg's own files and the times of folders, which are those of the last package that has them.
unpacked() { grep -v "^b'var['/]" | sed -E '/^b.* d[-rwxsStT]{9} /s/ mtime=[0-9]+//'; }

unpack()
{
	local log=$WORK/dpkg.log start=$SECONDS
	lake_up lake
	mkdir -p root/var/lib/dpkg/{info,updates} && touch root/var/lib/dpkg/{status,available}
	dpkg --root="$B/root" --force-depends --force-breaks --force-conflicts --unpack "$WORK"/debs/*.deb >"$log" 2>&1
	result $? "dpkg --root --unpack of ${#packages[@]} packages, $MODE: $((SECONDS - start)) s" "$log"
	dpkg --root="$B/root" --verify "${packages[@]}" >"$log" 2>&1 && [ ! -s "$log" ]
	result $? "dpkg --verify, $MODE" "$log"
	"$HERE/tree.py" root >"$WORK/root.tree"
	diff <(unpacked <"$WORK/plain.tree") <(unpacked <"$WORK/root.tree") >"$log"
	result $? "dpkg: the same tree as in a plain folder, $MODE" "$log"
	lake_gone dpkg
}
modes unpack
