import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { onlyLocal } from '../helpers/only-local.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('the first start', () => {
  it('creates admin:admin with a random password, and prints it once', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startTestServer({ dataFolder, adminPassword: null })
    expect(await logIn(first, 'admin', first.firstAdminPassword!)).toBe(200)
    await first.close()
    const second = await startTestServer({ dataFolder, adminPassword: null })
    onTestFinished(() => second.close())
    expect(second.firstAdminPassword).toBeNull()
    expect(await logIn(second, 'admin', first.firstAdminPassword!)).toBe(200)
  })

  it('uses the given password and prints none', async () => {
    const server = await startTestServer({ adminPassword: 'chosen by hand' })
    onTestFinished(() => server.close())
    expect(server.firstAdminPassword).toBeNull()
    expect(await logIn(server, 'admin', 'chosen by hand')).toBe(200)
  })

  it('that fails does not lose the password: the next one prints it', async () => {
    const dataFolder = await temporaryFolder()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    await expect(startTestServer({ dataFolder, adminPassword: null, port })).rejects.toThrow(`127.0.0.1:${port}`)
    const usersFile = join(await temporaryFolder(), 'users.json')
    await writeFile(usersFile, '[{"username": "ann"}]')
    await expect(startTestServer({ dataFolder, adminPassword: null, usersFile })).rejects.toThrow('entry 0')
    const server = await startTestServer({ dataFolder, adminPassword: null })
    onTestFinished(() => server.close())
    expect(await logIn(server, 'admin', server.firstAdminPassword!)).toBe(200)
  })

  it('creates the accounts of --users', async () => {
    const usersFile = join(await temporaryFolder(), 'users.json')
    await writeFile(usersFile, JSON.stringify([{ username: 'Utkal', password: 'utkal123', role: 'ops' }]))
    const server = await startTestServer({ usersFile })
    onTestFinished(() => server.close())
    expect(await logIn(server, 'ops', 'utkal123', 'utkal')).toBe(200)
  })
})

describe('a start of the server', () => {
  onlyLocal('accounts are rows of a database', () => {
    it('with a damaged accounts.json fails with instructions, leaves the file, and unlocks the folder', async () => {
      const dataFolder = await temporaryFolder()
      await (await startTestServer({ dataFolder })).close()
      const path = join(dataFolder, 'accounts.json')
      const whole = await readFile(path, 'utf8')
      await writeFile(path, whole.slice(0, -10))
      await expect(startTestServer({ dataFolder })).rejects.toThrow(/is damaged: .* the first to sign up/)
      expect(await readFile(path, 'utf8')).toBe(whole.slice(0, -10))
      await writeFile(path, whole)
      await (await startTestServer({ dataFolder })).close()
    })
  })

  it('with a data folder in use is rejected', async () => {
    const server = await startTestServer()
    onTestFinished(() => server.close())
    const second = startTestServer({ dataFolder: server.dataFolder })
    await expect(second).rejects.toThrow(/Another filejobs server works on this data folder/)
  })
})

async function logIn(server: TestServer, role: string, password: string, username = 'admin'): Promise<number> {
  const answer = await fetch(`${server.url}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, role, password }),
  })
  await answer.body?.cancel()
  return answer.status
}
