import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WriteThread } from '../../../../dist/server/stores/local/write-thread.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { fill, opened, sha256 } from '../stored-content.js'
import { openStores } from './open-stores.js'

describe('the thread that writes', () => {
  it('takes only memory that threads share', () => {
    const thread = new WriteThread()
    expect(thread.takes(shared('content'))).toBe(true)
    expect(thread.takes(Buffer.from('content'))).toBe(false)
  })

  it('reports the error of one write, and does the others of its batch', async () => {
    const { thread, path, file } = await openFile()
    const readOnly = await open(path, 'r')
    onTestFinished(() => readOnly.close())
    const results = await Promise.allSettled([
      thread.write({ fd: file.fd, bytes: shared('one '), position: 0 }),
      thread.write({ fd: readOnly.fd, bytes: shared('lost'), position: 4 }),
      thread.write({ fd: file.fd, bytes: shared('three'), position: 4 }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'EBADF' } })
    expect(await readFile(path, 'utf8')).toBe('one three')
  })

  it('collects the next batch while it writes one', async () => {
    const { thread, path, file } = await openFile()
    const written: Promise<void>[] = []
    for (let position = 0; position < 100; position += 1) {
      written.push(thread.write({ fd: file.fd, bytes: shared(String(position % 10)), position }))
      if (position % 7 === 0) await written[0]
    }
    await Promise.all(written)
    expect(await readFile(path, 'utf8')).toBe('0123456789'.repeat(10))
  })

  it('rejects what is not written when it is closed, and starts again for the next write', async () => {
    const { thread, path, file } = await openFile()
    await thread.write({ fd: file.fd, bytes: shared('first'), position: 0 })
    const late = expect(thread.write({ fd: file.fd, bytes: shared('late'), position: 5 })).rejects.toThrow('closed')
    await thread.close()
    await late
    await thread.write({ fd: file.fd, bytes: shared(' again'), position: 5 })
    expect(await readFile(path, 'utf8')).toBe('first again')
  })
})

describe('local partials that are written from shared memory', () => {
  it('have the bytes of their appends in order, many at once', async () => {
    const { partials } = await openStores()
    const content = (index: number) => `${index} of many `.repeat(1000)
    const appended = await Promise.all(
      [...Array(50).keys()].map(async (index) => {
        const partial = await opened(partials.create(`many-${index}`))
        for (let part = 0; part < 3; part += 1) {
          const bytes = shared(content(index))
          await partial.append(bytes, bytes.length)
        }
        return partial
      }),
    )
    const digests = await Promise.all(appended.map((partial) => partial.digest('sha256')))
    expect(digests).toEqual(appended.map((_, index) => sha256(content(index).repeat(3))))
  })

  it('refuse an append after their removal', async () => {
    const { partials } = await openStores()
    const partial = await fill(partials, 'content')
    await partial.remove()
    await expect(partial.append(shared('more'), 4)).rejects.toThrow('was removed')
  })
})

async function openFile() {
  const path = join(await temporaryFolder(), 'file')
  const file = await open(path, 'w')
  const thread = new WriteThread()
  onTestFinished(async () => {
    await thread.close()
    await file.close()
  })
  return { path, file, thread }
}

function shared(content: string): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(content.length))
  bytes.write(content)
  return bytes
}
