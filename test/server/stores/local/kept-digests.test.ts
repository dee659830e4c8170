import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLocalFiles } from '../../../../dist/server/stores/local/files.js'
import { keepDigests, recallDigests } from '../../../../dist/server/stores/local/kept-digests.js'
import { KnownDigests } from '../../../../dist/server/stores/local/known-digests.js'
import { eventually } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { small } from '../small-files-contract.js'
import { ann, sha256 } from '../stored-content.js'

const count = 3000
const stampOf = (ino: number) => ({ ino: ino * 4096, nlink: 1, size: ino, mtimeMs: ino + 0.5, ctimeMs: ino + 0.25 })
const digestOf = (ino: number) => ({ sha256: sha256(`${ino}`), type: `text/x-${ino % 3}`, isDateStrong: ino % 2 === 0 })

function knownFiles(maxFiles?: number): KnownDigests {
  const known = new KnownDigests(maxFiles === undefined ? {} : { maxFiles })
  for (let ino = 1; ino <= count; ino++) known.addPublished(stampOf(ino), digestOf(ino))
  return known
}

async function kept(known = knownFiles()): Promise<string> {
  const path = join(await temporaryFolder(), 'known-digests')
  keepDigests(path, known)
  return path
}

describe('the digests that one run of a server knows', () => {
  it('are known to the next one, which can add others', async () => {
    const path = await kept()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const known = new KnownDigests()
    recallDigests(path, known)
    for (let ino = 1; ino <= count; ino++) expect(known.find(stampOf(ino))).toEqual(digestOf(ino))
    expect(known.find({ ...stampOf(7), ctimeMs: 1 })).toBeUndefined()
    for (let ino = count + 1; ino <= 5000; ino++) known.addPublished(stampOf(ino), digestOf(ino))
    for (const ino of [1, 1024, count, 4096, 5000]) expect(known.find(stampOf(ino))).toEqual(digestOf(ino))
  })

  it('are none where there is no file, or none has been stored', async () => {
    const known = new KnownDigests()
    recallDigests(join(await temporaryFolder(), 'missing'), known)
    recallDigests(await kept(new KnownDigests()), known)
    expect(known.find(stampOf(1))).toBeUndefined()
    known.addPublished(stampOf(1), digestOf(1))
    expect(known.find(stampOf(1))).toEqual(digestOf(1))
  })

  it('are not read from a file that is damaged, cut, of another format, or for more files than are kept', async () => {
    const path = await kept()
    const bytes = await readFile(path)
    const damaged = Buffer.from(bytes)
    damaged[bytes.length - 100]! ^= 1
    for (const content of [damaged, bytes.subarray(0, -1), bytes.subarray(0, 10), Buffer.alloc(0)]) {
      await writeFile(path, content)
      const known = new KnownDigests()
      recallDigests(path, known)
      for (const ino of [1, count]) expect(known.find(stampOf(ino))).toBeUndefined()
    }
    await writeFile(path, bytes)
    const few = new KnownDigests({ maxFiles: count - 1 })
    recallDigests(path, few)
    expect(few.find(stampOf(1))).toBeUndefined()
  })

  it('are forgotten where they cannot be written', async () => {
    const folder = await temporaryFolder()
    keepDigests(join(folder, 'missing/known-digests'), knownFiles())
    await mkdir(join(folder, 'known-digests'))
    keepDigests(join(folder, 'known-digests'), knownFiles())
    expect(await readdir(folder)).toEqual(['known-digests'])
  })
})

describe('a list after a restart', () => {
  it('reads no metadata of files that the last run knew, as long as they are the same', async () => {
    const data = await temporaryFolder()
    const own = join(data, 'uploads/user/ann')
    const first = await openLocalFiles(data)
    // The thread that lists files has started: it hears of digests from then on.
    await first.files.list(ann, { prefix: '', after: '', limit: 1 })
    await first.smallFiles.publish(ann, [small('same', 'same'), small('changed', 'changed')])
    first.checkRestored()
    await eventually('the digests have come from the other thread', async () => {
      await rm(join(data, 'meta/user/ann'), { recursive: true, force: true })
      return (await first.files.list(ann, { prefix: '', after: '', limit: 10 })).every((file) => file.sha256 !== null)
    })
    await first.close()
    const { ctimeMs } = await stat(join(own, 'changed'))
    await eventually('a change has another time than the publish', async () => {
      await chmod(join(own, 'changed'), 0o600)
      return (await stat(join(own, 'changed'))).ctimeMs > ctimeMs
    })
    const second = await openLocalFiles(data)
    onTestFinished(() => second.close())
    expect(await second.files.list(ann, { prefix: '', after: '', limit: 10 })).toMatchObject([
      { name: 'changed', sha256: null },
      { name: 'same', sha256: sha256('same') },
    ])
  })
})
