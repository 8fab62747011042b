/*
 * What the page finds: the same words as `tarn find` has, over the files that it was given. Nothing here touches the
 * page, so that node can run it, too.
 *
 * A file is {path, name, bucket, size, time (seconds since 1970), mime, versions, tier, tags, table, opens}; a table is
 * what the catalog says about a file, by the names of sniff/description.h.
 */
"use strict";

const UNITS = {k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4};

function makeFile([path, size, time, mime, versions, tier])
{
	return {path, size, time, mime: mime || "", versions, tier, name: path.slice(path.lastIndexOf("/") + 1),
		bucket: path.slice(0, path.indexOf("/") >>> 0), tags: [], table: null, opens: 0};
}

/* From the page's data, in which a file is a list and tables and tags name it by its path. */
function makeFiles(data)
{
	const files = data.assets.map(makeFile);
	const byPath = new Map(files.map(f => [f.path, f]));
	for (const t of data.tables || []) {
		if (t.asset && !byPath.has(t.path)) {
			files.push(makeFile(t.asset));
			byPath.set(t.path, files[files.length - 1]);
		}
		const f = byPath.get(t.path);
		if (f)
			f.table = t;
	}
	for (const {tag, path} of data.tags || [])
		byPath.get(path)?.tags.push(tag);
	for (const {path, opens} of data.popular || []) {
		const f = byPath.get(path);
		if (f)
			f.opens = opens;
	}
	return {files, byPath};
}

function columnNames(f)
{
	return f.table && f.table.columns ? f.table.columns.map(c => c.name) : [];
}

/* What words are looked for in; made when it is first needed. */
function textOf(f)
{
	f.text ??= [f.path, f.mime, f.table?.format ?? "", ...f.tags, ...columnNames(f)].join("\n").toLowerCase();
	return f.text;
}

/* ">1.5M" -> {op: ">", value: "1.5M"} */
function comparison(text)
{
	const m = /^(>=|<=|>|<|=)?(.*)$/.exec(text);
	return {op: m[1] || "=", value: m[2]};
}

function compares(op, a, b)
{
	return op === ">" ? a > b : op === "<" ? a < b : op === ">=" ? a >= b : op === "<=" ? a <= b : a === b;
}

function sizeCondition(text)
{
	const {op, value} = comparison(text);
	const m = /^([0-9.]+)\s*([kmgt]?)i?b?$/i.exec(value);
	if (!m)
		return null;
	const bytes = Math.round(parseFloat(m[1]) * (UNITS[m[2].toLowerCase()] || 1));
	return f => compares(op, f.size, bytes);
}

function timeCondition(text)
{
	const {op, value} = comparison(text);
	const from = Date.parse(value) / 1000;
	if (Number.isNaN(from))
		return null;
	if (op === "=" && /^\d{4}-\d\d-\d\d$/.test(value))
		return f => f.time >= from && f.time < from + 86400;
	return f => compares(op, f.time, from);
}

function typeCondition(value)
{
	if (value === "table")
		return f => f.table !== null;
	return f => f.mime.toLowerCase().startsWith(value) || f.table?.format === value ||
		f.name.toLowerCase().endsWith("." + value);
}

const FACETS = {
	type: typeCondition,
	bucket: v => f => f.bucket.toLowerCase() === v,
	tag: v => f => f.tags.some(t => t.toLowerCase() === v),
	column: v => f => columnNames(f).some(c => c.toLowerCase().includes(v)),
	name: v => f => f.name.toLowerCase().includes(v),
	tier: v => f => f.tier === v,
	size: sizeCondition,
	modified: timeCondition,
};

