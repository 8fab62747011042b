# What the tests of the table "What programs leave in history" in tarn(7) share. A test sources lib.sh, then this file.
# Its rows begin with `begin NAME`: F, a new file with version 1, whose content is A.
# shellcheck shell=bash

# begin NAME: F is a new file of that name in B, with the content A.
begin()
{
	F=$B/$1
	put A "$F"
}

# need_program PROGRAM PACKAGE
need_program() { command -v "$1" >/dev/null || skip_all "$1 is missing (Debian: $2)"; }

# story FILE: what FILE@v/ lists, each number with its content, as "1=A 2=B"; ends of lines within are commas. The
# last one must be what the live file has.
story()
{
	local name out='' text last=''
	for name in $(versions "$1"); do
		text=$(cat "$1@v/$name" 2>&1)
		out+="${out:+ }${name%%.*}=${text//$'\n'/,}"
		last=$1@v/$name
	done
	[ -z "$last" ] || [ ! -e "$1" ] || cmp -s "$last" "$1" || out+=" and the live file is another"
	echo "$out"
}

# tells FILE STORY TEXT: a point. A file that could be mapped is cut a moment after it was closed.
tells()
{
	within 3 equal "$2" story "$1"
	is "$(story "$1")" "$2" "$3"
}

# type_to KEYS COMMAND…: runs it in a terminal, and types KEYS: parts with a blank between them, as printf takes them,
# each when the program has nothing more to show, and takes keys as they come rather than by lines.
type_to()
{
	TERM=vt100 HOME=$FOLDER timeout 30 python3 - "$@" 2>&1 >"$FOLDER/screen" <<-'END'
		import os, pty, select, sys, termios
		keys = [k.encode().decode("unicode_escape").encode() for k in sys.argv[1].split(" ")]
		pid, terminal = pty.fork()
		if not pid:
		    os.execvp(sys.argv[2], sys.argv[2:])
		while True:
		    try:
		        if select.select([terminal], [], [], 0.2)[0]:
		            os.write(1, os.read(terminal, 65536))
		        elif keys and not termios.tcgetattr(terminal)[3] & termios.ICANON:
		            os.write(terminal, keys.pop(0))
		    except OSError:
		        break
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
}
