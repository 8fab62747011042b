#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A daemon is killed while the kernel writes back, for a notification of that daemon, what only it could take: the thread
# that sent it waits for ever, and with it all who use the mount. The next mount ends that.
. "$(dirname "$0")/lib.sh"
need_root
[ -d /sys/fs/fuse/connections ] || skip_all "needs /sys/fs/fuse/connections"
DISK=$FOLDER/disk
truncate -s 256M "$FOLDER/image" && mkfs.ext4 -q -F "$FOLDER/image" && mkdir "$DISK" "$FOLDER/mnt" || exit 1
mount -o loop "$FOLDER/image" "$DISK" 2>"$FOLDER/said" || skip_all "needs loop devices: $(head -n 1 "$FOLDER/said")"

lake disk/lake
M=$FOLDER/mnt B=$M/data
up -o passthrough=off
seq 10000 >"$B/f"
mkfifo "$FOLDER/go"
python3 - "$B/f" "$FOLDER/go" >"$FOLDER/mapped" 2>&1 <<'END' &
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 0)
os.close(f)
m[5000:5006] = b"stored"
print("stored", flush=True)
open(sys.argv[2]).read()
END
within 10 grep -q stored "$FOLDER/mapped"
pid=$(daemon_pid)
fsfreeze -f "$DISK"
timeout 60 stat "$B/f" >"$FOLDER/stat" 2>&1 &
notifies() { cat /proc/"$pid"/task/*/stack 2>/dev/null | grep -q 'fuse_notify\|fuse_dev_write\|fuse_dev_do_write'; }
within 10 notifies
sleep 0.2
kill -9 "$pid"
sleep 0.5
fsfreeze -u "$DISK"
sleep 1
ok "the killed daemon cannot end" not is_gone "$pid"
exits 0 "the next mount" timeout 50 "$TARN" mount "$L" "$M" -o passthrough=off
ok "ends it" within 10 is_gone "$pid"
echo >"$FOLDER/go"
is "$(head -n 1 "$B/f")" 1 "and the file is there"
wait
down
umount "$DISK"
