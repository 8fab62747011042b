/*
 * The page. Its address says what is shown: #/tables, #/file/PATH, and ?q=WORDS behind either, so that going back and
 * links to places in it work. Everything that comes from the lake is put into the page as text, never as HTML.
 */

const ROW = 52; /* pixels, as page.css has it */
const BEYOND = 8; /* rows that are drawn above and below what is seen */
const CARDS = 300;

const $ = id => document.getElementById(id);

/* An element: attributes, "on…" handlers, then children, which are elements or texts; null is left out. */
function make(tag, attributes, ...children)
{
	const e = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) :
		document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (name.startsWith("on"))
			e.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			e.setAttribute(name, value === true ? "" : value);
	}
	e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined));
	return e;
}

let data, files, byPath, found = [], order = {by: "", down: false}, list = null;

/* ---- where we are ---- */

function place()
{
	const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
	const [part, ...rest] = path.split("/");
	return {part: part || "files", rest: rest.map(unescaped).join("/"),
		query: new URLSearchParams(query || "").get("q") || ""};
}

function unescaped(part)
{
	return part.replace(/%(?:[0-9a-f]{2}%?)+/gi, m => {
		try {
			return decodeURIComponent(m);
		} catch {
			return m;
		}
	}).replace(/~(dc[89a-f][0-9a-f])/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/* Lone surrogates have no form in an address: ~dcXX; a ~ of the name itself is %7E. */
function escaped(path)
{
	return path.split("/").map(p => p.split(/([\udc80-\udcff])/u).map((s, i) => i % 2 ?
		"~" + s.charCodeAt(0).toString(16) : encodeURIComponent(s).replace(/~/g, "%7E")).join("")).join("/");
}

function addressOf(part, path, query)
{
	return "#/" + part + (path ? "/" + escaped(path) : "") + (query ? "?q=" + encodeURIComponent(query) : "");
}

function go(part, path, query)
{
	location.hash = addressOf(part, path, query);
}

/* ---- the list of files: only the rows that are seen are there ---- */

function sorted(which)
{
	const {by, down} = order;
	if (!by)
		return which;
	const way = down ? -1 : 1;
	return which.slice().sort((a, b) => (by === "name" ? a.path.localeCompare(b.path) : a[by] - b[by]) * way);
}

function head()
{
	const titles = [["name", "Name"], ["", "Type"], ["size", "Size"], ["time", "Modified"], ["versions", "Versions"]];
	return make("div", {class: "head"}, titles.map(([by, title]) => by ? make("button", {
		type: "button", class: by === "name" ? null : "number",
		"aria-sort": order.by === by ? (order.down ? "descending" : "ascending") : null,
		onclick: () => {
			order = {by, down: order.by === by ? !order.down : by !== "name"};
			show();
		},
	}, title) : make("span", {class: "soft"}, title)));
}

function typeText(f)
{
	return f.table?.format || f.mime.replace(/^.*\/(x-|vnd\.)?/, "") || "–";
}

/* The words of the query stand out. */
function marked(text, words)
{
	const parts = [], lower = text.toLowerCase();
	let at = 0;
	while (at < text.length && words.length) {
		const hits = words.map(w => [lower.indexOf(w, at), w.length]).filter(([i]) => i >= 0);
		if (!hits.length || lower.length !== text.length)
			break;
		const [i, len] = hits.sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
		parts.push(shown(text.slice(at, i)), make("mark", null, text.slice(i, i + len)));
		at = i + len;
	}
	return [...parts, shown(text.slice(at))];
}

function row(i)
{
	const f = found[i], folder = f.path.slice(0, -f.name.length - 1);
	return make("div", {
		class: "row", role: "option", id: "row-" + i, style: `top:${i * ROW}px`, "aria-selected": String(i === list.at),
		"aria-setsize": found.length, "aria-posinset": i + 1,
		onclick: () => choose(i, true),
	}, make("div", {class: "what"},
		make("div", {class: "name"}, make("span", {title: shown(f.name)}, marked(f.name, list.words)),
			f.tags.slice(0, 3).map(t => make("span", {class: "chip"}, shown(t)))),
		make("div", {class: "folder"}, marked(folder, list.words))),
	make("div", {class: "cell"}, typeText(f)),
	make("div", {class: "cell number"}, sizeText(f.size)),
	make("div", {class: "cell number"}, timeText(f.time)),
	make("div", {class: "cell number"}, countText(f.versions)));
}

function drawRows()
{
	const first = Math.max(0, Math.floor(list.box.scrollTop / ROW) - BEYOND);
	const last = Math.min(found.length, Math.ceil((list.box.scrollTop + list.box.clientHeight) / ROW) + BEYOND);
	const rows = [];
	for (let i = first; i < last; i++)
		rows.push(row(i));
	list.space.replaceChildren(...rows);
}

function choose(i, open)
{
	if (!found.length)
		return;
	list.at = Math.max(0, Math.min(i, found.length - 1));
	const top = list.at * ROW, room = list.box.clientHeight - 36;
	if (top < list.box.scrollTop)
		list.box.scrollTop = top;
	else if (top + ROW > list.box.scrollTop + room)
		list.box.scrollTop = top + ROW - room;
	list.box.setAttribute("aria-activedescendant", "row-" + list.at);
	drawRows();
	if (open)
		go("file", found[list.at].path, place().query);
}

function showFiles(query, path)
{
	const again = list && list.query === query && list.by === order.by && list.down === order.down;
	if (!again) {
		found = sorted(search(files, query));
		list = {query, ...order, at: -1, words: parseQuery(query).words};
		list.space = make("div", {class: "space", style: `height:${found.length * ROW}px`});
		list.box = make("div", {class: "rows", role: "listbox", tabindex: 0, "aria-label": "Files", onscroll: drawRows},
			head(), list.space);
		$("status").textContent = filesText(found.length);
	}
	const focused = document.activeElement === list.box;
	$("main").className = "list";
	$("main").replaceChildren(facts(query), ...cutNotice(), found.length ? list.box :
		make("p", {class: "empty"}, files.length ? "Nothing is found. Fewer words find more." : "No files yet."));
	if (focused)
		list.box.focus({preventScroll: true});
	if (list.top)
		list.box.scrollTop = list.top;
	if (path !== undefined)
		list.at = found.findIndex(f => f.path === path);
	if (list.at >= 0 && (list.at * ROW < list.box.scrollTop || list.at * ROW > list.box.scrollTop +
		list.box.clientHeight - 2 * ROW))
		list.box.scrollTop = list.at * ROW - list.box.clientHeight / 2;
	drawRows();
}

function facts(query)
{
	const bytes = found.reduce((sum, f) => sum + f.size, 0);
	const types = new Map();
	for (const f of found)
		types.set(typeText(f), (types.get(typeText(f)) || 0) + 1);
	const most = [...types].sort((a, b) => b[1] - a[1]).filter(([t]) => t !== "–").slice(0, 5);
	return make("p", {class: "facts"}, make("span", null, `${filesText(found.length)}, ${sizeText(bytes)}`),
		query ? null : most.map(([t, n]) => make("button", {class: "chip", type: "button",
			onclick: () => go("", "", "type:" + (files.find(f => typeText(f) === t).table ? t :
				files.find(f => typeText(f) === t).mime))}, `${t} ${countText(n)}`)));
}

function cutNotice()
{
	return data.cut ? [make("p", {class: "notice"}, `Only ${countText(files.length)
	} files are on this page, all tables among them. assets.csv beside it has all of them.`)] : [];
}

/* ---- one file ---- */

/* Few values are told one by one, many by their quartiles. */
function hasFew(c)
{
	return Boolean(c.top?.length) && (c.distinct <= c.top.length || !quartileBars(c));
}

function chart(c)
{
	const bars = hasFew(c) ? null : quartileBars(c);
	if (!bars)
		return null;
	return make("div", null, make("svg:svg", {class: "chart", viewBox: "0 0 400 54", preserveAspectRatio: "none",
		role: "img", "aria-label": `quartiles: ${c.min}, ${c.q25}, ${c.q50}, ${c.q75}, ${c.max}`},
	bars.map(b => make("svg:rect", {x: b.from * 400, y: 52 - b.height * 50,
		width: Math.max((b.to - b.from) * 400 - 1.5, 1.5), height: b.height * 50, rx: 2})),
	make("svg:line", {x1: bars[2].from * 400, x2: bars[2].from * 400, y1: 0, y2: 54})),
	make("div", {class: "ends"}, make("span", null, c.min), make("span", null, `median ${c.q50}${bars.log ? ", logarithmic" : ""}`),
		make("span", null, c.max)));
}

function topValues(c)
{
	if (!hasFew(c))
		return null;
	const most = c.top[0].count;
	return make("div", {class: "top-values"}, c.top.slice(0, 5).map(t => [
		make("span", {title: t.value}, t.value === "" ? "(empty)" : t.value),
		make("div", {class: "meter"}, make("div", {style: `width:${100 * t.count / most}%`})),
		make("span", {class: "number soft"}, countText(t.count))]));
}

function columnBlock(c)
{
	const nulls = c.count && c.nulls ? `${(100 * c.nulls / c.count).toFixed(1)} % null` : null;
	const distinct = c.count ? `${c.approximate ? "≈ " : ""}${countText(c.distinct ?? 0)} distinct` : null;
	const ends = !quartileBars(c) && !hasFew(c) && c.min !== undefined ? `${c.min} … ${c.max}` : null;
	return make("div", {class: "column"}, make("div", {class: "title"}, make("b", null, c.name),
		make("span", {class: "type mono"}, c.type + (c.not_null ? " not null" : "")),
		c.pii ? make("span", {class: "chip warn", title: "it looks like that"}, c.pii) : null),
	make("div", {class: "soft"}, [c.table, distinct, nulls, ends].filter(Boolean).join(" · ")), chart(c), topValues(c));
}

function changesOf(before, after)
{
	const {added, removed, changed} = schemaChanges(before, after);
	const lines = [...added.map(c => `+ ${c.name} ${c.type}`), ...removed.map(c => `− ${c.name} ${c.type}`),
		...changed.map(c => `${c.name}: ${c.from} → ${c.to}`)];
	return lines.length ? make("ul", {class: "change"}, lines.map(l => make("li", {class: "mono"}, l))) :
		make("p", {class: "soft"}, "The same columns in another order.");
}

/* The newest first; a version whose columns are others than those of the one before says what changed. */
function schemaHistory(t)
{
	const versions = (t.versions || []).filter(v => v.schema);
	const steps = versions.map((v, i) => ({v, before: versions[i + 1]})).filter(s => s.before &&
		s.before.schema !== s.v.schema);
	if (!steps.length)
		return [];
	return [make("h2", null, "Schema history"), ...steps.map(({v, before}) => make("div", {class: "column"},
		make("b", null, `Version ${v.number}`), " ", make("span", {class: "soft"}, momentText(v.time)),
		changesOf(data.schemas[before.schema] || [], data.schemas[v.schema] || [])))];
}

function versionsTable(f)
{
	const versions = f.table?.versions;
	const dot = /[^/](\.[^./]+(?:\.(?:gz|zst|bz2|xz))?)$/.exec(f.path)?.[1] ?? "";
	if (!versions?.length)
		return f.versions ? [make("h2", null, "Versions"), make("p", {class: "soft"}, `${countText(f.versions)} kept: `,
			make("a", {href: address(f.path) + "@v/"}, shown(f.name) + "@v/"))] : [];
	return [make("h2", null, "Versions"), make("table", null, make("tr", null, ["", "Time", "Rows", "Size"].map((h, i) =>
		make("th", {class: i > 1 ? "number" : null}, h))), versions.map(v => make("tr", null,
		make("td", null, make("a", {href: `${address(f.path)}@v/${v.number}${dot}`}, "v" + v.number)),
		make("td", null, momentText(v.time)), make("td", {class: "number"}, v.rows === null ? "" : countText(v.rows)),
		make("td", {class: "number"}, sizeText(v.size)))))];
}

function command(text)
{
	return make("div", {class: "command"}, make("code", {tabindex: 0}, text), make("button", {type: "button",
		onclick: e => copy(text, e.currentTarget)}, "Copy"));
}

/* navigator.clipboard is not there for file:// in every browser. */
function copy(text, button)
{
	const area = make("textarea", {class: "hidden"});
	area.value = text;
	document.body.append(area);
	area.select();
	button.textContent = document.execCommand("copy") ? "Copied" : "Not copied";
	area.remove();
	button.focus();
	setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function sqlOf(f)
{
	const quoted = shown(f.path).replace(/'/g, "''");
	return `tarn sql "FROM '${quoted.replace(/(["\\$`])/g, "\\$1")}' LIMIT 10"`;
}

