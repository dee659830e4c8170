import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameFromTarget, parseName } from '../../../../dist/server/routes/headers/names.js'
import { check, checkAsync } from '../../../helpers/properties.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

/** Strings that are likely to be odd names. */
const odd = fc.string({ unit: 'binary' })
const segment = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  odd,
  fc.constantFrom(
    '.',
    '..',
    '',
    '...',
    'ops:x',
    'OPS:',
    'CON',
    ' ',
    '\u0000',
    'a\u0301',
    '\\',
    '%2e%2e',
    '%2F',
    '\ud800',
  ),
)
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))

describe('an accepted file name', () => {
  it('is what the percent-encoded target encodes', () => {
    check(
      fc.property(name, (name) => {
        fc.pre(accepted(name))
        const target = `/files/${name.split('/').map(encodeURIComponent).join('/')}`
        expect(nameFromTarget(`${target}?x=1`, '/files/')).toBe(name)
      }),
      500,
    )
  })

  it('is a path below the folder of its account, with that name', async () => {
    const folder = await temporaryFolder()
    let index = 0
    await checkAsync(
      fc.asyncProperty(name, async (name) => {
        fc.pre(accepted(name))
        const root = join(folder, String(index++))
        const path = join(root, name)
        expect(relative(root, path)).toBe(name)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, '')
        const found = await readdir(root, { recursive: true })
        expect(found).toContain(name)
      }),
      100,
    )
  })

  it('has no control characters, and is in NFC', () => {
    check(
      fc.property(name, (name) => {
        fc.pre(accepted(name))
        expect(name).toBe(name.normalize('NFC'))
        expect(name).not.toMatch(/\p{Cc}|\p{Cs}/u)
      }),
      300,
    )
  })
})

describe('a request target', () => {
  it('is a valid name or rejected as invalid, whatever it contains', () => {
    const target = fc.string({
      unit: fc.constantFrom('%', '2', 'e', 'f', 'E', 'F', '.', '/', 'a', 'ä', '?', '\\', '0', '#'),
    })
    check(
      fc.property(target, (target) => {
        try {
          const name = nameFromTarget(`/files/${target}`, '/files/')
          expect(name.split('/')).not.toContain('..')
          expect(accepted(name)).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-request' })
        }
      }),
      1000,
    )
  })
})

function accepted(name: string): boolean {
  try {
    return parseName(name) === name
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid-request' })
    return false
  }
}
