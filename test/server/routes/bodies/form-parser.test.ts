import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundaryScanner } from '../../../../dist/server/routes/bodies/boundary-scanner.js'
import { FormParser } from '../../../../dist/server/routes/bodies/form-parser.js'
import { check, checkAsync } from '../../../helpers/properties.js'

interface Part {
  field: string | null
  filename: string | null
  content: Buffer
}

describe('a multipart form', () => {
  it('yields exactly its parts, whatever its content and chunks', () => {
    check(
      fc.property(fc.array(part, { maxLength: 5 }), cuts, (parts, sizes) => {
        expect(parse(formOf(parts), sizes)).toEqual(parts.filter(({ filename }) => filename !== ''))
      }),
      500,
    )
  })

  it('encoded by Node’s FormData yields its entries', async () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'ü', '日', '.', ' ', "'", ';', '='),
      minLength: 1,
      maxLength: 8,
    })
    const entry = fc.record({ field: name, filename: fc.option(name), content: nasty })
    await checkAsync(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 4 }), cuts, async (entries, sizes) => {
        const form = new FormData()
        for (const { field, filename, content } of entries) {
          if (filename === null) form.append(field, content.toString('hex'))
          else form.append(field, new Blob([new Uint8Array(content)]), filename)
        }
        const encoded = new Response(form)
        const body = Buffer.from(await encoded.arrayBuffer())
        const found = parse(body, sizes, encoded.headers.get('content-type')!)
        expect(found).toEqual(
          entries.map(({ field, filename, content }) => ({
            field,
            filename,
            content: filename === null ? Buffer.from(content.toString('hex')) : content,
          })),
        )
      }),
      100,
    )
  })

  it('that is damaged is rejected, or each of its bytes belongs to a part', () => {
    const damage = fc.record({
      at: fc.nat(),
      removed: fc.integer({ min: 0, max: 4 }),
      added: fc.oneof(fc.constant(Buffer.alloc(0)), nasty),
    })
    check(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        damage,
        cuts,
        (parts, { at, removed, added }, sizes) => {
          const whole = formOf(parts)
          const from = at % (whole.length + 1)
          const body = Buffer.concat([whole.subarray(0, from), added, whole.subarray(from + removed)])
          const found = scan(body, sizes)
          if (!found) return
          const framed = found.map(({ block, content }) => `--${boundary}${block}${content}`)
          expect(withoutBlanks(`${framed.join('')}--${boundary}--`)).toBe(withoutBlanks(body.toString('latin1')))
        },
      ),
      2000,
    )
  })

  it('with a damaged header yields all of its parts or is rejected', () => {
    const names = fc.constantFrom('a', 'b"', 'c;', 'd\\')
    const junk = fc.string({
      unit: fc.constantFrom('"', ';', '=', ' ', '\\', '*', 'a', '\r', '\n', '\t', ':', "'"),
      maxLength: 3,
    })
    check(
      fc.property(names, junk, fc.nat(), (name, inserted, at) => {
        const header = `Content-Disposition: form-data; name="f"; filename="${name.replace(/["\\]/g, '\\$&')}"`
        const from = at % (header.length + 1)
        const body = bodyOf([`${header.slice(0, from)}${inserted}${header.slice(from)}\r\n\r\nabc`, good])
        let found: Part[] | undefined
        try {
          found = parse(body, [])
        } catch {
          return
        }
        expect(found.map(({ content }) => content.toString())).toEqual(['abc', 'good'])
        expect(found[1]).toMatchObject({ filename: 'good.txt' })
      }),
      1000,
    )
  })
})

describe('a part is parsed', () => {
  it.each([
    ['with a ; at the end', 'form-data; name="f"; filename="a.txt";', 'a.txt'],
    ['with several ;', 'form-data;; name="f" ; ; filename="a.txt" ; ', 'a.txt'],
    ['with blanks around =', 'form-data; name = "f"; filename\t= "a.txt"', 'a.txt'],
    ['without blanks', 'form-data;name="f";filename="a.txt"', 'a.txt'],
    ['with names in capitals', 'Form-Data; NAME="f"; FileName="a.txt"', 'a.txt'],
    ['without quotes', 'form-data; name=f; filename=a.txt', 'a.txt'],
    ['with an escaped quote', 'form-data; name="f"; filename="6\\" pipe.txt"', '6" pipe.txt'],
    ['with an escaped backslash', 'form-data; name="f"; filename="a\\\\b"', 'a\\b'],
    ['with a backslash that escapes nothing', 'form-data; name="f"; filename="a\\b"', 'a\\b'],
    ['with a ; in its name', 'form-data; name="f"; filename="a;b=c.txt"', 'a;b=c.txt'],
    ['with a name in percent-encoding', 'form-data; name="f"; filename*=UTF-8\'\'a%20%C3%BC', 'a ü'],
    ['with a name in Latin-1', 'form-data; name="f"; filename*=iso-8859-1\'en\'%fc', 'ü'],
    ['with both kinds of name', 'form-data; name="f"; filename="u"; filename*=UTF-8\'\'%C3%BC', 'ü'],
    ['with a folded header', 'form-data;\r\n name="f";\r\n\tfilename="a.txt"', 'a.txt'],
    ['with parameters that are not known', 'form-data; name="f"; size=3; filename="a.txt"', 'a.txt'],
  ])('%s', (_how, disposition, filename) => {
    const found = parse(bodyOf([`Content-Disposition: ${disposition}\r\n\r\nabc`, good]), [])
    expect(found).toMatchObject([{ field: 'f', filename }, { filename: 'good.txt' }])
  })

  it.each([
    ['spaces after its boundary', `--${boundary} \t \r\n${good}\r\n--${boundary}--\t`],
    ['a blank line before the first boundary', `\r\n--${boundary}\r\n${good}\r\n--${boundary}--\r\n`],
    ['blank lines after the last boundary', `--${boundary}\r\n${good}\r\n--${boundary}--\r\n\r\n \n`],
  ])('with %s', (_what, body) => {
    expect(parse(Buffer.from(body), [])).toMatchObject([{ filename: 'good.txt' }])
  })

  it.each(['67890', 'b', '-', '-1', '\0', '.\r\n'])(
    'with a line that is the boundary and "%s" in its content',
    (more) => {
      const content = `first\r\n--${boundary}${more}last`
      for (const sizes of [[], [1], [7]]) {
        const found = parse(bodyOf([`Content-Disposition: form-data; name="f"; filename="a"\r\n\r\n${content}`]), sizes)
        expect(found[0]!.content.toString()).toBe(content)
      }
    },
  )

  it('without content, and without the line break before the boundary', () => {
    const body = `--${boundary}\r\n${disposition('a')}\r\n\r\n--${boundary}\r\n${disposition('b')}\r\n\r\n\r\n--${boundary}--`
    expect(parse(Buffer.from(body), [])).toMatchObject([{ filename: 'a' }, { filename: 'b' }])
  })
})

