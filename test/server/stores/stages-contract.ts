import { beforeEach, describe, expect, it } from 'vitest'
import type { SmallFiles } from '../../../dist/server/stores/small-files.js'
import type { StagePlan, Stages, StoredStage } from '../../../dist/server/stores/stages.js'
import { small } from './small-files-contract.js'
import { ann, bob, type FileStores, fill, names, publicationOf, publish, read, sha256 } from './stored-content.js'

export interface StageStores extends FileStores {
  smallFiles: SmallFiles
  stages: Stages
  restart(): Promise<StageStores>
}

/** What every store of stages owes its callers. `open` gives an empty one. */
export function stagesContract(open: () => Promise<StageStores>): void {
  let stores: StageStores
  let opened = 0
  beforeEach(async () => {
    stores = await open()
  })

  const openStage = (plan: Partial<StagePlan> = {}) =>
    stores.stages.open({ jobId: `job-${opened++}`, space: ann, prefix: 'p/', replace: false, ...plan })
  const addLarge = async (stage: StoredStage, name: string, content: string) =>
    stage.add(await fill(stores.partials, content), { space: ann, name, type: 'text/x-test', sha256: sha256(content) })
  const commit = (removed: number) => publicationOf({ removed })

  describe('files that are published together', () => {
    it('are invisible until then, and whole and described afterwards, also after a restart', async () => {
      const stage = await openStage()
      expect(await stage.addSmall([small('p/a', 'a'), small('p/d/b', 'b')])).toMatchObject([
        { status: 'new' },
        { status: 'new' },
      ])
      expect(await addLarge(stage, 'p/large', 'large')).toMatchObject({ created: true, file: { size: 5 } })
      expect(stage.bytes).toBe(7)
      expect(await names(stores.files)).toEqual([])
      expect(await stage.publish(commit)).toEqual({ removed: [] })
      await stage.forget()
      await stage.discard()
      const again = await stores.restart()
      expect(await names(again.files)).toEqual(['p/a', 'p/d/b', 'p/large'])
      for (const [name, content] of [
        ['p/a', 'a'],
        ['p/d/b', 'b'],
        ['p/large', 'large'],
      ] as const) {
        expect(await read(again.files, name)).toBe(content)
        expect(await again.files.find(ann, name)).toMatchObject({ sha256: sha256(content), type: 'text/x-test' })
      }
      expect(await names(again.files, bob)).toEqual([])
      expect(await again.stages.listAbandoned()).toEqual([])
    })

    it('join a folder that exists, and replace files in it', async () => {
      await publish(stores, 'p/d/old', 'old')
      await publish(stores, 'p/d/stays', 'stays')
      const stage = await openStage({ prefix: '' })
      expect(await stage.addSmall([small('p/d/old', 'new'), small('p/e/x', 'x')])).toMatchObject([
        { status: 'replaced' },
        { status: 'new' },
      ])
      await stage.publish(commit)
      expect(await names(stores.files)).toEqual(['p/d/old', 'p/d/stays', 'p/e/x'])
      expect(await read(stores.files, 'p/d/old')).toBe('new')
      expect((await stores.files.find(ann, 'p/d/old'))?.sha256).toBe(sha256('new'))
      expect((await stores.files.find(ann, 'p/d/stays'))?.sha256).toBe(sha256('stays'))
    })

    it('bring empty folders, which are kept', async () => {
      await publish(stores, 'p/file', 'x')
      const stage = await openStage()
      await stage.addSmall([small('p/full/x', 'x')])
      for (const folder of ['p/full/', 'p/empty/', 'p/empty/', 'p/a/b/']) await stage.addFolder(folder)
      const empty = () => stores.files.listEmptyFolders(ann, { prefix: '', after: '', limit: 10 })
      expect(await empty()).toEqual([])
      await stage.publish(commit)
      expect(await empty()).toEqual(['p/a/b/', 'p/empty/'])
      await stores.files.remove(ann, 'p/full/x')
      stores = await stores.restart()
      expect(await empty()).toEqual(['p/a/b/', 'p/empty/', 'p/full/'])
      const conflict = await openStage()
      await conflict.addFolder('p/file/')
      await expect(conflict.publish(commit)).rejects.toMatchObject({ code: 'name-conflict' })
      await conflict.discard()
    })

    it('have no folder with the name of a file among them', async () => {
      const stage = await openStage()
      await stage.addSmall([small('p/file', 'x')])
      for (const folder of ['p/file/', 'p/file/below/'])
        await expect(stage.addFolder(folder)).rejects.toMatchObject({ code: 'name-conflict' })
      await stage.addFolder('p/folder/below/')
      expect(await stage.addSmall([small('p/folder', 'x'), small('p/folder/below', 'x')])).toMatchObject([
        { error: { code: 'name-conflict' } },
        { error: { code: 'name-conflict' } },
      ])
      await stage.publish(commit)
      expect(await names(stores.files)).toEqual(['p/file'])
    })

    it('replace a folder: what is not among them is removed, and nothing beside it', async () => {
      for (const name of ['p/gone', 'p/d/gone', 'p/file', 'p/folder/x', 'beside', 'pp/x'])
        await publish(stores, name, 'old')
      const stage = await openStage({ replace: true })
      await stage.addSmall([small('p/file/now/below', '1'), small('p/folder', '2'), small('p/d/new', '3')])
      const { removed } = await stage.publish(commit)
      expect(removed.map(({ name }) => name).sort()).toEqual(['p/d/gone', 'p/file', 'p/folder/x', 'p/gone'])
      expect(removed.every(({ size }) => size === 3)).toBe(true)
      expect(await names(stores.files)).toEqual(['beside', 'p/d/new', 'p/file/now/below', 'p/folder', 'pp/x'])
      expect((await stores.files.find(ann, 'p/folder'))?.sha256).toBe(sha256('2'))
    })

    it('replace a folder, and keep the files in it that are said to be unchanged', async () => {
      for (const name of ['p/kept', 'p/gone', 'p/d/kept', 'p/file', 'p/folder/x']) await publish(stores, name, 'old')
      const stage = await openStage({ replace: true })
      stage.keep(['p/kept', 'p/d/kept'])
      await stage.addSmall([small('p/new', 'new'), small('p/file/below', '1'), small('p/folder', '2')])
      const { removed } = await stage.publish(commit)
      expect(removed.map(({ name }) => name).sort()).toEqual(['p/file', 'p/folder/x', 'p/gone'])
      expect(await names(stores.files)).toEqual(['p/d/kept', 'p/file/below', 'p/folder', 'p/kept', 'p/new'])
      for (const name of await names(stores.files))
        expect((await stores.files.find(ann, name))?.sha256).toMatch(/^[0-9a-f]{64}$/)
    })

    it('replace a whole space, and an empty set empties a folder', async () => {
      for (const name of ['a', 'p/b']) await publish(stores, name, 'old')
      const whole = await openStage({ prefix: '', replace: true })
      await whole.addSmall([small('p/c', 'c')])
      await whole.publish(commit)
      expect(await names(stores.files)).toEqual(['p/c'])
      const empty = await openStage({ replace: true })
      expect(await empty.publish(commit)).toEqual({ removed: [{ name: 'p/c', size: 1 }] })
      expect(await names(stores.files)).toEqual([])
      await publish(stores, 'p/c', 'again')
      expect(await names(stores.files)).toEqual(['p/c'])
    })

    const failing = {
      'a precondition has become false': async () => void (await publish(stores, 'p/a', 'meanwhile')),
      'a name has become a folder': async () => void (await publish(stores, 'p/b/x', 'meanwhile')),
      'a folder has become a file': async () => void (await publish(stores, 'p/d', 'meanwhile')),
    }
    for (const [why, change] of Object.entries(failing)) {
      it(`are published in no part where ${why}`, async () => {
        const stage = await openStage()
        const precondition = { ifNoneMatch: '*' as const }
        await stage.addSmall([{ ...small('p/a', 'a'), precondition }, small('p/b', 'b'), small('p/d/c', 'c')])
        await change()
        const before = await names(stores.files)
        let isCommitted = false
        const refused = stage.publish((removed) => {
          isCommitted = true
          return commit(removed)
        })
        await expect(refused).rejects.toMatchObject({
          code: expect.stringMatching(/precondition-failed|name-conflict/),
        })
        expect(isCommitted).toBe(false)
        expect(await names(stores.files)).toEqual(before)
        await stage.discard()
        expect(await stores.stages.listAbandoned()).toEqual([])
      })
    }

    it('are refused at once where they cannot be published', async () => {
      await publish(stores, 'p/file', 'old')
      const stage = await openStage()
      const results = await stage.addSmall([
        { ...small('p/file', 'x'), precondition: { ifNoneMatch: '*' } },
        { ...small('p/wrong', 'x'), sha256: sha256('y') },
      ])
      expect(results).toMatchObject([
        { error: { code: 'precondition-failed' } },
        { error: { code: 'digest-mismatch' } },
      ])
      await expect(addLarge(stage, 'p/file/below', 'x')).rejects.toMatchObject({ code: 'name-conflict' })
      await stage.discard()
    })

    it('are published in no part where a kept file is gone', async () => {
      const stage = await openStage({ replace: true })
      stage.keep(['p/gone'])
      await expect(stage.publish(commit)).rejects.toMatchObject({ code: 'precondition-failed' })
    })

    it('are published in no part where the commit throws', async () => {
      await publish(stores, 'p/old', 'old')
      const stage = await openStage({ replace: true })
      await stage.addSmall([small('p/a', 'a')])
      const refused = stage.publish(() => {
        throw new Error('too late')
      })
      await expect(refused).rejects.toThrow('too late')
      expect(await names(stores.files)).toEqual(['p/old'])
      await stage.discard()
      await stage.discard()
      expect(await (await stores.restart()).stages.listAbandoned()).toEqual([])
    })

    it('of an earlier server are found, and removed', async () => {
      const stage = await openStage({ jobId: 'left' })
      await stage.addSmall([small('p/a', 'abc')])
      const later = await stores.restart()
      expect(await later.stages.listAbandoned()).toEqual([{ id: 'left', published: null, files: 1, bytes: 3 }])
      await later.stages.remove('left')
      await later.stages.remove('left')
      expect(await later.stages.listAbandoned()).toEqual([])
      expect(await names(later.files)).toEqual([])
    })

    it('are never seen in part by readers and lists', async () => {
      const count = 300
      const all = (content: string) => Array.from({ length: count }, (_, index) => small(`p/${index}`, content))
      await stores.smallFiles.publish(ann, all('0'))
      let isRunning = true
      const seen = new Set<string>()
      const reader = (async () => {
        while (isRunning) {
          const files = await stores.files.list(ann, { prefix: 'p/', after: '', limit: 1000 })
          expect(files).toHaveLength(count)
          seen.add(files[0]!.sha256!)
          expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(1)
          expect((await stores.files.find(ann, 'p/7'))?.sha256).toMatch(/^[0-9a-f]{64}$/)
        }
      })()
      for (const round of ['1', '2', '3', '4']) {
        const stage = await openStage({ replace: round > '2' })
        await stage.addSmall(all(round))
        await stage.publish(commit)
      }
      isRunning = false
      await reader
      expect(seen.size).toBeGreaterThan(1)
    })
  })
}
