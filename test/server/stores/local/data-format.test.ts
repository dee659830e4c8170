import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { examineFolder } from '../../../../dist/server/doctor.js'
import { resetPassword } from '../../../../dist/server/reset-password.js'
import { dataFormat } from '../../../../dist/server/stores/local/data-format.js'
import { Caller } from '../../../helpers/calls.js'
import { startTestServer } from '../../../helpers/server.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

async function start(dataFolder: string) {
  const server = await startTestServer({ dataFolder })
  let isOpen = true
  const close = async () => {
    if (isOpen) await server.close()
    isOpen = false
  }
  onTestFinished(close)
  return { server, close }
}

const formatIn = async (folder: string) => JSON.parse(await readFile(join(folder, 'format.json'), 'utf8'))

/** The names and times of everything in it. */
async function look(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return Promise.all(names.sort().map(async (name) => `${name} ${(await stat(join(folder, name))).mtimeMs}`))
}

const programs = [
  ['a server', (folder: string) => startTestServer({ dataFolder: folder })],
  ['doctor', (folder: string) => examineFolder(folder, { keepPartialMs: 1, fix: true, verify: false })],
  ['reset-password', (folder: string) => resetPassword(folder, 'admin:admin', { bcryptCost: 4 })],
] as const

describe('the format of a data folder', () => {
  it('is written by the first start, with the version of the program', async () => {
    const folder = await temporaryFolder()
    const { close } = await start(folder)
    await close()
    expect(await formatIn(folder)).toEqual({ format: dataFormat, writtenBy: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  })

  it.each(programs)('if it is newer, %s refuses it in words, and leaves it as it is', async (_, open) => {
    const folder = await temporaryFolder()
    const { close } = await start(folder)
    await close()
    // A later program may put other things in the places of those that are known.
    await rm(join(folder, 'partial'), { recursive: true })
    await writeFile(join(folder, 'format.json'), JSON.stringify({ format: dataFormat + 1, writtenBy: '9.8.7' }))
    const before = await look(folder)
    const words = `${folder} has format ${dataFormat + 1}, written by filejobs 9.8.7`
    await expect(open(folder)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(words),
    })
    expect(await look(folder)).toEqual(before)
  })

  it.each(programs)('if it is not readable, %s refuses it as well', async (_, open) => {
    const folder = await temporaryFolder()
    const { close } = await start(folder)
    await close()
    await writeFile(join(folder, 'format.json'), '{"format":')
    await expect(open(folder)).rejects.toThrow(/format\.json is damaged/)
  })

  it('if it is that of the first versions, is upgraded by a start: files keep their digests', async () => {
    const folder = await temporaryFolder()
    const first = await start(folder)
    const token = await first.server.logIn('ann')
    const ann = new Caller(first.server, token)
    await ann.call('/files/sub/a.txt', { method: 'PUT', body: 'hello', headers: { 'Content-Type': 'text/x-mine' } })
    await first.close()
    await makeOlder(folder, 'sub/a.txt')
    const second = await start(folder)
    const answer = await new Caller(second.server, token).call('/files/sub/a.txt')
    expect(answer.headers['content-type']).toBe('text/x-mine')
    expect(answer.headers.etag).toBe(`"${createHash('sha256').update('hello').digest('hex')}"`)
    await second.close()
    expect(await formatIn(folder)).toMatchObject({ format: dataFormat })
  })
})

/** Format 0: one flat folder of metadata for each account, by the digest of the name. */
async function makeOlder(folder: string, name: string): Promise<void> {
  const meta = join(folder, 'meta/user/ann')
  const { versions } = JSON.parse(await readFile(join(meta, 'names/sub.d/a.txt.json'), 'utf8'))
  await rm(meta, { recursive: true })
  await mkdir(meta)
  const flat = `${createHash('sha256').update(name).digest('hex')}.json`
  await writeFile(join(meta, flat), JSON.stringify({ name, versions }))
  await rm(join(folder, 'format.json'))
  // The digests that lists know are a cache.
  await rm(join(folder, 'known-digests'), { force: true })
}
