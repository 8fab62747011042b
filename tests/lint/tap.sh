# shellcheck shell=sh
# TAP for the lint scripts: each finding is a line that the failed point shows.

points=0

# check NAME FINDINGS: a point that is ok when FINDINGS is empty.
check() {
	points=$((points + 1))
	if [ -z "$2" ]; then
		echo "ok $points - $1"
	else
		echo "not ok $points - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# skip NAME REASON
skip() {
	points=$((points + 1))
	echo "ok $points - $1 # SKIP $2"
}

finish() {
	echo "1..$points"
}

# project_files DIR-OR-FILE...: the project's own files below them, without what was built. Names here have no blanks.
project_files() {
	if [ -e "$TARN_SOURCE/.git" ] && command -v git >/dev/null; then
		git -c safe.directory='*' -C "$TARN_SOURCE" ls-files --cached --others --exclude-standard -- "$@"
	else
		(cd "$TARN_SOURCE" && find "$@" \( -name .git -o -name .deps -o -name autom4te.cache -o -name build-aux \
			-o -name 'build-*' \) -prune -o -type f ! -name configure ! -name 'configure~' ! -name 'config.[hls]*' \
			! -name aclocal.m4 ! -name Makefile.in ! -name Makefile ! -name stamp-h1 ! -name '*.[oa]' -print) 2>/dev/null |
			sed 's|^\./||'
	fi | sort -u | while read -r file; do
		[ ! -f "$TARN_SOURCE/$file" ] || echo "$file"
	done
}
