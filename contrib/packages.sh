# shellcheck shell=sh disable=SC2034
# The Debian packages that quickstart and check install, and how. Sourced by both; what each library is for is a table
# in HACKING.md.

packages_build="autoconf automake gcc libc6-dev libcsv-dev libcurl4-openssl-dev libexpat1-dev libfuse3-dev libjson-c-dev \
libmagic-dev libs3-dev libseccomp-dev libsqlite3-dev libssl-dev libyaml-dev libzstd-dev make pkgconf uthash-dev zlib1g-dev"
packages_run="diffutils fuse3"
packages_test="acl attr bash borgbackup bsdutils ceph-common ceph-mon ceph-osd clang curl e2fsprogs file git gzip jq less \
libglib2.0-bin logrotate mandoc nano nodejs npm openssl postgresql procps python3 python3-jsonschema radosgw restic rsync \
shellcheck sqlite3 util-linux vim-tiny xfsprogs xz-utils"

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Those of the packages that are not installed, and that no other one provides (as some nodejs do with npm).
packages_missing() {
	provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | sed -n 's/^installed //p' | tr -s ', ' '\n')
	for package in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || echo "$provided" | grep -qxF "$package" || echo "$package"
	done | tr '\n' ' '
}

# packages_install ASK PACKAGE...: what is missing of them, with one apt-get install; ASK=yes asks first.
packages_install() {
	ask=$1
	shift
	for tool in dpkg-query apt-get; do
		command -v "$tool" >/dev/null || die "no $tool: this is for Debian; HACKING.md lists the libraries to install"
	done
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0

	if [ "$(id -u)" = 0 ]; then
		as_root="env"
	elif command -v sudo >/dev/null; then
		as_root="sudo env"
	else
		die "these packages are missing, and there is neither root nor sudo to install them; as root, run
    apt-get install ${missing% }
and start again"
	fi
	echo "Missing packages: $missing"
	if [ "$ask" = yes ]; then
		printf 'Install them with apt-get? [Y/n] '
		read -r answer || answer=n
		case $answer in
		'' | [Yy]*) ;;
		*) die "nothing was installed; run: apt-get install ${missing% }" ;;
		esac
	fi
	# shellcheck disable=SC2086
	apt_install() {
		$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing \
			>"$apt_log" 2>&1 </dev/null
	}
	apt_log=$(mktemp)
	# The lists of a fresh machine are empty or old: get them when the first try shows it.
	if ! apt_install; then
		if ! $as_root apt-get update -q >"$apt_log" 2>&1 </dev/null || ! apt_install; then
			tail -n 20 "$apt_log" >&2
			rm -f "$apt_log"
			die "apt-get could not install: $missing"
		fi
	fi
	rm -f "$apt_log"
}

# copy_source FROM TO: the project without what was built in it; times are kept, so that a second build does little.
copy_source() {
	mkdir -p "$2"
	tar -C "$1" --exclude=./.git --exclude='./build-*' --exclude='./build' --exclude=autom4te.cache --exclude='*.o' \
		--exclude='*.a' --exclude=.deps --exclude=.dirstamp --exclude=./Makefile --exclude=./config.status \
		--exclude=./config.h --exclude=./stamp-h1 --exclude=./tarn --exclude='*.trs' --exclude='*.log' \
		--format=posix -cf - . |
		tar -C "$2" -xf -
}
