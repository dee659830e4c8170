import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { partialsContract } from '../partials-contract.js'
import { fill, opened } from '../stored-content.js'
import { openStores } from './open-stores.js'

describe('the local partials', () => {
  partialsContract(openStores)

  it('are readable by their owner only, with the state beside them', async () => {
    const { data, partials } = await openStores()
    const partial = await fill(partials, 'content')
    await partial.saveState({ offset: 7 })
    const folder = join(data, 'partial')
    expect((await readdir(folder)).sort()).toEqual([`${partial.id}.bin`, `${partial.id}.json`])
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  })

  it('are removed before earlier queued writes of other partials, and without their own queued write', async () => {
    const { data, partials } = await openStores()
    const buffer = Buffer.alloc(mebibyte)
    const removed = await opened(partials.create('removed'))
    await removed.append(buffer, 1)
    const others = await Promise.all([...Array(100).keys()].map((index) => opened(partials.create(`other-${index}`))))
    let left = others.length
    const writes = others.map((other) => other.append(buffer, mebibyte).then(() => left--))
    const own = expect(removed.append(buffer, mebibyte)).rejects.toThrow('was removed')
    await setImmediate()
    await removed.remove()
    expect(left).toBeGreaterThan(50)
    expect(await readdir(join(data, 'partial'))).not.toContain('removed.bin')
    await own
    await Promise.all(writes)
  })

  it('are truncated after the write in progress', async () => {
    const { partials } = await openStores()
    const partial = await fill(partials, 'kept')
    const write = partial.append(Buffer.from(' and dropped'), 12)
    await partial.truncate(4)
    await write
    expect(partial.size).toBe(4)
  })
})

const mebibyte = 1024 ** 2