function definitions(f, t)
{
	const pairs = [["Path", make("a", {href: address(f.path)}, shown(f.path))], ["Size", sizeText(f.size)],
		["Modified", timeText(f.time) + " UTC"], ["Type", f.mime || "not known yet"], ["Tier", f.tier],
		["Versions", countText(f.versions)], ["Opened", f.opens ? countText(f.opens) + " times" : null],
		["Rows", t && t.rows !== undefined ? (t.rows_estimated ? "about " : "") + countText(t.rows) : null],
		["Encoding", t?.encoding],
		["Tables", t?.tables?.map(x => x.name + (x.rows === undefined ? "" : ` (${countText(x.rows)} rows)`)).join(", ")],
		["Comment", f.comment], ...Object.entries(t?.facts || {})];
	return make("dl", null, pairs.filter(([, v]) => v).map(([k, v]) => [make("dt", null, k), make("dd", null, v)]));
}

function showDetail(path)
{
	const f = byPath.get(path), t = f?.table, box = $("detail");
	const was = box.hidden;
	box.hidden = path === undefined;
	if (box.hidden) {
		box.replaceChildren();
		return;
	}
	const close = make("button", {type: "button", "aria-label": "Close", onclick: closeDetail}, "✕");
	if (!f) {
		box.replaceChildren(make("div", {class: "top"}, make("h1", null, "There is no such file"), close));
		return;
	}
	box.replaceChildren(make("div", {class: "top"}, make("h1", null, shown(f.name)), close),
		make("p", {class: "facts"}, f.tags.map(g => tagChip(g))),
		t?.unreadable ? make("p", {class: "notice"}, "Unreadable: " + t.unreadable) : "",
		definitions(f, t), t?.columns ? command(sqlOf(f)) : "",
		...(t?.columns ? [make("h2", null, `${countText(t.columns.length)} columns${t.sampled ?
			", statistics of a sample" : ""}`), ...t.columns.map(columnBlock)] : []),
		...(t ? schemaHistory(t) : []), ...versionsTable(f));
	box.scrollTop = 0;
	if (was && matchMedia("(max-width: 760px)").matches)
		box.focus();
}

