import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { partialNames } from '../helpers/stored-state.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ importMaxBytes: 100_000 })
})
afterAll(() => server.close())

const rows = '{"city":"Köln","n":1}\n{"city":"Zürich","n":2}\n'

async function parquetFile(path: string): Promise<Buffer> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(
    `COPY (SELECT * FROM (VALUES ('Köln', 1), ('Zürich', 2)) AS t(city, n)) TO '${path}' (FORMAT parquet)`,
  )
  connection.closeSync()
  return readFile(path)
}

/** Imports a file by the command line, and reads its rows back. */
async function importAndRead(content: Uint8Array, name: string, args: string[] = []) {
  const { client } = await makeAccount(server)
  await writeFile(join(client.home, name), content)
  const imported = await client.runHere(['import', name, '--table', 't', ...args])
  const { stdout } = await client.runHere(['rows', 't', '--json'])
  return { ...imported, rows: stdout }
}

describe('filejobs import of files that are no CSV in UTF-8', () => {
  const csv = 'city,n\nKöln,1\nZürich,2\n'

  it.each([
    ['UTF-16', Buffer.from(`\ufeff${csv}`, 'utf16le'), 'a.csv', []],
    ['Windows-1252', Buffer.from(csv, 'latin1'), 'a.csv', ['--encoding', 'windows-1252']],
    ['gzip', gzipSync(csv), 'a.csv.gz', []],
    [
      'an array of JSON',
      Buffer.from(
        JSON.stringify(
          rows
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        ),
      ),
      'a.json',
      [],
    ],
    ['an object a line, compressed', gzipSync(rows), 'a.ndjson.gz', []],
  ])('reads %s', async (_, content, name, args) => {
    expect(await importAndRead(content, name, args)).toEqual({
      code: 0,
      stdout: `Imported 2 rows of 2 columns from ${name} into t\n`,
      stderr: '',
      rows,
    })
  })

  it('reads Parquet', async () => {
    const { client } = await makeAccount(server)
    const content = await parquetFile(join(client.home, 'made.parquet'))
    expect(await importAndRead(content, 'a.parquet')).toMatchObject({ code: 0, stderr: '', rows })
  })

  it.each([
    [
      'bytes of another encoding',
      Buffer.from(csv, 'latin1'),
      10,
      /^Error: Line 2: .*0xf6 at offset 8\. It looks like Windows-1252: "--encoding windows-1252" \(encoding\) reads it\.\n {2}At byte 7: K\ufffdln,1\n$/,
    ],
    ['a workbook', Buffer.from('PK\x03\x04 xl/workbook.xml'), 10, /^Error: The file is an Excel workbook/],
    ['broken JSON', Buffer.from('[{"a":1},]'), 10, /^Error: Line 1: The JSON cannot be read at offset 9/],
    [
      'a gzip file that is too large',
      gzipSync('a\n'.repeat(100_000)),
      7,
      /more than 97\.7 KiB, the most that it may \("filejobs serve --import-max-size"\)/,
    ],
  ])('refuses %s, and publishes nothing', async (_, content, code, message) => {
    const { client, put } = await makeAccount(server)
    await put('a.csv', content)
    const refused = await client.runHere(['import', 'a.csv', '--remote'])
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' })
    expect(refused.stderr).toMatch(message)
    expect((await client.runHere(['tables', '--json'])).stdout).toBe('')
    expect(await partialNames(server.dataFolder)).toEqual([])
  })

  it('refuses an encoding that there is not', async () => {
    const { client } = await makeAccount(server)
    await writeFile(`${client.home}/a.csv`, csv)
    expect(await client.runHere(['import', 'a.csv', '--encoding', 'klingon'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('encoding must be the name of a character encoding'),
    })
  })
})
