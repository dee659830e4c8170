import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSessionStore } from '../../../../dist/server/stores/local/sessions.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { sessionStoreContract } from '../session-store-contract.js'

describe('the sessions of sessions.json', () => {
  sessionStoreContract(async ({ now }) => {
    const store = await openSessionStore(await temporaryFolder(), { now })
    onTestFinished(() => store.close())
    return store
  })

  it('are preserved by a restart, with the time of the last use', async () => {
    const folder = await temporaryFolder()
    const store = await openSessionStore(folder)
    await store.create(session)
    store.touch('s1', '2026-02-02T00:00:00.000Z')
    await store.close()
    const again = await openSessionStore(folder)
    expect(await again.find('s1')).toEqual({ ...session, lastUsedAt: '2026-02-02T00:00:00.000Z' })
  })

  it('are saved together after use, with a delay after the first', async () => {
    const folder = await temporaryFolder()
    const store = await openSessionStore(folder, { writeAfterMs: 20 })
    onTestFinished(() => store.close())
    await store.create(session)
    const written = () => readFile(join(folder, 'sessions.json'), 'utf8')
    store.touch('s1', '2026-02-02T00:00:00.000Z')
    expect(await written()).toContain(session.lastUsedAt)
    store.touch('s1', '2026-03-03T00:00:00.000Z')
    await expect.poll(written).toContain('2026-03-03T00:00:00.000Z')
  })

  it('lose the expired ones when they are saved', async () => {
    const folder = await temporaryFolder()
    let now = Date.now()
    const store = await openSessionStore(folder, { now: () => now })
    onTestFinished(() => store.close())
    await store.create({ ...session, expiresAt: new Date(now + 1000).toISOString() })
    now += 2000
    await store.create({ ...session, id: 's2' })
    expect(JSON.parse(await readFile(join(folder, 'sessions.json'), 'utf8')).sessions).toMatchObject([{ id: 's2' }])
  })

  it('fail to open from a damaged file, and leave it unchanged', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'sessions.json')
    await writeFile(path, '{"sessions": [{"id": "s1"}]}')
    await expect(openSessionStore(folder)).rejects.toThrow(/sessions\.json is damaged: sessions\.0\.accountId/)
    expect(await readFile(path, 'utf8')).toBe('{"sessions": [{"id": "s1"}]}')
  })
})

const session = {
  id: 's1',
  accountId: 1,
  client: 'curl',
  createdAt: '2026-01-01T00:00:00.000Z',
  lastUsedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2126-01-01T00:00:00.000Z',
}