function disposition(name: string): string {
  return `Content-Disposition: form-data; name="f"; filename="${name}"`
}

const boundary = 'bnd'
const good = `${disposition('good.txt')}\r\n\r\ngood`

/** Content that is made of what could be taken for a boundary, but has none. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        '-',
        '--',
        '\r\n--',
        '\r\n--bn',
        '\r\n--bndx',
        '\r\n--bnd-x',
        '--bnd',
        ' ',
        '\t',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((encoded) => Buffer.from(encoded.join('')))
  .filter((content) => !/\r\n--bnd(--|[ \t\r\n]|-?$)/.test(`\r\n${content.toString('latin1')}\r\n`))

const name = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', ';', '=', ' ', 'ü', '日', '.', '/'), maxLength: 8 })

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ field: name, filename: fc.constant(null), content: nasty }),
  fc.record({ field: name, filename: name.filter((text) => text !== ''), content: nasty }),
  fc.record({ field: name, filename: fc.constant(''), content: fc.constant(Buffer.alloc(0)) }),
)

/** Sizes of the chunks that a body comes in, again and again. */
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 })

function formOf(parts: Part[]): Buffer {
  const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  const encoded = parts.flatMap(({ field, filename, content }) => {
    const file = filename === null ? '' : `; filename=${quote(filename)}`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name=${quote(field ?? '')}${file}\r\n\r\n`
    return [Buffer.from(head), content, Buffer.from('\r\n')]
  })
  return Buffer.concat([...encoded, Buffer.from(`--${boundary}--\r\n`)])
}

function bodyOf(parts: string[]): Buffer {
  return Buffer.from(`${parts.map((text) => `--${boundary}\r\n${text}\r\n`).join('')}--${boundary}--\r\n`)
}

function parse(body: Buffer, sizes: number[], type = `multipart/form-data; boundary=${boundary}`): Part[] {
  const parts: Part[] = []
  const parser = new FormParser(type, {
    onField: ({ field }, content) => parts.push({ field, filename: null, content: Buffer.from(content) }),
    onFile({ field, filename }) {
      const chunks: Buffer[] = []
      return {
        onContent: (chunk) => chunks.push(chunk),
        onEnd: () => parts.push({ field, filename, content: Buffer.concat(chunks) }),
      }
    },
  })
  for (const chunk of cutUp(body, sizes)) parser.push(chunk)
  parser.end()
  return parts
}

/** The parts of any body as they stand there; undefined where it is refused. */
function scan(body: Buffer, sizes: number[]): { block: string; content: string }[] | undefined {
  const parts: { block: string; content: string }[] = []
  const scanner = new BoundaryScanner(boundary, {
    onPartBegin: () => parts.push({ block: '', content: '' }),
    onHeaders: (block) => {
      parts.at(-1)!.block = block.toString('latin1')
    },
    onContent: (content) => {
      parts.at(-1)!.content += content.toString('latin1')
    },
    onPartEnd() {},
  })
  try {
    for (const chunk of cutUp(body, sizes)) scanner.push(chunk)
    scanner.end()
    return parts
  } catch (error) {
    expect((error as Error).constructor.name).toBe('FormFault')
    return undefined
  }
}

function cutUp(body: Buffer, sizes: number[]): Buffer[] {
  if (sizes.length === 0) return [body]
  const chunks: Buffer[] = []
  for (let at = 0, index = 0; at < body.length; index++) {
    const size = sizes[index % sizes.length]!
    chunks.push(body.subarray(at, at + size))
    at += size
  }
  return chunks
}

function withoutBlanks(text: string): string {
  return text.replace(/[\r\n\t ]/g, '')
}
