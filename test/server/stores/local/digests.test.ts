import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { appendFile, readdir, readlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDigests } from '../../../../dist/server/stores/local/digests.js'
import { within } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

async function open() {
  const folder = await temporaryFolder()
  const digests = openDigests(1)
  onTestFinished(() => digests.close())
  return {
    digests,
    async file(name: string, content: string | Buffer = '') {
      await writeFile(join(folder, name), content)
      return join(folder, name)
    },
  }
}

describe('the digest of a file being written', () => {
  it('covers the bytes so far, each time it is requested', async () => {
    const { digests, file } = await open()
    const path = await file('a', 'one')
    const digest = digests.open(path)
    expect(await digest.digest(3, 'sha256')).toBe(sha256('one'))
    await appendFile(path, 'two')
    expect(await digest.digest(6, 'sha256')).toBe(sha256('onetwo'))
    expect(await digest.digest(6, 'sha256')).toBe(sha256('onetwo'))
  })

  it('is available by SHA-512, too, from the beginning or added later', async () => {
    const { digests, file } = await open()
    const content = Buffer.alloc(3 * 1024 ** 2, 'abc')
    const sha512 = createHash('sha512').update(content).digest('hex')
    for (const isAdded of [true, false]) {
      const digest = digests.open(await file(`a${isAdded}`, content))
      if (isAdded) digest.add('sha512')
      digest.follow(content.length)
      const both = [digest.digest(content.length, 'sha256'), digest.digest(content.length, 'sha512')]
      expect(await Promise.all(both)).toEqual([sha256(content), sha512])
    }
  })

  it('can be discarded repeatedly, also after the end of the thread', async () => {
    const { digests, file } = await open()
    const digest = digests.open(await file('a', 'one'))
    await digest.digest(3)
    const forgotten = Array.from({ length: 1000 }, () => digest.forget())
    await digests.close()
    await within('all to be forgotten', Promise.all([...forgotten, digest.forget()]))
  })

  it.skipIf(process.platform !== 'linux')(
    'fails with the thread that computes it, and is computed by the next thread',
    async () => {
      const { digests, file } = await open()
      const content = Buffer.alloc(3 * 1024 ** 2, 'abc')
      const path = await file('a', content)
      const digest = digests.open(path)
      await digest.digest(content.length)
      // A thread that can neither read nor close its file ends.
      for (const fd of await readdir('/proc/self/fd')) {
        if ((await readlink(`/proc/self/fd/${fd}`).catch(() => '')) === path) closeSync(Number(fd))
      }
      await appendFile(path, 'more')
      await expect(digest.digest(content.length + 4)).rejects.toThrow('The thread that computes digests has ended.')
      expect(await digest.digest(content.length)).toBe(sha256(content))
      expect(await digests.open(path).digest(3)).toBe(sha256('abc'))
    },
  )

  it('starts over after a truncation', async () => {
    const { digests, file } = await open()
    const content = Buffer.alloc(3 * 1024 ** 2, 'abc')
    const path = await file('a', content)
    const digest = digests.open(path)
    digest.follow(content.length)
    await truncate(path, 10)
    digest.forget()
    expect(await digest.digest(10, 'sha256')).toBe(sha256(content.subarray(0, 10)))
  })

  it('does not wait for a long file that was requested before it', async () => {
    const { digests, file } = await open()
    const [long, short] = [await file('long'), await file('short', 'short')]
    await truncate(long, 128 * 1024 ** 2)
    const order: string[] = []
    const first = digests
      .open(long)
      .digest(128 * 1024 ** 2, 'sha256')
      .then(() => order.push('long'))
    const second = digests
      .open(short)
      .digest(5, 'sha256')
      .then((hex) => order.push(hex))
    await Promise.all([first, second])
    expect(order).toEqual([sha256('short'), 'long'])
  })

  it('is rejected if the file is shorter than its stated length, or is discarded meanwhile', async () => {
    const { digests, file } = await open()
    const path = await file('a', 'one')
    await expect(digests.open(path).digest(4, 'sha256')).rejects.toThrow('shorter than 4 bytes')
    const long = await file('long')
    await truncate(long, 128 * 1024 ** 2)
    const digest = digests.open(long)
    const asked = digest.digest(128 * 1024 ** 2, 'sha256')
    digest.forget()
    await expect(asked).rejects.toThrow('not followed any more')
    expect(await digests.open(path).digest(3, 'sha256')).toBe(sha256('one'))
  })
})
