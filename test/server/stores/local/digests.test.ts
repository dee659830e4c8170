import { createHash } from 'node:crypto'
import { appendFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDigests } from '../../../../dist/server/stores/local/digests.js'
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

describe('the digest of a file that is being written', () => {
  it('is that of the bytes so far, as often as it is asked for', async () => {
    const { digests, file } = await open()
    const path = await file('a', 'one')
    const digest = digests.open(path)
    expect(await digest.digest(3)).toBe(sha256('one'))
    await appendFile(path, 'two')
    expect(await digest.digest(6)).toBe(sha256('onetwo'))
    expect(await digest.digest(6)).toBe(sha256('onetwo'))
  })

  it('starts over after the file was cut', async () => {
    const { digests, file } = await open()
    const content = Buffer.alloc(3 * 1024 ** 2, 'abc')
    const path = await file('a', content)
    const digest = digests.open(path)
    digest.follow(content.length)
    await truncate(path, 10)
    digest.forget()
    expect(await digest.digest(10)).toBe(sha256(content.subarray(0, 10)))
  })

  it('does not wait until a long file before it is read', async () => {
    const { digests, file } = await open()
    const [long, short] = [await file('long'), await file('short', 'short')]
    await truncate(long, 128 * 1024 ** 2)
    const order: string[] = []
    const first = digests
      .open(long)
      .digest(128 * 1024 ** 2)
      .then(() => order.push('long'))
    const second = digests
      .open(short)
      .digest(5)
      .then((hex) => order.push(hex))
    await Promise.all([first, second])
    expect(order).toEqual([sha256('short'), 'long'])
  })

  it('is refused where the file is shorter than was said, or is forgotten meanwhile', async () => {
    const { digests, file } = await open()
    const path = await file('a', 'one')
    await expect(digests.open(path).digest(4)).rejects.toThrow('shorter than 4 bytes')
    const long = await file('long')
    await truncate(long, 128 * 1024 ** 2)
    const digest = digests.open(long)
    const asked = digest.digest(128 * 1024 ** 2)
    digest.forget()
    await expect(asked).rejects.toThrow('nobody follows it')
    expect(await digests.open(path).digest(3)).toBe(sha256('one'))
  })
})
