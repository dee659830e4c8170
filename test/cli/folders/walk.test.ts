import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { openFilter } from '../../../dist/cli/folders/name-filter.js'
import { type Found, walkFolder } from '../../../dist/cli/folders/walk.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const noInput = Readable.from([])
const everything = await openFilter({}, noInput)

async function folderWith(...names: string[]): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of names) {
    await mkdir(`${folder}/${name}`.replace(/[^/]*$/, ''), { recursive: true })
    await writeFile(`${folder}/${name}`, name)
  }
  return folder
}

function namesOf(found: Iterable<Found[]>): string[] {
  return [...found].flat().map((entry) => (entry.kind === 'file' ? entry.file.name : `${entry.kind} ${entry.name}`))
}

describe('a walk', () => {
  it('finds files in the order in which the server sorts their names', async () => {
    const folder = await folderWith('b', 'a/z', 'a-b', 'a.txt', 'a/a/c', 'Z', 'ü', '\u{1f600}')
    const names = namesOf(walkFolder({ path: folder, prefix: 'in/' }, everything))
    expect(names).toEqual([...names].sort())
    expect(names).toHaveLength(8)
    expect(names.slice(0, 3)).toEqual(['in/Z', 'in/a-b', 'in/a.txt'])
  })

  it('names files in NFC, and fails the second of two that differ in that alone', async () => {
    const [composed, decomposed] = ['\u00e9', 'e\u0301']
    const folder = await folderWith(decomposed, 'f')
    expect(namesOf(walkFolder({ path: folder, prefix: '' }, everything))).toEqual(['f', composed])
    await writeFile(`${folder}/${composed}`, '')
    expect(namesOf(walkFolder({ path: folder, prefix: '' }, everything))).toEqual(['f', composed, `failed ${composed}`])
    await rm(`${folder}/${composed}`)
    await mkdir(`${folder}/${composed}`)
    await writeFile(`${folder}/${composed}/x`, '')
    expect(namesOf(walkFolder({ path: folder, prefix: '' }, everything))).toHaveLength(3)
  })

  it('skips symbolic links, and does not follow those to folders', async () => {
    const folder = await folderWith('a/b', 'c')
    await symlink('a', `${folder}/link`)
    await symlink('nowhere', `${folder}/dead`)
    expect(namesOf(walkFolder({ path: folder, prefix: '' }, everything))).toEqual([
      'a/b',
      'c',
      'skipped dead',
      'skipped link',
    ])
  })

  it('reports a folder that cannot be read, and finds the rest', async () => {
    const folder = await folderWith('a', 'c')
    const path = `${folder}/gone`
    expect(namesOf(walkFolder({ path, prefix: 'gone/' }, everything))).toEqual(['failed gone/'])
  })
})

describe('the folders of a walk', () => {
  it('are told before what is in them, with whether they are empty', async () => {
    const folder = await folderWith('a/b/c', 'd/e')
    for (const empty of ['a/empty', 'd/x/y', 'cache/z']) await mkdir(`${folder}/${empty}`, { recursive: true })
    const told: string[] = []
    const filter = await openFilter({ exclude: ['cache/', '/d/e'] }, noInput)
    const walk = walkFolder({ path: folder, prefix: 'in/' }, filter, ({ name, isEmpty }) =>
      told.push(isEmpty ? `${name} (empty)` : name),
    )
    expect(namesOf(walk)).toEqual(['in/a/b/c'])
    expect(told).toEqual(['in/', 'in/a/', 'in/a/b/', 'in/a/empty/ (empty)', 'in/d/', 'in/d/x/', 'in/d/x/y/ (empty)'])
  })

  it('take part if they are empty and match, or lead to nothing that was listed', async () => {
    const admitsEmpty = async (options: Parameters<typeof openFilter>[0], path: string) =>
      (await openFilter(options, Readable.from(['a/b\n']))).admitsEmpty(path)
    expect(await admitsEmpty({}, 'a/')).toBe(true)
    expect(await admitsEmpty({ exclude: ['a/'] }, 'a/b/')).toBe(false)
    expect(await admitsEmpty({ include: ['*.txt'] }, 'a/')).toBe(false)
    expect(await admitsEmpty({ include: ['a'] }, 'a/b/')).toBe(true)
    expect(await admitsEmpty({ filesFrom: '-' }, 'a/')).toBe(false)
    expect(await admitsEmpty({ filesFrom: '-', exclude: ['x'] }, 'a/')).toBe(false)
  })
})

describe('a filter', () => {
  const files = ['a.tmp', 'a.txt', 'build/x.txt', 'deep/a.tmp', 'deep/build/y.txt', 'deep/z.txt', 'Z.TMP']
  const admitted = async (options: Parameters<typeof openFilter>[0], input = '') => {
    const folder = await folderWith(...files)
    return namesOf(walkFolder({ path: folder, prefix: '' }, await openFilter(options, Readable.from([input]))))
  }

  it('leaves out what matches, at any depth or from the top', async () => {
    expect(await admitted({ exclude: ['*.tmp', '/build'] })).toEqual([
      'Z.TMP',
      'a.txt',
      'deep/build/y.txt',
      'deep/z.txt',
    ])
    expect(await admitted({ exclude: ['build/'] })).toEqual(['Z.TMP', 'a.tmp', 'a.txt', 'deep/a.tmp', 'deep/z.txt'])
  })

  it('includes only what matches, or is below a folder that does', async () => {
    expect(await admitted({ include: ['*.tmp', 'deep/build'] })).toEqual(['a.tmp', 'deep/a.tmp', 'deep/build/y.txt'])
    expect(await admitted({ include: ['deep/**'], exclude: ['*.tmp'] })).toEqual(['deep/build/y.txt', 'deep/z.txt'])
  })

  it('takes the patterns of a file, with comments and exceptions', async () => {
    const list = `${await folderWith('x')}/ignore`
    await writeFile(list, '# temporary\n*.tmp\n!deep/a.tmp\n\nbuild/\n')
    expect(await admitted({ excludeFrom: [list] })).toEqual(['Z.TMP', 'a.txt', 'deep/a.tmp', 'deep/z.txt'])
  })

  it.each([
    ['lines', './a.txt\ndeep/z.txt\r\nnowhere\n'],
    ['NUL', 'a.txt\0deep/z.txt\0nowhere\0'],
  ])('takes a list of files, separated by %s', async (_, input) => {
    expect(await admitted({ filesFrom: '-' }, input)).toEqual(['a.txt', 'deep/z.txt'])
    const { listed } = await openFilter({ filesFrom: '-' }, Readable.from([input]))
    expect([...listed!]).toContain('nowhere')
  })
})
