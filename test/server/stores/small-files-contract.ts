import { beforeEach, describe, expect, it } from 'vitest'
import type { NewFile, NewFileResult, SmallFiles } from '../../../dist/server/stores/small-files.js'
import { ann, bob, type FileStores, names, publish, read, sha256 } from './stored-content.js'

/** What every store of small files owes its callers. `open` gives an empty one. */
export function smallFilesContract(open: () => Promise<FileStores & { smallFiles: SmallFiles }>): void {
  let stores: FileStores & { smallFiles: SmallFiles }
  beforeEach(async () => {
    stores = await open()
  })
  const publishAll = (...files: NewFile[]) => stores.smallFiles.publish(ann, files)

  describe('a batch of small files', () => {
    it('is published whole, with types and digests, for its account alone, and is there after a restart', async () => {
      const contents = Array.from({ length: 300 }, (_, index) => `content ${index}`.repeat(index))
      const files = contents.map((content, index) => small(`a/${index % 7}/${index}`, content))
      const results = await publishAll(...files, small('top', ''))
      expect(results).toHaveLength(301)
      for (const [index, content] of contents.entries()) {
        const about = { name: files[index]!.name, size: content.length, sha256: sha256(content), type: 'text/x-test' }
        expect(results[index]).toMatchObject({ status: 'new', file: about })
      }
      const again = await stores.restart()
      for (const result of results) expect(await again.files.find(ann, nameOf(result))).toEqual(fileOf(result))
      expect(await read(again.files, 'a/3/10')).toBe(contents[10])
      expect(await names(again.files, bob)).toEqual([])
      expect(await again.partials.listAbandoned()).toEqual([])
    })

    it('replaces files, and leaves those unchanged that have the same bytes already', async () => {
      const same = await publish(stores, 'd/same', 'same')
      const old = await publish(stores, 'd/changed', 'old!')
      const results = await publishAll(small('d/same', 'same'), small('d/changed', 'new!'), small('d/new', ''))
      expect(statuses(results)).toEqual(['unchanged', 'replaced', 'new'])
      expect(fileOf(results[0]!)).toEqual(same.file)
      expect(fileOf(results[1]!).version).not.toBe(old.file.version)
      expect(await stores.files.find(ann, 'd/same')).toEqual(same.file)
      expect(await read(stores.files, 'd/changed')).toBe('new!')
      expect(statuses(await publishAll(small('d/new', ''), small('d/changed', 'new!')))).toEqual([
        'unchanged',
        'unchanged',
      ])
    })

    it('verifies declared digests', async () => {
      const right = { ...small('right', 'x'), sha256: sha256('x') }
      const wrong = { ...small('wrong', 'x'), sha256: sha256('y') }
      const results = await publishAll(wrong, right)
      expect(results[0]).toMatchObject({ status: 'failed', error: { code: 'digest-mismatch' } })
      expect(results[1]).toMatchObject({ status: 'new' })
      expect(await names(stores.files)).toEqual(['right'])
    })

    it('fails for the files alone whose precondition is false or whose name is taken', async () => {
      const { file } = await publish(stores, 'file', 'old')
      await publish(stores, 'folder/in', 'old')
      const results = await publishAll(
        { ...small('file', 'new'), precondition: { ifNoneMatch: '*' } },
        small('file/below', 'new'),
        { ...small('other', 'new'), precondition: { ifMatch: ['"other"'] } },
        small('folder', 'new'),
        { ...small('good', 'new'), precondition: { ifNoneMatch: '*' } },
      )
      const failed = (code: string) => ({ status: 'failed', error: { code } })
      expect(results).toMatchObject([
        failed('precondition-failed'),
        failed('name-conflict'),
        failed('precondition-failed'),
        failed('name-conflict'),
        { status: 'new' },
      ])
      expect(await stores.files.find(ann, 'file')).toEqual(file)
      const matching = { ...small('file', 'new'), precondition: { ifMatch: [file.entityTag] } }
      expect(statuses(await publishAll(matching))).toEqual(['replaced'])
      expect(await names(stores.files)).toEqual(['file', 'folder/in', 'good'])
    })

    it('and others with the same names are published one after the other', async () => {
      const batches = ['first', 'second', 'third'].map((content) => {
        return publishAll(...Array.from({ length: 20 }, (_, index) => small(`same/${index}`, content)))
      })
      await Promise.all(batches)
      expect(await read(stores.files, 'same/0')).toBe('third')
      expect(await names(stores.files)).toHaveLength(20)
    })

    it('is published while folders of it disappear with their last files', async () => {
      for (let round = 0; round < 20; round++) {
        await publishAll(small('gone/with/last', 'x'))
        const removed = stores.files.remove(ann, 'gone/with/last')
        expect(statuses(await publishAll(small('gone/with/other', `${round}`)))[0]).toMatch(/new|replaced/)
        await removed
      }
      expect(await read(stores.files, 'gone/with/other')).toBe('19')
    })
  })
}

export function small(name: string, content: string): NewFile {
  return { name, bytes: Buffer.from(content), type: 'text/x-test', sha256: null }
}

function statuses(results: NewFileResult[]): string[] {
  return results.map(({ status }) => status)
}

function fileOf(result: NewFileResult) {
  if (result.status === 'failed') throw result.error
  return result.file
}

function nameOf(result: NewFileResult): string {
  return fileOf(result).name
}