function closeDetail()
{
	const {query} = place();
	go("", "", query);
	list?.box.focus();
}

function tagChip(tag)
{
	return make("button", {class: "chip", type: "button", onclick: () => go("", "", `tag:"${tag}"`)}, shown(tag));
}

/* ---- the other parts ---- */

function page(...content)
{
	$("main").className = "";
	$("main").replaceChildren(...content);
	$("main").scrollTop = 0;
}

function showTables(query)
{
	const tables = search(files.filter(f => f.table), query);
	page(make("p", {class: "facts"}, `${countText(tables.length)} tables` + (tables.length > CARDS ?
		`, the first ${CARDS} are shown` : "")), make("div", {class: "cards"}, tables.slice(0, CARDS).map(f => {
		const columns = f.table.columns || [];
		return make("a", {class: "card", href: addressOf("file", f.path, query)}, make("h2", null, shown(f.name)),
			make("div", {class: "soft folder"}, shown(f.path.slice(0, -f.name.length - 1))),
			make("div", {class: "soft"}, [f.table.format, f.table.rows === undefined ? null :
				countText(f.table.rows) + " rows", countText(columns.length) + " columns"].filter(Boolean).join(" · ")),
			make("p", {class: "facts"}, columns.slice(0, 8).map(c => make("span", {class: c.pii ? "chip warn" : "chip"},
				c.name)), columns.length > 8 ? `+ ${columns.length - 8}` : null));
	})), tables.length ? "" : make("p", {class: "empty"}, "No tables are found."));
}

