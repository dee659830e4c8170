import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLocalFiles } from '../../../../dist/server/stores/local/files.js'
import type { Damage } from '../../../../dist/server/stores/local/verification.js'
import { Caller } from '../../../helpers/calls.js'
import { damageFile } from '../../../helpers/damage.js'
import { eventually } from '../../../helpers/eventually.js'
import { startTestServer, type TestServer } from '../../../helpers/server.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

/** Ways to copy a data folder: some keep an mtime whole, tar's old format keeps its second. */
const copies: Record<string, (from: string, to: string) => void> = {
  'cp -a': (from, to) => void execFileSync('cp', ['-a', `${from}/.`, to]),
  tar: (from, to) => {
    execFileSync('sh', ['-c', 'tar -C "$1" --format=ustar -cf - . | tar -C "$2" -xpf -', 'sh', from, to])
  },
}

describe('a restored data folder', () => {
  for (const [way, copy] of Object.entries(copies)) {
    it(`made by ${way} has the same digests, media types and entity tags`, async () => {
      const { caller: original, restore } = await start()
      const before = await described(original)
      const { caller, server } = await restore(copy)
      // Without a look at any of them: a start compares them in the background.
      await eventually('the last digest is known', async () => (await listed(caller)).every(({ sha256 }) => sha256))
      expect(await described(caller)).toEqual(before)
      expect(server.errors).toEqual([])
    })
  }

  it('does not apply old digests to a file changed by hand after the restore', async () => {
    const { restore } = await start()
    const { caller } = await restore(async (from, to) => {
      copies['cp -a']!(from, to)
      await writeFile(join(to, 'uploads/user/ann/a.csv'), 'a,b\n9,9\n')
    })
    expect((await caller.call('/files/a.csv')).body.toString()).toBe('a,b\n9,9\n')
    expect((await listed(caller)).find(({ name }) => name === 'a.csv')).toMatchObject({ sha256: null })
  })

  it('with damaged bytes logs them, and never serves them as complete', async () => {
    const { restore } = await start()
    const { caller, server } = await restore(async (from, to) => {
      copies['cp -a']!(from, to)
      damageFile(join(to, 'uploads/user/ann/sub/b.bin'))
    })
    await eventually('it is logged', () => server.errors.length > 0)
    expect(server.errors.splice(0)).toEqual([expect.stringMatching(/^"sub\/b\.bin" of user:ann is damaged .*SHA-256/)])
    expect(await caller.call('/files/sub/b.bin')).toMatchObject({ status: 500, json: { code: 'file-damaged' } })
    expect((await caller.call('/files/sub/b.bin', { method: 'HEAD' })).status).toBe(500)
    // A new name does not make it whole.
    expect((await caller.post('/files/sub/b.bin/move', { to: 'moved' })).status).toBe(204)
    expect(await caller.call('/files/moved')).toMatchObject({ status: 500, json: { code: 'file-damaged' } })
    expect((await caller.call('/files/a.csv')).status).toBe(200)
    expect((await caller.put('moved', 'good again')).status).toBe(200)
    expect((await caller.call('/files/moved')).body.toString()).toBe('good again')
  })

  it('rejects a damaged file that the background check has not reached', async () => {
    const { restore } = await start()
    const { caller, server } = await restore(async (from, to) => {
      copies.tar!(from, to)
      damageFile(join(to, 'uploads/user/ann/a.csv'))
    })
    expect(await caller.call('/files/a.csv')).toMatchObject({ status: 500, json: { code: 'file-damaged' } })
    expect(server.errors.splice(0)).toHaveLength(1)
  })

  it('withholds the last byte of a damaged file that is too large to verify before sending', async () => {
    const { original, restore } = await start()
    const { folder, server } = await restore(async (from, to) => {
      copies['cp -a']!(from, to)
      damageFile(join(to, 'uploads/user/ann/a.csv'))
    })
    await server.close()
    server.errors.length = 0
    const found: Damage[] = []
    // As the restore left it: the server has compared it by now.
    await rm(join(folder, 'meta'), { recursive: true })
    execFileSync('cp', ['-a', join(original.dataFolder, 'meta'), folder])
    const { files, close } = await openLocalFiles(folder, {
      readAtOnceBytes: 0,
      onDamage: (damage) => found.push(damage),
    })
    onTestFinished(() => close())
    const open = (await files.open(ann, 'a.csv'))!
    const buffer = Buffer.alloc(100)
    expect(await open.read(buffer.subarray(0, 3), 0)).toBe(3)
    await expect(open.read(buffer, 3)).rejects.toMatchObject({ code: 'file-damaged' })
    await open.close()
    expect(found).toEqual([expect.objectContaining({ space: ann, name: 'a.csv', recorded: sha256('a,b\n1,2\n') })])
    await expect(files.place(ann, 'a.csv', join(folder, 'link'), new AbortController().signal)).rejects.toMatchObject({
      code: 'file-damaged',
    })
  })
})

const ann = { role: 'user', username: 'ann' }
const contents: Record<string, string> = { 'a.csv': 'a,b\n1,2\n', 'sub/b.bin': 'bytes', empty: '' }

/** A server with a few files of ann's, and the way to start another one on a copy of its folder. */
async function start() {
  const original = await startTestServer()
  onTestFinished(() => original.close())
  const token = await original.logIn('ann')
  const caller = new Caller(original, token)
  for (const [name, text] of Object.entries(contents)) await caller.put(name, text, { 'Content-Type': 'text/x-test' })
  return {
    original,
    caller,
    /** `copy` may change the copied files. */
    async restore(
      copy: (from: string, to: string) => unknown,
    ): Promise<{ caller: Caller; server: TestServer; folder: string }> {
      const folder = await temporaryFolder()
      await copy(original.dataFolder, folder)
      const server = await startTestServer({ dataFolder: folder })
      onTestFinished(async () => {
        await server.close()
        expect(server.errors).toEqual([])
      })
      return { caller: new Caller(server, token), server, folder }
    },
  }
}

interface Listed {
  name: string
  sha256: string | null
}

async function listed(caller: Caller): Promise<Listed[]> {
  return (await caller.call('/files')).json.files
}

/** The listing of each file, without its time. */
async function described(caller: Caller) {
  const files = await listed(caller)
  const heads = await Promise.all(files.map(({ name }) => caller.call(`/files/${name}`, { method: 'HEAD' })))
  return files.map(({ name, sha256 }, at) => {
    const { etag, 'content-type': type, 'repr-digest': digest } = heads[at]!.headers
    return { name, sha256, etag, type, digest }
  })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
