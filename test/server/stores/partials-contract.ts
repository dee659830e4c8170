import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PartialFile, Partials } from '../../../dist/server/stores/partials.js'
import { checkAsync } from '../../helpers/properties.js'
import { ann, type FileStores, fill, opened, read, sha256 } from './stored-content.js'

/** What every store of partials owes its callers. `open` gives an empty one. */
export function partialsContract(open: () => Promise<FileStores>): void {
  let stores: FileStores
  let partials: Partials
  beforeEach(async () => {
    stores = await open()
    partials = stores.partials
  })

  describe('a partial', () => {
    it('is empty when created, with a unique id', async () => {
      const partial = await opened(partials.create('one'))
      expect(partial).toMatchObject({ id: 'one', size: 0 })
      await expect(partials.create('one')).rejects.toThrow()
      expect(await partial.digest('sha256')).toBe(sha256(''))
    })

    it('has the digests of the appended bytes, each time they are requested', async () => {
      const partial = await opened(partials.create('one'))
      partial.follow('sha512')
      await append(partial, 'first')
      expect(await partial.digest('sha256')).toBe(sha256('first'))
      await append(partial, ' second')
      expect(await partial.digest('sha256')).toBe(sha256('first second'))
      expect(await partial.digest('sha512')).toBe(createHash('sha512').update('first second').digest('hex'))
    })

    it('has all its digests when they and a sync are requested at the same time, also those it has not followed', async () => {
      const partial = await opened(partials.create('one'))
      await append(partial, 'first')
      const all = await Promise.all([partial.digest('sha256'), partial.digest('sha512'), partial.sync()])
      expect(all.slice(0, 2)).toEqual([sha256('first'), createHash('sha512').update('first').digest('hex')])
    })

    it('reopens at its offset after a close; opening an unknown one returns undefined', async () => {
      const partial = await fill(partials, 'first')
      await partial.close()
      await partial.close()
      const again = (await opened(partials.take(partial.id)))!
      expect(again).toMatchObject({ id: partial.id, size: 5 })
      await append(again, ' second')
      expect(await again.digest('sha256')).toBe(sha256('first second'))
      expect(await opened(partials.take('none'))).toBeUndefined()
    })

    it('can be truncated to one byte below the synced length, and appended to from there', async () => {
      const partial = await fill(partials, 'first')
      await partial.truncate(4)
      await append(partial, 'Th')
      expect(await partial.digest('sha256')).toBe(sha256('firsTh'))
      await publishAs(partial, 'a', 'firsTh')
      expect(await read(stores.files, 'a')).toBe('firsTh')
    })

    it('replaces nothing when it is numbered, whatever has its name, and however many are published at the same time', async () => {
      const { files, folders } = stores
      const names = ['in/a.txt', 'in/folder.txt', 'in/new.txt']
      await publishAs(await fill(partials, 'before'), 'in/a.txt', 'before')
      await folders.create(ann, 'in/folder.txt/')
      const contents = Array.from({ length: 4 }, (_, n) => `${n}`)
      const published = await Promise.all(
        names.flatMap((name) =>
          contents.map(async (content) => {
            const partial = await fill(partials, content)
            const target = { space: ann, name, type: 'text/plain', sha256: sha256(content), isNumbered: true }
            const { file, created } = await partial.publish(target)
            expect(created).toBe(true)
            expect(await read(files, file.name)).toBe(content)
            return file.name
          }),
        ),
      )
      const numbered = (stem: string, from: number) => [0, 1, 2, 3].map((n) => `in/${stem} (${from + n}).txt`)
      expect(published.sort()).toEqual(
        [...numbered('a', 2), ...numbered('folder', 2), 'in/new.txt', ...numbered('new', 2).slice(0, 3)].sort(),
      )
      expect(await read(files, 'in/a.txt')).toBe('before')
      const below = await fill(partials, 'x')
      const target = { space: ann, name: 'in/a.txt/b', type: 'text/plain', sha256: sha256('x'), isNumbered: true }
      await expect(below.publish(target)).rejects.toMatchObject({ code: 'name-conflict' })
    })

    it('publishes the appended bytes that were not truncated, through any syncs and closes', async () => {
      const step = fc.oneof(
        fc.record({ do: fc.constant('append' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }) }),
        fc.record({ do: fc.constant('cut' as const), by: fc.nat(60) }),
        fc.record({ do: fc.constantFrom('sync' as const, 'reopen' as const, 'digest' as const) }),
      )
      let run = 0
      await checkAsync(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
          let partial = await opened(partials.create(`run-${run++}`))
          let [content, durable] = [Buffer.alloc(0), 0]
          for (const each of steps) {
            if (each.do === 'append') {
              await partial.append(Buffer.from(each.bytes), each.bytes.length)
              content = Buffer.concat([content, each.bytes])
            } else if (each.do === 'cut') {
              content = content.subarray(0, Math.max(0, durable - 1, content.length - each.by))
              await partial.truncate(content.length)
              durable = Math.min(durable, content.length)
            } else if (each.do === 'digest') {
              expect(await partial.digest('sha256')).toBe(sha256(content))
            } else {
              await partial.sync()
              durable = content.length
              if (each.do === 'sync') continue
              await partial.close()
              partial = (await opened(partials.take(partial.id)))!
            }
            expect(partial.size).toBe(content.length)
          }
          await partial.sync()
          expect(await partial.digest('sha256')).toBe(sha256(content))
          await publishAs(partial, 'a', content)
          expect(await read(stores.files, 'a')).toBe(content.toString())
          await partial.remove()
        }),
        25,
      )
      expect(await partials.usage()).toEqual({ count: 0, bytes: 0 })
    })

    it('is unchanged by a rejected publish', async () => {
      await publishAs(await fill(partials, 'old'), 'a', 'old')
      const partial = await fill(partials, 'new')
      const target = { space: ann, type: 'x/y', sha256: sha256('new') }
      const replacing = partial.publish({ ...target, name: 'a', precondition: { ifNoneMatch: '*' } })
      await expect(replacing).rejects.toMatchObject({ code: 'precondition-failed' })
      const below = partial.publish({ ...target, name: 'a/b' })
      await expect(below).rejects.toMatchObject({ code: 'name-conflict' })
      expect(await partial.publish({ ...target, name: 'c' })).toMatchObject({ created: true })
      expect([await read(stores.files, 'a'), await read(stores.files, 'c')]).toEqual(['old', 'new'])
    })

    it('can be removed open, closed or published; repeating that is not an error', async () => {
      const open = await fill(partials, 'x')
      await open.remove()
      await open.remove()
      const closed = await fill(partials, 'x')
      await closed.close()
      await partials.remove(closed.id)
      await partials.remove(closed.id)
      const published = await fill(partials, 'x')
      await publishAs(published, 'a', 'x')
      await published.remove()
      expect(await partials.usage()).toEqual({ count: 0, bytes: 0 })
      expect(await read(stores.files, 'a')).toBe('x')
      expect(await opened(partials.take(open.id))).toBeUndefined()
      expect(await opened(partials.take(published.id))).toBeUndefined()
    })

    it('is included in the usage until it is removed', async () => {
      await (await fill(partials, '12345')).close()
      const open = await fill(partials, '123')
      expect(await partials.usage()).toEqual({ count: 2, bytes: 8 })
      await open.remove()
      expect(await partials.usage()).toEqual({ count: 1, bytes: 5 })
    })
  })

  describe('a partial after a restart', () => {
    it('is found with its last saved state, open or closed', async () => {
      const [plain, stated] = [await fill(partials, 'plain'), await fill(partials, 'stated')]
      await stated.saveState({ offset: 1 })
      await stated.saveState({ offset: 2 })
      await stated.close()
      await partials.saveState(stated.id, { offset: 3 })
      const later = await stores.restart()
      const found = (await later.partials.listAbandoned()).sort((a, b) => a.size! - b.size!)
      expect(found).toEqual([
        { id: plain.id, size: 5, modifiedAt: expect.any(Date), state: undefined },
        { id: stated.id, size: 6, modifiedAt: expect.any(Date), state: { offset: 3 } },
      ])
      expect(await later.partials.find(stated.id)).toEqual(found[1])
      expect(await later.partials.find('none')).toBeUndefined()
      const taken = (await opened(later.partials.take(stated.id)))!
      await append(taken, '!')
      await publishAs(taken, 'a', 'stated!')
      expect(await read(later.files, 'a')).toBe('stated!')
    })

    it('consists of its state only if it was published, until it is removed', async () => {
      const partial = await fill(partials, 'x')
      await partial.saveState({ name: 'a' })
      await publishAs(partial, 'a', 'x')
      const later = await stores.restart()
      const [left, ...others] = await later.partials.listAbandoned()
      expect(left).toMatchObject({ id: partial.id, size: null, state: { name: 'a' } })
      expect(await later.partials.find(partial.id)).toEqual(left)
      expect(others).toEqual([])
      await later.partials.remove(partial.id)
      expect(await later.partials.listAbandoned()).toEqual([])
    })

    it('is gone with its state if it was removed', async () => {
      const partial = await fill(partials, 'x')
      await partial.saveState({ name: 'a' })
      await partial.remove()
      expect(await (await stores.restart()).partials.listAbandoned()).toEqual([])
    })
  })
}

async function append(partial: PartialFile, content: string): Promise<void> {
  await partial.append(Buffer.from(content), Buffer.byteLength(content))
}

async function publishAs(partial: PartialFile, name: string, content: string | Buffer): Promise<void> {
  await partial.publish({ space: ann, name, type: 'text/x-test', sha256: sha256(content) })
}
