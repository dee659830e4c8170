#!/usr/bin/env node
// Has DuckDB alone copy a CSV to Parquet, by the statement and the settings of our imports, and prints the seconds that
// the statement took. Usage: duckdb-copy.mjs SOURCE OUTPUT MEMORY_BYTES THREADS
import { open } from 'node:fs/promises'
import { planCsv } from '../dist/server/tables/csv-plan.js'
import { openEngine } from '../dist/server/tables/engine.js'
import { copyToParquet } from '../dist/server/tables/import-sql.js'

const [source = '', output = '', memoryBytes, threads] = process.argv.slice(2)
const file = await open(source)
const plan = await planCsv(file, {})
await file.close()
const allowed = { paths: [source, output] }
const engine = await openEngine({ threads: Number(threads), memoryBytes: Number(memoryBytes), allowed })
const connection = await engine.connect()
const startedAt = performance.now()
const input = { file: source, header: true, strict: true, inOrder: Number(threads) === 1 }
await copyToParquet(connection, plan, input, { output, trim: false })
console.log((performance.now() - startedAt) / 1000)
