#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# LibreOffice saves a spreadsheet twice: two versions with the contents that they had, and none of its lu*.tmp.
. "$(dirname "$0")/lib.sh"
need soffice "install libreoffice-calc-nogui"
/usr/bin/python3 -c 'import uno' 2>/dev/null || { skip "${0##*/}" "python3's uno is missing: install python3-uno"; exit 0; }

# What is in the first cell.
cell()
{
	/usr/bin/python3 -c '
import re, sys, zipfile
print(re.findall("<text:p>(.*?)</text:p>", zipfile.ZipFile(sys.argv[1]).read("content.xml").decode())[0])' "$1"
}

saves()
{
	local log=$WORK/libreoffice.log
	lake_up lake
	HOME=$WORK timeout 300 /usr/bin/python3 - "$B/f.ods" "$WORK/pipe" >"$log" 2>&1 <<-'END'
		import os, subprocess, sys, time, uno
		from com.sun.star.beans import PropertyValue
		path, pipe = sys.argv[1], "tarn%d" % os.getpid()
		office = subprocess.Popen(["soffice", "--headless", "--norestore", "--accept=pipe,name=%s;urp;" % pipe])
		context = uno.getComponentContext()
		resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
		for _ in range(120):
		    try:
		        remote = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
		        break
		    except Exception:
		        time.sleep(0.5)
		desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
		hidden = (PropertyValue("Hidden", 0, True, 0),)
		url = uno.systemPathToFileUrl(path)
		sheet = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, hidden)
		sheet.Sheets[0].getCellByPosition(0, 0).String = "A"
		sheet.storeAsURL(url, ())
		sheet.close(True)
		sheet = desktop.loadComponentFromURL(url, "_blank", 0, hidden)
		sheet.Sheets[0].getCellByPosition(0, 0).String = "B"
		sheet.store()
		sheet.close(True)
		desktop.terminate()
		office.wait()
	END
	result $? "LibreOffice saves a spreadsheet twice, $MODE" "$log"
	ls "$B/f.ods@v" >"$log" 2>&1
	holds "$(cat "$log")" = $'1.ods\n2.ods'
	result $? "two versions, $MODE" "$log"
	echo "$(cell "$B/f.ods@v/1.ods") $(cell "$B/f.ods@v/2.ods") $(cell "$B/f.ods")" >"$log" 2>&1
	holds "$(cat "$log")" = "A B B"
	result $? "with what was in them, $MODE" "$log"
	ls -A "$B" >"$log"
	holds "$(cat "$log")" = f.ods
	result $? "nothing else is left, $MODE" "$log"
	lake_gone libreoffice
}
modes saves
