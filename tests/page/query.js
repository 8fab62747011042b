/*
 * query.js PAGE EXPRESSION: prints what the expression says of a page of .catalog, without a browser. It has the page's
 * `data`, its `files`, and what src/page/search.js defines, all of it taken out of the page itself.
 */
"use strict";
const fs = require("fs");
const vm = require("vm");

const html = fs.readFileSync(process.argv[2], "utf8");
const json = [...html.matchAll(/<script type="application\/json" id="data">([^]*?)<\/script>/g)];
const code = [...html.matchAll(/<script>\n([^]*?)<\/script>/g)];
if (json.length !== 1 || code.length !== 1 || html.match(/<script/g).length !== 2) {
	console.log("the page has other scripts than its own two");
	process.exit(1);
}
new vm.Script(code[0][1]); /* all of it parses */
const search = code[0][1].split("/*\n * The page. ")[0];
const data = JSON.parse(json[0][1]);
const context = vm.createContext({data, module: {}, console});
vm.runInContext(search + "\nconst {files, byPath} = makeFiles(data);", context);
console.log(String(vm.runInContext(process.argv[3], context)));
