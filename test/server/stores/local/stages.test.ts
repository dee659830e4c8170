import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { small } from '../small-files-contract.js'
import { stagesContract } from '../stages-contract.js'
import { ann, names, publish, sha256 } from '../stored-content.js'
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
        const counts = { files: 3, bytes: 9, replaced: 1, removedCount: 1 }
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
        expect(await later.stages.listAbandoned()).toMatchObject([{ id: 'job', isPublished: true, files: 3 }])
        await later.stages.finish('job')
        expect(await names(later.files)).toEqual(['p/d/new', 'p/e/new', 'p/same'])
        for (const name of await names(later.files)) {
          expect((await later.files.find(ann, name))?.sha256).toBe(sha256('new'))
        }
        expect(await later.stages.listAbandoned()).toEqual([])
      })
    }
  }

  it('is undone if its journal was never whole', async () => {
    const first = await openStores()
    await publish(first, 'p/old', 'old')
    const stage = await first.stages.open({ jobId: 'job', space: ann, prefix: 'p/', replace: true })
    await stage.addSmall([small('p/new', 'new')])
    await writeFile(join(first.data, 'partial/job.stage/journal.json'), '{"role":"user"')
    const later = await first.restart()
    expect(await later.stages.listAbandoned()).toMatchObject([{ id: 'job', isPublished: false }])
    await later.stages.remove('job')
    expect(await names(later.files)).toEqual(['p/old'])
  })

  it('keeps no stage where the job has ended', async () => {
    const { stages, data } = await openStores()
    const stage = await stages.open({ jobId: 'job', space: ann, prefix: '', replace: false })
    await mkdir(join(data, 'uploads/user/ann'), { recursive: true })
    await stage.addSmall([small('a', 'a')])
    await stage.publish(() => {})
    expect((await readdir(join(data, 'partial'))).filter((name) => name.endsWith('.stage'))).toEqual([])
  })
})
