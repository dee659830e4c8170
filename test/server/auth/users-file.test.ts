import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importUsers } from '../../../dist/server/auth/users-file.js'
import { openAuthentication } from '../../helpers/authentication.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const here = { address: '192.0.2.1', client: 'curl' }

describe('a users file', () => {
  it('creates missing accounts, and leaves existing ones unchanged', async () => {
    const services = await openAuthentication()
    const path = await usersFile([
      { username: 'Utkal', password: 'utkal123', api_key: 'of another program' },
      { username: 'ops1', password: 'password of ops', role: 'ops' },
    ])
    expect(await importUsers(path, services)).toBe(2)
    await services.authentication.logIn({ role: 'ops', username: 'ops1', password: 'password of ops' }, here)
    const changed = await usersFile([
      { username: 'utkal', password: 'another password' },
      { username: 'third', password: 'the third one' },
    ])
    expect(await importUsers(changed, services)).toBe(1)
    await services.authentication.logIn({ role: 'user', username: 'Utkal', password: 'utkal123' }, here)
  })

  it.each([
    [[{ username: 'ann', password: 'long enough' }, { username: 'bob' }], 'entry 1 (counted from 0): password'],
    [[{ username: 'ann', password: 'short' }], 'entry 0 (counted from 0): password must have 8 to 72 bytes'],
    [[{ username: '../ann', password: 'long enough' }], 'entry 0 (counted from 0): username'],
    [[{ username: 'ann', password: 'long enough', role: 'root' }], 'entry 0 (counted from 0): role'],
    [['ann'], 'entry 0'],
    [{ username: 'ann' }, 'not a JSON array'],
  ])('with the invalid entry of %j creates no account, and is reported', async (users, reason) => {
    const services = await openAuthentication()
    const path = await usersFile(users)
    const refused = importUsers(path, services).catch((error) => error)
    expect(await refused).toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(`--users ${path}`),
    })
    expect((await refused).message).toContain(reason)
    expect(await services.accounts.list()).toEqual([])
  })

  it('that is missing or not JSON is reported', async () => {
    const services = await openAuthentication()
    await expect(importUsers('/no/such/users.json', services)).rejects.toThrow(
      /--users \/no\/such\/users\.json: ENOENT/,
    )
    const path = join(await temporaryFolder(), 'users.json')
    await writeFile(path, '[{')
    await expect(importUsers(path, services)).rejects.toThrow('it is not JSON')
  })
})

async function usersFile(users: unknown): Promise<string> {
  const path = join(await temporaryFolder(), 'users.json')
  await writeFile(path, JSON.stringify(users))
  return path
}
