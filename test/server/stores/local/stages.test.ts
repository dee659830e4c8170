import { chmod, mkdir, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { small } from '../small-files-contract.js'
import { stagesContract } from '../stages-contract.js'
import { ann, names, publicationOf, publish, sha256 } from '../stored-content.js'
import { openStores } from './open-stores.js'

stagesContract(() => openStores())

describe('a publish of many files that a crash ended', () => {
  for (const isSwap of [true, false]) {
    for (const done of [0, 1, 2]) {
      it(`is finished by the next start: ${isSwap ? 'a folder replaced' : 'files joining a folder'}, ${done} renames done`, async () => {
        const first = await openStores()
        for (const name of ['p/old', 'p/same', 'p/d/old']) await publish(first, name, 'old')
        const stage = await first.stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: isSwap })
        await stage.addSmall([small('p/same', 'new'), small('p/d/new', 'new'), small('p/e/new', 'new')])
        // The journal, and the renames before the crash.
        const root = join(first.data, 'partial/job.stage')
        const published = publicationOf({ files: 3, bytes: 9, created: 2, replaced: 1, removed: 2 })
        // Two versions of a journal.
        const counts = isSwap ? { publication: published } : { files: 3, bytes: 9, replaced: 1, removedCount: 2 }
        const journal = { ...ann, prefix: 'p/', isSwap, removed: isSwap ? [] : ['p/old', 'p/d/old'], ...counts }
        await writeFile(join(root, 'journal.json'), JSON.stringify(journal))
        const [uploads, staged] = [join(first.data, 'uploads/user/ann/p'), join(root, 'files/user/ann/p')]
        if (isSwap) {
          if (done > 0) await rename(uploads, join(root, 'removed/files'))
          if (done > 1) await rename(staged, uploads)
        } else {
          if (done > 0) await rename(join(uploads, 'old'), join(root, 'removed/0'))
          if (done > 1) await rename(join(staged, 'e'), join(uploads, 'e'))
        }
        const later = await first.restart()
        expect(await later.stages.listAbandoned()).toEqual([{ id: 'job', files: 3, bytes: 9, published }])
        await later.stages.finish('job')
        expect(await names(later.files)).toEqual(['p/d/new', 'p/e/new', 'p/same'])
        for (const name of await names(later.files)) {
          expect((await later.files.find(ann, name))?.sha256).toBe(sha256('new'))
        }
        expect(await later.stages.listAbandoned()).toEqual([])
      })
    }
  }

  for (const done of [0, 1, 2, 3, 4]) {
    it(`is finished by the next start: a folder covered, ${done} renames done`, async () => {
      const first = await openStores()
      for (const name of ['p/d/x', 'p/d/e/y', 'p/beside']) await publish(first, name, 'old')
      const stage = await first.stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: false })
      await stage.addSmall([small('p/d/x', 'new'), small('p/d/e/y', 'new'), small('p/d/z', 'new')])
      const root = join(first.data, 'partial/job.stage')
      const publication = publicationOf({ files: 3, bytes: 9 })
      const journal = { ...ann, prefix: 'p/', isSwap: false, removed: [], covered: ['p/d/'], publication }
      await writeFile(join(root, 'journal.json'), JSON.stringify(journal))
      const [uploads, meta] = [
        join(first.data, 'uploads/user/ann/p/d'),
        join(first.data, 'meta/user/ann/names/p.d/d.d'),
      ]
      const renames = [
        [uploads, join(root, 'removed/covered-0-files')],
        [join(root, 'files/user/ann/p/d'), uploads],
        [meta, join(root, 'removed/covered-0-metadata')],
        [join(root, 'metadata/user/ann/names/p.d/d.d'), meta],
      ] as const
      for (const [from, to] of renames.slice(0, done)) await rename(from, to)
      const later = await first.restart()
      await later.stages.finish('job')
      expect(await names(later.files)).toEqual(['p/beside', 'p/d/e/y', 'p/d/x', 'p/d/z'])
      for (const name of ['p/d/e/y', 'p/d/x', 'p/d/z'])
        expect((await later.files.find(ann, name))?.sha256).toBe(sha256('new'))
    })
  }

  it('says what it has published until the end of its job is recorded', async () => {
    const { stages, ...first } = await openStores()
    const published = publicationOf({ files: 1, bytes: 1, created: 1 })
    const stage = await stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: false })
    await stage.addSmall([small('p/a', 'a')])
    await stage.publish(() => published)
    expect(await stages.listAbandoned()).toEqual([{ id: 'job', files: 1, bytes: 1, published }])
    await publish(first, 'p/a', 'later')
    await stages.finish('job')
    expect((await first.files.find(ann, 'p/a'))?.sha256).toBe(sha256('later'))
    expect(await stages.listAbandoned()).toEqual([])
  })

  it('is undone if its journal was never whole', async () => {
    const first = await openStores()
    await publish(first, 'p/old', 'old')
    const stage = await first.stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: true })
    await stage.addSmall([small('p/new', 'new')])
    await writeFile(join(first.data, 'partial/job.stage/journal.json'), '{"role":"user"')
    const later = await first.restart()
    expect(await later.stages.listAbandoned()).toMatchObject([{ id: 'job', published: null }])
    await later.stages.remove('job')
    expect(await names(later.files)).toEqual(['p/old'])
  })

  const others = {
    'a link': (folder: string) => symlink('/etc/hostname', join(folder, 'link')),
    'another file': (folder: string) => writeFile(join(folder, 'other'), 'other'),
    'permissions of its own': (folder: string) => chmod(folder, 0o750),
  }
  for (const [what, add] of Object.entries(others)) {
    it(`leaves a folder as it is that has ${what}, and replaces the files in it`, async () => {
      const { stages, files, data, ...stores } = await openStores()
      await publish(stores, 'p/d/x', 'old')
      const folder = join(data, 'uploads/user/ann/p/d')
      await add(folder)
      const before = await stat(folder)
      const [others] = [(await readdir(folder)).filter((name) => name !== 'x')]
      const stage = await stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: false })
      await stage.addSmall([small('p/d/x', 'new')])
      await stage.publish(() => publicationOf())
      expect((await stat(folder)).ino).toBe(before.ino)
      expect((await stat(folder)).mode).toBe(before.mode)
      expect((await readdir(folder)).filter((name) => name !== 'x')).toEqual(others)
      expect((await files.find(ann, 'p/d/x'))?.sha256).toBe(sha256('new'))
    })
  }

  it('replaces a folder whose files all are new by a rename, but for one that is kept while it is empty', async () => {
    const { stages, files, folders, data, ...stores } = await openStores()
    await folders.create(ann, 'p/kept/')
    for (const name of ['p/d/x', 'p/kept/x']) await publish(stores, name, 'old')
    const inode = async (name: string) => (await stat(join(data, 'uploads/user/ann', name))).ino
    const before = [await inode('p/d'), await inode('p/kept')]
    const stage = await stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: false })
    await stage.addSmall([small('p/d/x', 'new'), small('p/kept/x', 'new')])
    await stage.publish(() => publicationOf())
    expect([await inode('p/d'), await inode('p/kept')].map((each, at) => each === before[at])).toEqual([false, true])
    await files.remove(ann, 'p/kept/x')
    expect(await folders.exists(ann, 'p/kept/')).toBe(true)
  })

  it('keeps no stage where the job has ended', async () => {
    const { stages, data } = await openStores()
    const stage = await stages.open({ jobId: 'job', space: ann, prefix: '', replace: false })
    await mkdir(join(data, 'uploads/user/ann'), { recursive: true })
    await stage.addSmall([small('a', 'a')])
    await stage.publish(() => publicationOf())
    await stage.forget()
    expect((await readdir(join(data, 'partial'))).filter((name) => name.endsWith('.stage'))).toEqual([])
  })
})
