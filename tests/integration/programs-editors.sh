#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What vim and nano leave in history: one version for each save that changed something, and none of their own files.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program python3 python3
need_program nano nano
vim=$(command -v vim.tiny || command -v vim) || skip_all "vim is missing (Debian: vim-tiny)"

# Below $TMPDIR vim would make no backups.
vim_f() { type_to "$1" "$vim" -u NONE -i NONE -N --cmd 'set backupskip=' "${@:2}" "$F"; }
nano_f() { type_to "$1" nano --ignorercfiles "${@:2}" "$F"; }

rows()
{
	begin vim.txt
	vim_f ':%s/A/B/\r:wq\r'
	tells "$F" "1=A 2=B" "$1: vim"
	vim_f ':%s/B/C/\r:w\r :%s/C/D/\r:wq\r'
	tells "$F" "1=A 2=B 3=C 4=D" "$1: vim, saved twice"
	vim_f ':w\r :wq\r'
	tells "$F" "1=A 2=B 3=C 4=D" "$1: vim, saved without a change"
	vim_f ':%s/D/E/\r:wq\r' --cmd 'set backupcopy=yes'
	tells "$F" "1=A 2=B 3=C 4=D 5=E" "$1: vim with backupcopy=yes"
	vim_f ':%s/E/F/\r:wq\r' --cmd 'set backup'
	tells "$F" "1=A 2=B 3=C 4=D 5=E 6=F" "$1: vim with backup"
	is "$(cat "$F~")" E "$1: which keeps the file before beside it"
	vim_f ':%s/F/G/\r:wq\r' --cmd 'set backup'
	tells "$F" "1=A 2=B 3=C 4=D 5=E 6=F 7=G" "$1: and again"
	rm "$F~"
	for name in vim.txt~ .vim.txt.swp .vim.txt.swpx .vim.txt.swx 4913; do
		is "$(versions "$B/$name")" "" "$1: no versions of $name"
	done
	is "$(ls -A "$B")" vim.txt "$1: nothing else is left"

	begin nano.txt
	nano_f 'B\r \x0f \r \x18'
	tells "$F" "1=A 2=B,A" "$1: nano"
	nano_f '\x0f \r \x18'
	tells "$F" "1=A 2=B,A" "$1: nano, saved without a change"
	nano_f 'C\r \x0f \r \x18' --backup
	tells "$F" "1=A 2=B,A 3=C,B,A" "$1: nano with backup"
	is "$(versions "$F~")" "" "$1: of which there are no versions"
	ok "$1: the first is there after all was saved" test "$(cat "$B/vim.txt@v1")" = A
}
both_ways rows
