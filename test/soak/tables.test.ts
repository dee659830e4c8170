import { once } from 'node:events'
import { link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ImportOptions, importCsv } from '../../dist/server/tables/import.js'
import { RowsEngine } from '../../dist/server/tables/rows-engine.js'
import { Caller } from '../helpers/calls.js'
import { writeSales } from '../helpers/csv.js'
import { enginesOf, running } from '../helpers/engines.js'
import { eventually } from '../helpers/eventually.js'
import { type ServeProcess, startServe } from '../helpers/serve.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** FILEJOBS_SOAK_ROWS and FILEJOBS_SOAK_TIMES make it shorter. */
const rows = Number(process.env.FILEJOBS_SOAK_ROWS ?? 5_000_000)
const times = Number(process.env.FILEJOBS_SOAK_TIMES ?? 20)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filejobs-soak-'))
  await writeSales(join(folder, 'sales.csv'), rows)
}, 5 * 60_000)
afterAll(() => rm(folder, { recursive: true }))

async function logIn(server: ServeProcess): Promise<Caller> {
  const answer = await fetch(`${server.url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: 'correct horse' }),
  })
  return new Caller(server, ((await answer.json()) as { token: string }).token)
}

/** A data folder in which the sales are a file of ann's. */
async function withSales(): Promise<string> {
  const dataFolder = join(await temporaryFolder(), 'data')
  await mkdir(join(dataFolder, 'uploads/user/ann'), { recursive: true })
  await link(join(folder, 'sales.csv'), join(dataFolder, 'uploads/user/ann/sales.csv'))
  return dataFolder
}

/** Begins the import and waits until so much of it is done, of 1. Returns its job and its process. */
async function importUntil(caller: Caller, server: ServeProcess, part: number) {
  const { json } = await caller.post('/import', { filename: 'sales.csv' })
  const isThere = async () => ((await caller.job(json.id)).percent ?? 0) >= part * 100
  await eventually(`${part} of the import is done`, isThere, 10 * 60_000)
  return { id: json.id as string, children: await enginesOf(server.child.pid!) }
}

/** Whether the import was over before it could be ended. Its rows are there then, all of them; and are removed. */
async function cameTooLate(caller: Caller, id: string): Promise<boolean> {
  if (!['committing', 'done'].includes((await caller.job(id)).state)) return false
  await eventually('the import is done', async () => (await caller.job(id)).state === 'done')
  expect((await caller.call('/tables/sales')).json).toMatchObject({ rows })
  await caller.call('/tables/sales', { method: 'DELETE' })
  return true
}

async function expectNothing(dataFolder: string, caller: Caller, children: number[]): Promise<void> {
  expect(await readdir(join(dataFolder, 'partial'))).toEqual([])
  const inTables = await readdir(join(dataFolder, 'tables'), { recursive: true, withFileTypes: true })
  expect(inTables.filter((entry) => entry.isFile())).toEqual([])
  expect((await caller.call('/tables')).json.tables).toEqual([])
  expect(await running(children)).toEqual([])
}

describe.each([0.1, 0.5, 0.9])(`an import of ${rows} rows at %d of its way`, (part) => {
  it(`leaves nothing when it is stopped, ${times} times`, async () => {
    const dataFolder = await withSales()
    const server = await startServe({ dataFolder })
    const caller = await logIn(server)
    const took: number[] = []
    while (took.length < times) {
      const { id, children } = await importUntil(caller, server, part)
      const { status, json } = await caller.post('/import/stop')
      if (status !== 200 && (await cameTooLate(caller, id))) continue
      expect(children.length).toBe(1)
      expect({ status, cleanedUp: json.cleanedUp }).toEqual({ status: 200, cleanedUp: true })
      took.push(json.tookMs)
      await expectNothing(dataFolder, caller, children)
    }
    console.log(`stops at ${part}: ${Math.max(...took)} ms at most`)
  })

  it(`leaves nothing when the server is killed, ${times} times`, async () => {
    const dataFolder = await withSales()
    let server = await startServe({ dataFolder })
    for (let time = 0; time < times; ) {
      const { id, children } = await importUntil(await logIn(server), server, part)
      server.child.kill('SIGKILL')
      await once(server.child, 'close')
      server = await startServe({ dataFolder })
      const caller = await logIn(server)
      if (await cameTooLate(caller, id)) continue
      await expectNothing(dataFolder, caller, children)
      time++
    }
  })
})

it(`an import of ${rows} rows preserves every row`, async () => {
  const dataFolder = await withSales()
  const caller = await logIn(await startServe({ dataFolder }))
  const body = { filename: 'sales.csv' }
  const { json } = await caller.call('/import', { method: 'POST', body, headers: { Prefer: 'wait=3600' } })
  expect(json).toMatchObject({ state: 'done', rows })
  const { json: asked } = await caller.post('/query', {
    sql: 'select count(*) n, count(distinct "Order ID") d, min("Order ID") a, max("Order ID") z from sales',
  })
  expect(asked.results).toEqual([{ n: rows, d: rows, a: 100_000_000, z: 100_000_000 + rows - 1 }])
})

describe('with any values', () => {
  const parts = [
    'a',
    'b',
    '"',
    ',',
    ';',
    '\n',
    '\r\n',
    ' ',
    'é',
    '日',
    'x y',
    "'",
    '#',
    '\\',
    '2014-01-01',
    'NULL',
    '\t',
  ]

  /** Rows of two texts and a number, and the CSV that holds them. */
  function make(seed: number, count: number, longest: number) {
    let state = seed
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return (state >> 8) % below
    }
    const text = () => Array.from({ length: random(longest) }, () => parts[random(parts.length)]).join('')
    const values = Array.from({ length: count }, (_, row): [string, number, string] => [text(), row, text()])
    const field = (value: string) => {
      const needed = /^ |[",\r\n]/.test(value) || random(10) === 0
      return needed ? `"${value.replaceAll('"', '""')}"` : value
    }
    return { values, csv: values.map(([a, i, b]) => `${field(a)},${i},${field(b)}\n`) }
  }

  it.each(
    [1, 2, 3, 4, 5, 6].flatMap((seed) => [
      { seed, threads: 1, longest: 40 },
      { seed, threads: 2, longest: 40 },
      { seed, threads: 2, longest: 4 },
    ]),
  )('rows are preserved: $seed, $threads threads, $longest parts', async ({ seed, threads, longest }) => {
    const work = await temporaryFolder()
    const { values, csv } = make(seed, 200_000, longest)
    await writeFile(join(work, '1.csv'), ['a,i,b\n', ...csv].join(''))
    const options: ImportOptions = {
      folder: work,
      source: '1.csv',
      output: '1.parquet',
      text: '1.text.csv',
      copy: '1.clean.csv',
      csvOptions: { header: true, types: { a: 'text', b: 'text' } },
      skipBadLines: false,
      trim: false,
      memoryBytes: 2 ** 29,
      maxBytes: 2 ** 30,
      threads,
      signal: new AbortController().signal,
      onProgress: () => {},
    }
    expect((await importCsv(options)).rows).toBe(values.length)
    const engine = new RowsEngine(work)
    onTestFinished(() => engine.close())
    const found: unknown[] = []
    // It answers with as many as a page may hold.
    while (found.length < values.length) {
      const source = "read_parquet('1.parquet', file_row_number = true)"
      const rest = `SELECT c0, c1, c2 FROM ${source} WHERE file_row_number >= ${found.length} ORDER BY file_row_number`
      const page = await engine.rows([rest], 'user:ann', options.signal)
      expect(page.length).toBeGreaterThan(0)
      for (const row of page) found.push(row)
    }
    const wrong = values.findIndex(
      ([a, i, b], row) => JSON.stringify(found[row]) !== JSON.stringify([a || null, i, b || null]),
    )
    expect(wrong, `${JSON.stringify(values[wrong])} is ${JSON.stringify(found[wrong])}`).toBe(-1)
  })
})
