// SPDX-License-Identifier: GPL-3.0-or-later
// node duckdb.mjs FILE...: what DuckDB makes of them, a line of JSON each; what tests/sniff/duckdb.expected is made of.
import { DuckDBInstance } from '@duckdb/node-api';
import { basename } from 'node:path';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const rows = async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
const quoted = (file) => `'${file.replaceAll("'", "''")}'`;

for (const file of process.argv.slice(2)) {
	const result = { file: basename(file) };
	const reader = /\.(json|jsonl|ndjson|geojson)(\.gz|\.zst)?$/.test(file) ? 'read_json'
		: file.endsWith('.parquet') ? 'read_parquet' : 'read_csv';
	const source = `${reader}(${quoted(file)})`;
	try {
		if (reader === 'read_csv') {
			const [dialect] = await rows(`SELECT Delimiter, Quote, HasHeader FROM sniff_csv(${quoted(file)})`);
			Object.assign(result, { delimiter: dialect.Delimiter, header: dialect.HasHeader });
		}
		result.rows = Number((await rows(`SELECT count(*) AS n FROM ${source}`))[0].n);
		result.columns = (await rows(`SUMMARIZE SELECT * FROM ${source}`)).map((c) => ({
			name: c.column_name, type: c.column_type, min: c.min, max: c.max, mean: c.avg, std: c.std,
			q25: c.q25, q50: c.q50, q75: c.q75, distinct: Number(c.approx_unique),
			nulls: Math.round(result.rows * Number(c.null_percentage) / 100) }));
	} catch (error) {
		result.error = String(error).split('\n')[0].slice(0, 100);
	}
	console.log(JSON.stringify(result));
}
