"""look.py PAGE FOLDER: opens a page of .catalog in headless Chromium, uses it as people do, prints TAP points, and puts
pictures of it into FOLDER. The page has work/deep/sales.csv, a table with statistics, and many other files."""

import os, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser

page, folder = sys.argv[1:]
url = "file://" + os.path.abspath(page)
TABLE = "#/file/work/deep/sales.csv"
points = 0


def point(good, text, more=""):
    global points
    points += 1
    print(("ok" if good else "not ok"), "-", text)
    if not good:
        print("#", more)


def go(b, hash):
    b.run(f"location.hash = {hash!r}")
    settled(b)


def settled(b):
    b.run("new Promise(r => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(r)), 50))")


def until(b, expression, seconds=10):
    end = time.monotonic() + seconds
    while not b.run(expression):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


b = Browser()
try:
    times = []
    for _ in range(3):
        b.open(url)
        until(b, "document.documentElement.dataset.ready")
        times.append(int(b.run("document.documentElement.dataset.ready")))
    count = b.run("files.length")
    point(min(times) <= 1000, f"{count} files: interactive after {min(times)} ms (at most 1,000)", times)
    drawn = b.run("document.querySelectorAll('.row').length")
    point(0 < drawn < 60, f"only {drawn} rows are drawn")
    b.run("list.box.scrollTop = list.box.scrollHeight")
    settled(b)
    point(b.run("document.querySelector('.row:last-child').id") == f"row-{count - 1}", "the last one can be scrolled to")

    b.key("/")
    for c in "sales email":
        b.key(c)
    point(until(b, "found.length === 1 && found[0].name === 'sales.csv'"), "/ and words find a file by name and column")
    slow = b.run("(() => { const t = performance.now(); for (let i = 0; i < 10; i++) search(files, 'file 77 type:txt');"
                 "return (performance.now() - t) / 10 })()")
    point(slow < 100, f"a search takes {slow:.1f} ms")
    b.key("Enter")
    point(until(b, "document.querySelector('#detail h1')?.textContent === 'sales.csv'"), "Enter opens it")
    b.key("Escape")
    point(until(b, "document.querySelector('#detail').hidden"), "Escape closes it")
    b.key("ArrowDown")
    point(until(b, "document.querySelector('.row[aria-selected=true]') !== null"), "the arrows choose a row")

    looks = {}
    for name, width, dark, hash in [("files", 1280, False, "#/"), ("table", 1280, False, TABLE),
                                    ("table-dark", 1280, True, TABLE), ("files-narrow", 400, False, "#/"),
                                    ("table-narrow", 400, True, TABLE), ("tables", 1280, True, "#/tables"),
                                    ("tags", 1280, False, "#/tags"), ("popular", 1280, False, "#/popular"),
                                    ("storage", 1280, False, "#/storage"), ("storage-narrow", 400, True, "#/storage")]:
        b.look(width, 800, dark)
        go(b, hash)
        b.picture(f"{folder}/{name}.png")
        looks[name] = b.run("getComputedStyle(document.body).backgroundColor")
        wide = b.run("document.documentElement.scrollWidth - innerWidth")
        point(wide <= 0, f"{name}: nothing is wider than the window", wide)
    point(looks["table"] != looks["table-dark"], "dark where the desktop is dark")
    b.look(1280, 800, False)
    go(b, TABLE)
    charts = b.run("document.querySelectorAll('#detail svg.chart rect').length")
    point(charts >= 4, f"{charts} bars of charts are drawn")
    b.run("document.querySelector('#theme').click()")
    point(b.run("getComputedStyle(document.body).backgroundColor") == looks["table-dark"], "dark by the button")
    names = b.run("(() => { const bad = []; for (const e of document.querySelectorAll('button, a, input')) "
                  "if (!(e.textContent.trim() || e.ariaLabel || e.labels?.length)) bad.push(e.outerHTML); return bad })()")
    point(names == [], "every control has a name", names)
    point(b.errors == [], "the console has no error", b.errors)
finally:
    b.close()
print(f"1..{points}")