function tagCounts()
{
	const counts = new Map();
	for (const f of files)
		for (const t of f.tags)
			counts.set(t, (counts.get(t) || 0) + 1);
	return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/* Rows of [name, its address, number, what is shown], the longest bar full. */
function bars(rows, empty)
{
	const most = Math.max(...rows.map(r => r[2]), 1);
	return rows.length ? make("table", null, rows.map(([name, href, n, text]) => make("tr", null,
		make("td", null, href ? make("a", {href}, shown(name)) : shown(name)),
		make("td", {style: "width:30%"}, make("div", {class: "meter"}, make("div", {style: `width:${100 * n / most}%`}))),
		make("td", {class: "number"}, text)))) : make("p", {class: "empty"}, empty);
}

function showTags()
{
	page(make("div", {class: "card"}, bars(tagCounts().map(([t, n]) => [t, addressOf("", "", `tag:"${t}"`), n,
		filesText(n)]), "No tags yet: `tarn tag FILE +tag` sets one.")));
}

function showPopular()
{
	const popular = files.filter(f => f.opens).sort((a, b) => b.opens - a.opens).slice(0, 100);
	page(make("div", {class: "card"}, bars(popular.map(f => [f.path, addressOf("file", f.path), f.opens,
		countText(f.opens) + " opens"]), "Nothing was opened yet.")));
}

function sums(key)
{
	const by = new Map();
	for (const f of files) {
		const s = by.get(key(f)) || [0, 0];
		by.set(key(f), [s[0] + f.size, s[1] + 1]);
	}
	return [...by].sort((a, b) => b[1][0] - a[1][0]);
}

function showStorage()
{
	const numbers = [["Files", countText(files.length)], ["Their bytes", sizeText(files.reduce((n, f) => n + f.size, 0))],
		["History", sizeText(data.history_bytes)], ["Old versions", countText(data.versions_kept)]];
	const part = (title, key, href) => make("div", {class: "card"}, make("h2", null, title), bars(sums(key).map(
		([k, [bytes, n]]) => [k, href(k), bytes, `${sizeText(bytes)} · ${countText(n)}`]), "Nothing."));
	page(make("div", {class: "cards numbers"}, numbers.map(([k, v]) =>
		make("div", {class: "card"}, make("div", {class: "soft"}, k), make("div", {class: "big"}, v)))),
	make("div", {class: "cards parts"},
		part("By tier", f => f.tier, k => addressOf("", "", "tier:" + k)),
		part("By bucket", f => f.bucket, k => addressOf("", "", `bucket:"${k}"`)),
		part("By type", f => f.mime || "not known yet", k => k.includes("/") ? addressOf("", "", "type:" + k) : null)));
}

const PARTS = [["files", "Files", () => files.length], ["tables", "Tables", () => files.filter(f => f.table).length],
	["tags", "Tags", () => tagCounts().length], ["popular", "Popular", () => null], ["storage", "Storage", () => null]];

function drawTabs(part)
{
	const now = part === "file" ? "files" : part;
	$("tabs").replaceChildren(...PARTS.map(([name, title, count]) => make("a", {href: addressOf(name === "files" ? "" :
		name, "", place().query), "aria-current": name === now ? "page" : null}, title, count() === null ? null :
		make("span", {class: "count"}, countText(count())))));
	$("tabs").querySelector("[aria-current]")?.scrollIntoView({block: "nearest", inline: "center"});
}

function show()
{
	const {part, rest, query} = place();
	if (list?.box.isConnected)
		list.top = list.box.scrollTop;
	drawTabs(part);
	if ($("query").value !== query && document.activeElement !== $("query"))
		$("query").value = query;
	showDetail(part === "file" ? rest : undefined);
	if (part === "tables")
		showTables(query);
	else if (part === "tags")
		showTags();
	else if (part === "popular")
		showPopular();
	else if (part === "storage")
		showStorage();
	else
		showFiles(query, part === "file" ? rest : undefined);
}

/* ---- keys, theme, start ---- */

function typed()
{
	const {part, query} = place(), now = $("query").value;
	if (now !== query)
		history.replaceState(null, "", addressOf(part === "tables" ? part : "", "", now));
	show();
}

function moves(key)
{
	const page = Math.max(1, Math.floor(list.box.clientHeight / ROW) - 2);
	return {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -found.length, End: found.length}[key];
}

function escape(inQuery)
{
	if (!$("detail").hidden)
		closeDetail();
	else if (inQuery && $("query").value) {
		$("query").value = "";
		typed();
	} else if (inQuery) {
		$("query").blur();
	}
}

function pressed(e)
{
	const inQuery = e.target === $("query"), inList = list && list.box.isConnected;
	if (e.ctrlKey || e.metaKey || e.altKey)
		return;
	if (e.key === "/" && !inQuery) {
		$("query").focus();
		$("query").select();
	} else if (e.key === "Escape") {
		escape(inQuery);
	} else if (inList && (inQuery ? /^Arrow(Down|Up)$/ : /./).test(e.key) && moves(e.key) && !$("detail").contains(e.target)) {
		const to = list.at < 0 && e.key === "ArrowDown" ? 0 : list.at + moves(e.key);
		choose(to, !$("detail").hidden);
	} else if (inList && e.key === "Enter" && (inQuery || e.target === list.box)) {
		choose(Math.max(list.at, 0), true);
	} else {
		return;
	}
	e.preventDefault();
}

function setTheme(theme)
{
	document.documentElement.dataset.theme = theme;
}

/* What was chosen is remembered where the browser lets a file:// page do so. */
function startTheme()
{
	const dark = matchMedia("(prefers-color-scheme: dark)");
	let chosen = null;
	try {
		chosen = localStorage.getItem("tarn-theme");
	} catch { /* not allowed */ }
	setTheme(chosen || (dark.matches ? "dark" : "light"));
	dark.addEventListener("change", () => chosen || setTheme(dark.matches ? "dark" : "light"));
	$("theme").addEventListener("click", () => {
		chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
		setTheme(chosen);
		try {
			localStorage.setItem("tarn-theme", chosen);
		} catch { /* not allowed */ }
	});
}

function start()
{
	startTheme();
	data = JSON.parse($("data").textContent);
	({files, byPath} = makeFiles(data));
	$("lake").textContent = shown(data.lake || "Catalog");
	document.title = shown(data.lake || "Catalog") + " – catalog";
	$("query").addEventListener("input", typed);
	addEventListener("hashchange", show);
	addEventListener("keydown", pressed);
	addEventListener("resize", () => list?.box.isConnected && drawRows());
	show();
	document.documentElement.dataset.ready = Math.round(performance.now());
}

start();
