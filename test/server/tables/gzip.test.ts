import { deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ImportedFiles } from '../../helpers/imported-file.js'

let files: ImportedFiles
beforeAll(async () => {
  files = await ImportedFiles.open()
})
afterAll(() => files.close())

const csv = 'a,b\n1,x\n2,y\n'

describe('an import of a gzip file', () => {
  it('reads its content, also of several members', async () => {
    const members = Buffer.concat([gzipSync('a,b\n1,x'), gzipSync('\n2,y\n')])
    for (const content of [gzipSync(csv), members]) {
      const { rows } = await files.import(content)
      expect(rows).toEqual([
        [1, 'x'],
        [2, 'y'],
      ])
    }
  })

  it('names the line of a fault in the text', async () => {
    expect(await files.refusal(gzipSync(`${csv}3\n`))).toMatchObject({ code: 'malformed-csv', line: 4 })
  })

  it.each([
    ['is cut', gzipSync(csv).subarray(0, -5), /ends too early/],
    ['has a wrong checksum', Buffer.concat([gzipSync(csv).subarray(0, -8), Buffer.alloc(8, 1)]), /damaged/],
    ['has other bytes behind it', Buffer.concat([gzipSync(csv), Buffer.from('more')]), /damaged/],
    ['is compressed twice', gzipSync(gzipSync(csv)), /gzip twice/],
    ['holds a workbook', gzipSync('PK\x03\x04 xl/workbook.xml'), /Excel workbook/],
    ['holds a tar', gzipSync(Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\0')])), /tar archive/],
  ])('refuses one that %s', async (_, content, message) => {
    expect(await files.refusal(content)).toMatchObject({
      code: 'malformed-csv',
      message: expect.stringMatching(message),
    })
  })

  it('refuses one that has more bytes than the limit, and leaves nothing', async () => {
    const bomb = gzipSync(`a\n${'0\n'.repeat(5_000_000)}`)
    expect(await files.refusal(bomb, {}, { maxBytes: 1_000_000 })).toMatchObject({
      code: 'file-too-large',
      message: expect.stringContaining('"filejobs serve --import-max-size"'),
    })
    expect((await files.import(gzipSync(csv), {}, { maxBytes: csv.length })).rows.length).toBe(2)
  })
})

describe('an import of another format', () => {
  it.each([
    ['an HTML page', '\ufeff\n<!DOCTYPE html>\n<html><body>Please log in</body></html>\n', /is an HTML page/],
    ['an HTML page without a doctype', '<!-- x -->\n<HTML lang="en">\n</HTML>\n', /is an HTML page/],
    ['XML', '<?xml version="1.0"?>\n<a/>\n', /is XML; export/],
    ['XML in UTF-16', Buffer.from('\ufeff<?xml version="1.0"?>\n<a/>\n', 'utf16le'), /is XML; export/],
    ['a workbook', 'PK\x03\x04\x14\0\x06\0[Content_Types].xml', /Excel workbook \(\.xlsx\); save the sheet as CSV/],
    [
      'an OpenDocument spreadsheet',
      'PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet',
      /\(\.ods\); save the sheet/,
    ],
    [
      'a ZIP archive',
      Buffer.concat([Buffer.from('PK\x03\x04a.csv'), deflateRawSync(csv)]),
      /is a ZIP archive; extract/,
    ],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1]), /\(\.xls\); save the sheet as CSV/],
    ['bzip2', Buffer.from('BZh91AY&SY\0'), /bzip2; decompress/],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), /Zstandard; decompress/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]), /xz; decompress/],
    ['SQLite', 'SQLite format 3\0', /SQLite database; export/],
    ['a PDF', '%PDF-1.7\n', /is a PDF; export/],
  ])('is refused by name, with advice: %s', async (_, content, message) => {
    expect(await files.refusal(content)).toMatchObject({
      code: 'malformed-csv',
      message: expect.stringMatching(message),
    })
  })
})