/* Words, "phrases" and facets. What looks like a facet but is none is a word. */
function parseQuery(query)
{
	const words = [], conditions = [];
	for (const [part] of query.toLowerCase().matchAll(/(?:[a-z]+:)?"[^"]*"?|\S+/g)) {
		const m = /^([a-z]+):(.+)$/.exec(part);
		const value = m ? m[2].replace(/"/g, "") : "";
		const condition = value && Object.hasOwn(FACETS, m[1]) ? FACETS[m[1]](value) : null;
		const word = part.replace(/"/g, "").replace(/\*$/, "");
		if (condition)
			conditions.push(condition);
		else if (word)
			words.push(word);
	}
	return {words, conditions};
}

/* How well a file fits the words, less is better; Infinity: it does not. */
function rank(f, words)
{
	const name = f.name.toLowerCase(), path = f.path.toLowerCase();
	let sum = 0;
	for (const w of words) {
		const at = name.indexOf(w);
		if (at >= 0)
			sum += at ? 1 : 0;
		else if (path.includes(w))
			sum += 2;
		else if (textOf(f).includes(w))
			sum += 3;
		else
			return Infinity;
	}
	return sum;
}

/* The files that QUERY finds, the best first, else as they were given. */
function search(files, query)
{
	const {words, conditions} = parseQuery(query);
	const found = [];
	for (const f of files) {
		const r = conditions.every(c => c(f)) ? rank(f, words) : Infinity;
		if (r < Infinity)
			found.push({f, r});
	}
	if (words.length)
		found.sort((a, b) => a.r - b.r);
	return found.map(x => x.f);
}

/* ---- what is shown ---- */

/* A byte of a name that is no UTF-8 comes as a lone surrogate. */
function shown(text)
{
	return text.replace(/[\udc80-\udcff]/gu, c => "\\x" + (c.charCodeAt(0) - 0xdc00).toString(16));
}

/* From the page, which lies in .catalog. */
function address(path)
{
	const parts = path.split(/([\udc80-\udcff])/u);
	return "../" + parts.map((p, i) => i % 2 ? "%" + (p.charCodeAt(0) - 0xdc00).toString(16) :
		encodeURIComponent(p).replace(/%2F/g, "/")).join("");
}

function sizeText(n)
{
	let unit = 0;
	for (; n >= 1024 && unit < 4; unit++)
		n /= 1024;
	return (unit ? n.toFixed(n < 10 ? 1 : 0) : n) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][unit];
}

function countText(n)
{
	return Number(n).toLocaleString("en");
}

function filesText(n)
{
	return countText(n) + (n === 1 ? " file" : " files");
}

function timeText(seconds)
{
	return seconds ? new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") : "";
}

/* Of RFC 3339 in UTC. */
function momentText(time)
{
	return time.slice(0, 19).replace("T", " ");
}

/* As a number, of dates and times their milliseconds; NaN: it has none. */
function numberOf(type, text)
{
	if (text === undefined || text === null)
		return NaN;
	if (/^(DATE|TIMESTAMP)/.test(type))
		return Date.parse(String(text).replace(" ", "T") + (/^DATE/.test(type) ? "" : "Z"));
	return /INT|DOUBLE|FLOAT|DECIMAL|NUMERIC/.test(type) ? Number(text) : NaN;
}

/*
 * Four bars of one area, for a quarter of the values lies between two quartiles: {from, to, height}, all from 0 to 1.
 * Positive values with a long tail are laid out by their logarithms; then `log` is true. null: the quartiles are not
 * known, or all values are one.
 */
function quartileBars(column)
{
	let at = ["min", "q25", "q50", "q75", "max"].map(k => numberOf(column.type, column[k]));
	if (at.some(x => !Number.isFinite(x)) || !(at[4] > at[0]))
		return null;
	const log = at[0] > 0 && at[4] - at[0] > 20 * (at[3] - at[1]) && !/^(DATE|TIME)/.test(column.type);
	if (log)
		at = at.map(Math.log);
	const span = at[4] - at[0], bars = [];
	for (let i = 0; i < 4; i++) {
		const from = (at[i] - at[0]) / span, to = Math.max((at[i + 1] - at[0]) / span, from);
		bars.push({from, to, height: 1 / Math.max(to - from, 0.02)});
	}
	const most = Math.max(...bars.map(b => b.height));
	return Object.assign(bars.map(b => ({...b, height: b.height / most})), {log});
}

/* What another list of columns changed: {added, removed, changed: [{name, from, to}]}. */
function schemaChanges(before, after)
{
	const was = new Map(before.map(c => [c.name, c.type])), is = new Map(after.map(c => [c.name, c.type]));
	return {
		added: after.filter(c => !was.has(c.name)),
		removed: before.filter(c => !is.has(c.name)),
		changed: after.filter(c => was.has(c.name) && was.get(c.name) !== c.type)
			.map(c => ({name: c.name, from: was.get(c.name), to: c.type})),
	};
}

if (typeof module === "object")
	module.exports = {makeFiles, parseQuery, search, shown, address, sizeText, quartileBars, schemaChanges};
