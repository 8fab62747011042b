#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes ./configure from configure.ac. Needs autoconf, automake and pkgconf's m4 macros.
set -eu
cd "$(dirname "$0")"

missing=
command -v autoreconf >/dev/null || missing="$missing autoconf"
command -v automake >/dev/null || missing="$missing automake"
command -v pkg-config >/dev/null || missing="$missing pkgconf"
if [ -n "$missing" ]; then
	echo "autogen.sh: missing:$missing; run: apt-get install$missing" >&2
	exit 1
fi
exec autoreconf --install --warnings=all,no-portability
