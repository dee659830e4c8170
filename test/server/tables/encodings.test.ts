import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeText } from '../../../dist/server/tables/decode-text.js'
import { parseEncoding } from '../../../dist/server/tables/encodings.js'
import { ImportedFiles } from '../../helpers/imported-file.js'
import { checkAsync } from '../../helpers/properties.js'

let files: ImportedFiles
beforeAll(async () => {
  files = await ImportedFiles.open()
})
afterAll(() => files.close())

const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16()

/** The bytes in chunks of these sizes, of which the last is repeated. */
function inChunks(bytes: Buffer, sizes: number[]) {
  return async function* () {
    for (let at = 0, part = 0; at < bytes.length; part++) {
      const size = sizes[Math.min(part, sizes.length - 1)]!
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
}

async function decoded(bytes: Buffer, encoding: string, sizes = [3]): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of decodeText(inChunks(bytes, sizes), encoding)) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('an import of text that is not UTF-8', () => {
  const text = 'name,n\r\nZoë,1\r\n日本 🎈,2\r\n'

  it.each([
    ['UTF-16 little endian with a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 big endian with a byte order mark', swapped(`\ufeff${text}`)],
    ['UTF-16 little endian without one', Buffer.from(text, 'utf16le')],
    ['UTF-16 big endian without one', swapped(text)],
    ['gzip of UTF-16', gzipSync(Buffer.from(text, 'utf16le'))],
  ])('reads %s', async (_, content) => {
    const { rows, types } = await files.import(content)
    expect(types).toEqual({ name: 'text', n: 'integer' })
    expect(rows).toEqual([
      ['Zoë', 1],
      ['日本 🎈', 2],
    ])
  })

  it('reads the encoding that is asked for', async () => {
    const windows = Buffer.from('preis,n\n\x80 5 \x93so\x94,1\nK\xf6ln,2\n', 'latin1')
    const read = [
      ['€ 5 “so”', 1],
      ['Köln', 2],
    ]
    expect((await files.import(windows, { encoding: 'windows-1252' })).rows).toEqual(read)
    expect((await files.import(windows, { encoding: 'ISO-8859-1' })).rows).toEqual(read)
    expect(
      (await files.import(Buffer.from([0x61, 10, 0xa4, 10]), { encoding: 'iso-8859-15', header: true })).rows,
    ).toEqual([['€']])
    const japanese = Buffer.from([0x61, 10, 0x93, 0xfa, 0x96, 0x7b, 10])
    expect((await files.import(japanese, { encoding: 'shift_jis', header: true })).rows).toEqual([['日本']])
  })

  it('names line, offset and bytes that are not valid', async () => {
    const cut = Buffer.from([...Buffer.from('a,b\r\n1,x\r\n2,'), 0x93])
    expect(await files.refusal(cut, { encoding: 'shift_jis' })).toMatchObject({
      code: 'malformed-csv',
      line: 3,
      message: expect.stringMatching(/^Line 3: bytes that are not shift_jis: 0x93 at offset 12\. "--encoding NAME"/),
    })
    const undefinedByte = Buffer.from('a,b\n1,x\n2,\x81\n', 'latin1')
    expect((await files.refusal(undefinedByte, { encoding: 'windows-1252' })).message).toMatch(/0x81 at offset 10\./)
    const half = Buffer.from('\ufeffa,b\n1,\ud800\n', 'utf16le')
    expect((await files.refusal(half)).message).toMatch(/^Line 2: bytes that are not utf-16le: 0x00 0xd8/)
  })

  it.each([
    [
      'Windows-1252 in a row',
      Buffer.from('a,b\n1,x\n2,K\xf6ln\n', 'latin1'),
      /^Line 3: .* 0xf6 at offset 11\. It looks like Windows-1252: "--encoding windows-1252" \(encoding\)/,
    ],
    [
      'Windows-1252 in the header',
      Buffer.from('Stra\xdfe,b\n1,x\n', 'latin1'),
      /^Line 1: .* 0xdf at offset 4\. It looks like Windows-1252/,
    ],
    [
      'Windows-1251',
      Buffer.from([0x61, 10, 0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 10]),
      /windows-1251, shift_jis or gb18030/,
    ],
    [
      'UTF-8 with a damaged byte',
      Buffer.concat([Buffer.from('a\nZoë é ü\n'), Buffer.from([0xc3, 10])]),
      /^Line 3: .* 0xc3 at offset 13\. The rest looks like UTF-8/,
    ],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /UTF-32; save it as UTF-8/],
  ])('says what the bytes look like: %s', async (_, content, message) => {
    expect((await files.refusal(content)).message).toMatch(message)
  })

  it('refuses an encoding that the byte order mark contradicts, and one that there is not', async () => {
    const marked = Buffer.from(`\ufeff${text}`, 'utf16le')
    expect(await files.refusal(marked, { encoding: 'windows-1252' })).toMatchObject({
      code: 'invalid-request',
      field: 'encoding',
    })
    expect((await files.import(marked, { encoding: 'utf-16' })).rows.length).toBe(2)
    expect(() => parseEncoding('klingon')).toThrow(/not "klingon"/)
  })

  it('is what TextDecoder makes of the whole text, in any chunks', async () => {
    const encodings = [
      'utf-16le',
      'utf-16be',
      'shift_jis',
      'gb18030',
      'euc-kr',
      'big5',
      'euc-jp',
      'iso-8859-15',
      'koi8-r',
    ]
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0, 10, 13, 0x61, 0xa4, 0xd8, 0xdc, 0x81, 0x30),
    )
    await checkAsync(
      fc.asyncProperty(
        fc.constantFrom(...encodings),
        fc.array(byte, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
        async (encoding, bytes, sizes) => {
          const whole = Buffer.from(bytes)
          let expected: string | undefined
          try {
            expected = new TextDecoder(encoding, { fatal: true }).decode(whole)
          } catch {}
          const found = await decoded(whole, encoding, sizes).catch(() => undefined)
          expect(found).toBe(expected)
        },
      ),
      500,
    )
  })

  it('is Windows-1252 as in the standard, with what ISO-8859-1 has not', async () => {
    const bytes = Buffer.from(
      Array.from({ length: 256 }, (_, code) => code).filter((code) => ![0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(code)),
    )
    const text = await decoded(bytes, 'windows-1252')
    expect(text.slice(128, 155)).toBe('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ')
    expect(text.replace(/[^\0-\xff]/g, '')).toBe(bytes.toString('latin1').replace(/[\x80-\x9f]/g, ''))
  })
})
