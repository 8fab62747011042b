#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# make -j2 of a C project: compiled, linked and run in the mount, again after a header changed, and not again after
# nothing did (which needs right mtimes).
. "$(dirname "$0")/lib.sh"
need make "install make"
need cc "install gcc"

project()
{
	local i
	mkdir project && cd project || return
	echo 'int base(void);' >base.h
	for i in $(seq 80); do
		printf '#include <stdio.h>\n#include <stdlib.h>\n#include "base.h"\nint f%d(void) { return base() + %d; }\n' \
			"$i" "$i" >"f$i.c"
	done
	{
		echo '#include <stdio.h>'
		echo '#include "base.h"'
		echo 'int base(void) { return 1; }'
		seq 80 | sed 's/.*/int f&(void);/'
		echo 'int main(void) { int sum = 0;'
		seq 80 | sed 's/.*/sum += f&();/'
		printf '%s\n' 'printf("%d\n", sum); return 0; }'
	} >main.c
	cat >Makefile <<'END'
objects = $(patsubst %.c,%.o,$(wildcard *.c))
sum: libsum.a main.o
	$(CC) -o $@ main.o libsum.a
libsum.a: $(filter-out main.o,$(objects))
	$(AR) rcs $@ $^
$(objects): base.h
END
}

build()
{
	local log=$WORK/make.log start=$SECONDS
	lake_up lake
	(set -e
	 project
	 make -s -j2
	 test "$(./sum)" = 3320
	 make -q
	 sleep 1.1
	 echo '#define BASE 1' >>base.h
	 if make -q; then exit 1; fi
	 test "$(make -j2 | grep -c -- '-c -o')" = 81
	 make -q
	 test "$(./sum)" = 3320) >"$log" 2>&1 </dev/null
	result $? "make -j2 of 81 C files, twice, $MODE: $((SECONDS - start)) s" "$log"
	lake_gone make
}
modes build
