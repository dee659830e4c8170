import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const run = promisify(execFile)
const modules = ['query', 'import', 'rows-engine'].map(
  (name) => new URL(`../../../dist/server/tables/${name}.js`, import.meta.url).href,
)

/** Runs without a file descriptor to spare, and then with all of them again. */
const script = `
  import { closeSync, openSync } from 'node:fs'
  const [query, imports, rowsEngine] = await Promise.all(${JSON.stringify(modules)}.map((url) => import(url)))
  const { signal } = new AbortController()
  const folder = process.argv[1]
  const task = { source: '1.csv', output: '1.parquet', text: '1.text', copy: '1.copy', csvOptions: {}, skipBadLines: false, trim: false }
  const engine = new rowsEngine.RowsEngine(folder)
  const works = {
    query: () => query.runQuery({ sql: 'select 1 x', tables: [], folder, maxRows: 1, signal }),
    import: () => imports.importCsv({ ...task, folder, memoryBytes: 2 ** 28, maxBytes: 2 ** 30, threads: 1, signal, onProgress() {} }),
    rows: () => engine.rows(['SELECT 1'], 'user:ann', signal),
  }
  const outcomes = async () => {
    const found = {}
    for (const [name, work] of Object.entries(works)) found[name] = await work().then(() => 'done', ({ code, status }) => code + ' ' + status)
    return found
  }
  const opened = []
  try {
    for (;;) opened.push(openSync('/dev/null'))
  } catch {}
  const without = await outcomes()
  for (const descriptor of opened) closeSync(descriptor)
  const again = await outcomes()
  await engine.close()
  console.log(JSON.stringify({ without, again }))
`

it.skipIf(process.platform === 'win32')(
  'a server without free file descriptors answers 503 to queries, imports and rows, and recovers',
  async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/1.csv`, 'a,b\n1,x\n')
    const shell = ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, folder]
    const { stdout } = await run('/bin/sh', shell)
    const busy = 'busy 503'
    expect(JSON.parse(stdout)).toEqual({
      without: { query: busy, import: busy, rows: busy },
      again: { query: 'done', import: 'done', rows: 'done' },
    })
  },
)

it.skipIf(process.platform === 'win32')(
  'a query whose process cannot start for another reason is answered 500 without Retry-After',
  async () => {
    const { runQuery } = await import('../../../dist/server/tables/query.js')
    const { signal } = new AbortController()
    const folder = `${await temporaryFolder()}/missing`
    await expect(runQuery({ sql: 'select 1 x', tables: [], folder, maxRows: 1, signal })).rejects.toMatchObject({
      code: 'internal',
      cause: { code: 'ENOENT' },
    })
  },
)
