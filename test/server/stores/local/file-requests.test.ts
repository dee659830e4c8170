import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openFileRequestStore } from '../../../../dist/server/stores/local/file-requests.js'
import { keepExpiredMs } from '../../../../dist/server/stores/shares.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { fileRequestContract, newRequest } from '../file-request-contract.js'

describe('the links for uploads of requests.json', () => {
  fileRequestContract(async ({ now }) => {
    const store = await openFileRequestStore(await temporaryFolder(), { now })
    onTestFinished(() => store.close())
    return store
  })

  it('are preserved by a restart, which gives back what was under way', async () => {
    const folder = await temporaryFolder()
    const store = await openFileRequestStore(folder)
    const request = newRequest('a', { maxFiles: 2 })
    await store.create(request)
    for (const job of ['one', 'two']) await store.reserve('a', { job, files: 1, bytes: 1 })
    await store.receive('one', 5)
    await store.countOpening('a')
    await store.close()
    const restarted = await openFileRequestStore(folder)
    expect(await restarted.find('a')).toEqual({ ...request, files: 1, bytes: 5, opened: 1 })
    expect(await restarted.reserve('a', { job: 'three', files: 1, bytes: 1 })).toBeNull()
  })

  it('have their openings written after a while', async () => {
    const folder = await temporaryFolder()
    const store = await openFileRequestStore(folder, { writeAfterMs: 1 })
    onTestFinished(() => store.close())
    await store.create(newRequest('a'))
    await store.countOpening('a')
    await expect.poll(async () => (await openFileRequestStore(folder)).find('a')).toMatchObject({ opened: 1 })
  })

  it('lose those that have long ended when they are saved', async () => {
    const folder = await temporaryFolder()
    let now = Date.now()
    const store = await openFileRequestStore(folder, { now: () => now })
    await store.create(newRequest('a'))
    now += keepExpiredMs + 3_700_000
    await store.create(newRequest('b', { expiresAt: new Date(now + 1000).toISOString() }))
    const { requests } = JSON.parse(await readFile(join(folder, 'requests.json'), 'utf8'))
    expect(requests).toMatchObject([{ id: 'b' }])
  })

  it('fail to open from a damaged file, and leave it unchanged', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'requests.json'), '{"requests": 1}')
    await expect(openFileRequestStore(folder)).rejects.toThrow(/requests\.json is damaged/)
    expect(await readFile(join(folder, 'requests.json'), 'utf8')).toBe('{"requests": 1}')
  })
})
