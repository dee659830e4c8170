import { appendFile, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openDigestCache } from '../../../dist/cli/folders/digest-cache.js'
import { type LocalFile, localFile } from '../../../dist/cli/folders/walk.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const digest = 'a'.repeat(64)
const later = () => Date.now() + 10_000

async function cachedFiles(...names: string[]) {
  const folder = await temporaryFolder()
  for (const name of names) await writeFile(`${folder}/${name}`, name)
  const cacheFolder = `${folder}/cache`
  const open = () => openDigestCache(cacheFolder, ['http://server', folder])
  const file = (name: string): LocalFile => localFile(`${folder}/${name}`, name)
  /** The cache of a new run. */
  const found = (...asked: string[]) => {
    const cache = open()
    const digests = asked.map((name) => cache.find(file(name)))
    cache.close()
    return digests.map((sha256) => sha256 !== undefined)
  }
  const add = (readAtMs: number, ...added: string[]) => {
    const cache = open()
    for (const name of added) cache.add(file(name), digest, readAtMs)
    cache.close()
  }
  const saved = async () => `${cacheFolder}/${(await readdir(cacheFolder))[0]}`
  return { folder, cacheFolder, file, open, found, add, saved }
}

describe('the cache of digests', () => {
  it('knows a file until its size, times or inode change', async () => {
    const { folder, found, add } = await cachedFiles('a', 'b', 'c')
    add(later(), 'a', 'b', 'c')
    expect(found('a', 'b', 'c')).toEqual([true, true, true])
    await appendFile(`${folder}/a`, 'x')
    const { atime, mtime } = await stat(`${folder}/b`)
    await writeFile(`${folder}/b`, 'B')
    // The change is hidden from everything but the time of the last status change.
    await utimes(`${folder}/b`, atime, mtime)
    expect(found('a', 'b', 'c')).toEqual([false, false, true])
  })

  it('does not trust a file that was changed within 2 s before it was read, or in the future', async () => {
    const { folder, found, add } = await cachedFiles('a', 'b')
    add(Date.now() + 1_000, 'a')
    await utimes(`${folder}/b`, new Date(), new Date(Date.now() + 3_600_000))
    add(later(), 'b')
    expect(found('a', 'b')).toEqual([false, false])
  })

  it('keeps what was found, forgets what is gone, and adds in any order', async () => {
    const { found, add, open, file, saved } = await cachedFiles('a', 'b', 'c', 'd')
    add(later(), 'd', 'b')
    const cache = open()
    cache.add(file('c'), digest, later())
    cache.find(file('d'))
    cache.add(file('a'), digest, later())
    cache.close()
    expect((await readFile(await saved(), 'utf8')).trim().split('\n')).toHaveLength(3)
    expect(found('a', 'b', 'c', 'd')).toEqual([true, false, true, true])
  })

  it('ignores damaged lines, and a torn end', async () => {
    const { found, add, saved } = await cachedFiles('a', 'b', 'c')
    add(later(), 'a', 'b', 'c')
    const path = await saved()
    const lines = (await readFile(path, 'utf8')).split('\n')
    await writeFile(path, `${lines[0]}\n\0\0\0\n{"x":\n${lines[0]}\n${lines[1]}\n${lines[2]}`)
    expect(found('a', 'b', 'c')).toEqual([true, true, false])
    await truncate(path, 10)
    expect(found('a', 'b', 'c')).toEqual([false, false, false])
  })

  it('is whole whichever of two runs ends last', async () => {
    const { found, open, file, cacheFolder } = await cachedFiles('a', 'b')
    const [one, other] = [open(), open()]
    one.add(file('a'), digest, later())
    other.add(file('a'), digest, later())
    other.add(file('b'), digest, later())
    other.close()
    one.close()
    expect(found('a', 'b')).toEqual([true, false])
    expect(await readdir(cacheFolder)).toHaveLength(1)
  })

  it('removes temporary files and caches that are old', async () => {
    const { add, cacheFolder } = await cachedFiles('a')
    add(later(), 'a')
    const name = 'f'.repeat(32)
    const old = [`${name}.ndjson`, `${name}.ndjson.${crypto.randomUUID()}`, 'other']
    for (const file of old) {
      await writeFile(`${cacheFolder}/${file}`, '')
      await utimes(`${cacheFolder}/${file}`, 0, 0)
    }
    add(later(), 'a')
    expect((await readdir(cacheFolder)).filter((file) => old.includes(file))).toEqual(['other'])
  })

  it('works without a folder that can be written', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/file`, '')
    const cache = openDigestCache(`${folder}/file/cache`, [])
    cache.add(localFile(`${folder}/file`, 'file'), digest, later())
    expect(() => cache.close()).not.toThrow()
  })
})
