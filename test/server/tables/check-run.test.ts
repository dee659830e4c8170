import { copyFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checkFile } from '../../../dist/server/tables/check-run.js'
import type { CsvOptions } from '../../../dist/server/tables/csv-plan.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** Checks a file in this process. */
async function check(content: string | Uint8Array | URL, csvOptions: CsvOptions = {}, { maxBytes = 10_000_000 } = {}) {
  const folder = await temporaryFolder()
  const source = `${folder}/source`
  await (content instanceof URL ? copyFile(content, source) : writeFile(source, content))
  const files = { source, output: `${folder}/output`, copy: `${folder}/copy`, text: `${folder}/text` }
  const task = { skipBadLines: false, trim: false, memoryBytes: 2 ** 28, threads: 1, maxBytes }
  return checkFile({ ...files, ...task, csvOptions }, () => {})
}

const compressed = gzipSync('a,b\n1,x\n2\n')

describe('the check of a file', () => {
  it('lists its faults, with where they are and what would take them', async () => {
    const { rows, faults, advice } = await check(`a,b\n1,x\n2\n3,y,z\n${'4,z\n'.repeat(40)}`)
    expect(rows).toBe(41)
    expect(faults).toMatchObject({
      count: 2,
      first: [
        { line: 3, offset: 8, text: '2' },
        { line: 4, offset: 10, text: '3,y,z' },
      ],
    })
    expect(advice).toContain('(skipBadLines)')
  })

  it('says where the header is that it refuses', async () => {
    const { faults } = await check(`\ufeffa,,b\n1,2,3\n`)
    expect(faults.first).toEqual([expect.objectContaining({ line: 1, offset: 3, text: 'a,,b' })])
    const below = await check(`title\r\n\r\na,a\r\n${'1,2\r\n'.repeat(200)}`, { skipLines: 2 })
    expect(below.faults.first).toEqual([expect.objectContaining({ line: 3, offset: 9, text: 'a,a' })])
    const invalid = await check(Buffer.from('a,b\n1,2\n3,\xe9t\xe9\n', 'latin1'))
    expect(invalid.faults.first).toEqual([expect.objectContaining({ line: 3, offset: 8 })])
  })

  it('advises at once on all that a file needs', async () => {
    const bank = Buffer.from('Kontoauszug M\xfcller\n\nDatum;Betrag;\n01.02.2026;-12;x\n02.02.2026;10;y\n', 'latin1')
    const { faults, advice } = await check(bank)
    expect(faults.first).toMatchObject([{ line: 1, reason: expect.stringContaining('0xfc') }])
    expect(advice).toMatch(/"--encoding windows-1252" .* needs "--skip-lines 1" .* and "--rename-columns"/)
    const advised = { encoding: 'windows-1252', skipLines: 1, renameColumns: true }
    expect(await check(bank, advised)).toMatchObject({ rows: 2, faults: { count: 0 } })
    const other = await check(Buffer.from('Title;;\n\nName;City;Age\n\xe9va;Gy\xf5r;3\n', 'latin1'))
    expect(other.advice).toMatch(/"--skip-lines 2" .* needs "--encoding windows-1252"/)
  })

  it('refuses a file for its bytes, although there is no room to look further', async () => {
    const { advice } = await check(Buffer.from('a,b,\n\xe9,2,3\n', 'latin1'), { renameColumns: true }, { maxBytes: 5 })
    expect(advice).toBe('It looks like Windows-1252: "--encoding windows-1252" (encoding) reads it.')
  })

  it('finds none in a good file, in CSV, JSON and Parquet', async () => {
    const good = [
      'a,b\n1,x\n',
      '[{"a": 1}, {"b": "x"}]',
      new URL('../../data/csv/columns.parquet', import.meta.url),
      new URL('../../data/csv/utf-16.txt', import.meta.url),
    ]
    for (const file of good) expect((await check(file)).faults).toEqual({ count: 0, first: [] })
  })

  it('reads a compressed file, and says that it is damaged or too large', async () => {
    expect((await check(compressed)).faults).toMatchObject({ count: 1, first: [{ line: 3 }] })
    const [cut, damaged] = [compressed.subarray(0, -10), Buffer.from(compressed)]
    damaged.fill(0xff, 12, 20)
    const reasons = []
    for (const file of [cut, damaged]) reasons.push((await check(file)).faults.first[0]!.reason)
    expect(reasons).toEqual([expect.stringContaining('ends too early'), expect.stringContaining('damaged')])
    await expect(check(gzipSync(Buffer.alloc(11_000_000, 'a\n')))).rejects.toMatchObject({ code: 'file-too-large' })
  })

  it.each([
    ['', /empty/i],
    ['PAR1 and more that is none', /Parquet/],
    ['[{"a": 1}, 2]', /object/],
    ['{"a": 1, "a": 2}', /twice|once|"a"/],
    ['<html><body>', /HTML|page/i],
    ['a,a\n1,2\n', /"a"/],
  ])('of %j has one fault that ends it', async (content, words) => {
    const { rows, columns, faults } = await check(content)
    expect({ rows, columns: columns.length, count: faults.count }).toEqual({ rows: 0, columns: 0, count: 1 })
    expect(faults.first[0]!.reason).toMatch(words)
  })

  it('throws where the options are wrong, which is no fault of the file', async () => {
    await expect(check('{"a": 1}', { decimal: ',' })).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(check('a\n1\n', { encoding: 'nothing' })).rejects.toMatchObject({ code: 'invalid-request' })
  })
})
