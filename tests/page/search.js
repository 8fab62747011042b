/* src/page/search.js by itself. */
"use strict";
const {test} = require("node:test");
const {deepStrictEqual: same, ok, strictEqual: is} = require("node:assert");
const s = require(process.env.TARN_SOURCE + "/src/page/search.js");

const {files} = s.makeFiles({
	assets: [["raw/Sales.csv", 2048, 1790000000, "text/csv", 3, "local"], ["raw/notes/sales.md", 10, 1780000000, "text/markdown", 1, "cloud"],
		["media/a.png", 5e6, 1790000000, "image/png", 1, "local"], ["raw/old/x.txt", 1, 0, null, 0, "local"]],
	tables: [{path: "raw/Sales.csv", format: "csv", columns: [{name: "Email", type: "VARCHAR"}]}],
	tags: [{tag: "pii", path: "raw/Sales.csv"}, {tag: "two words", path: "media/a.png"}, {tag: "x", path: "gone"}],
	popular: [{path: "media/a.png", opens: 7}],
});
const names = query => s.search(files, query).map(f => f.name).join(" ");

test("a table that was cut from the list of files", () => {
	const cut = s.makeFiles({assets: [], tables: [{path: "b/t.csv", asset: ["b/t.csv", 1, 2, "text/csv", 3, "cloud"], columns: []}]});
	is(cut.files[0].versions, 3);
	is(cut.byPath.get("b/t.csv").table.columns.length, 0);
});
test("words", () => {
	is(names(""), "Sales.csv sales.md a.png x.txt");
	is(names("sales"), "Sales.csv sales.md");
	is(names("old"), "x.txt");
	is(names("email"), "Sales.csv");
	is(names("\"two words\""), "a.png");
	is(names("sales notes"), "sales.md");
	is(names("nothing"), "");
	is(names("http://x"), "");
});
test("facets", () => {
	is(names("type:csv"), "Sales.csv");
	is(names("type:table"), "Sales.csv");
	is(names("type:image/"), "a.png");
	is(names("bucket:media"), "a.png");
	is(names("tag:PII sales"), "Sales.csv");
	is(names("tag:\"two words\""), "a.png");
	is(names("column:mail"), "Sales.csv");
	is(names("size:>1k"), "Sales.csv a.png");
	is(names("size:<=1"), "x.txt");
	is(names("tier:cloud"), "sales.md");
	is(names("modified:>2026-09-01"), "Sales.csv a.png");
	is(names("modified:2026-09-21"), "Sales.csv a.png");
	is(names("size:big"), "");
	is(names("constructor:x"), "");
});
test("bytes that are no UTF-8", () => {
	is(s.shown("b\udce4d"), "b\\xe4d");
	is(s.address("b\udce4d/ä?#.csv"), "../b%e4d/%C3%A4%3F%23.csv");
});
test("bars have one area, whatever the values are", () => {
	const bars = s.quartileBars({type: "DOUBLE", min: "0", q25: "1", q50: "2", q75: "4", max: "10"});
	is(bars.length, 4);
	ok(bars.every(b => b.from >= 0 && b.to <= 1 && b.height > 0 && b.height <= 1));
	is(s.quartileBars({type: "DOUBLE", min: "1", q25: "1", q50: "1", q75: "1", max: "1"}), null);
	is(s.quartileBars({type: "VARCHAR", min: "a", max: "b"}), null);
	is(s.quartileBars({type: "BIGINT", min: "1", max: "5"}), null);
	is(s.quartileBars({type: "DOUBLE", min: "-inf", q25: "1", q50: "2", q75: "3", max: "inf"}), null);
	ok(s.quartileBars({type: "DOUBLE", min: "1", q25: "2", q50: "3", q75: "4", max: "1000"}).log);
	ok(!s.quartileBars({type: "DOUBLE", min: "0", q25: "2", q50: "3", q75: "4", max: "1000"}).log);
	ok(s.quartileBars({type: "DATE", min: "2026-01-01", q25: "2026-01-02", q50: "2026-01-03", q75: "2026-01-04",
		max: "2026-02-01"}));
});
test("what changed between two schemas", () => same(
	s.schemaChanges([{name: "a", type: "BIGINT"}, {name: "b", type: "DATE"}], [{name: "a", type: "DOUBLE"}, {name: "c", type: "DATE"}]),
	{added: [{name: "c", type: "DATE"}], removed: [{name: "b", type: "DATE"}], changed: [{name: "a", from: "BIGINT", to: "DOUBLE"}]}));
