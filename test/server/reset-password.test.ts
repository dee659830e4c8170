import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openPasswords } from '../../dist/server/auth/passwords.js'
import { resetPassword } from '../../dist/server/reset-password.js'
import { openAccountStore } from '../../dist/server/stores/local/accounts.js'
import { openCounters } from '../../dist/server/stores/local/counters.js'
import { lockDataFolder } from '../../dist/server/stores/local/data-lock.js'
import { openSessionStore } from '../../dist/server/stores/local/sessions.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('resetting a password', () => {
  it('generates a valid one, and ends the sessions of the account', async () => {
    const folder = await folderWithAdmin()
    const password = await resetPassword(folder, 'admin:admin', { bcryptCost: 4 })
    expect(password).toMatch(/^[\w-]{16}$/)
    expect(await fits(folder, password)).toBe(true)
    const sessions = await openSessionStore(folder)
    expect((await sessions.list(1)).length + (await sessions.list(2)).length).toBe(1)
    expect(await readdir(folder)).not.toContain('lock')
  })

  it('uses the given one', async () => {
    const folder = await folderWithAdmin()
    expect(await resetPassword(folder, 'admin:ADMIN', { password: 'chosen by hand', bcryptCost: 4 })).toBe(
      'chosen by hand',
    )
    expect(await fits(folder, 'chosen by hand')).toBe(true)
  })

  it('is rejected while a server uses the folder', async () => {
    const folder = await folderWithAdmin()
    const lock = await lockDataFolder(folder)
    await expect(resetPassword(folder, 'admin:admin')).rejects.toMatchObject({ code: 'busy' })
    await lock.release()
  })

  it.each(['admin:nobody', 'admin', 'root:admin', ''])('is rejected for the unknown account "%s"', async (name) => {
    const folder = await folderWithAdmin()
    await expect(resetPassword(folder, name)).rejects.toMatchObject({
      code: 'account-not-found',
      message: expect.stringContaining('admin:admin'),
    })
  })

  it('is rejected for a folder without accounts, and creates nothing there', async () => {
    const folder = await temporaryFolder()
    await expect(resetPassword(folder, 'admin:admin')).rejects.toThrow(`--data: ${folder} holds no accounts`)
    expect(await readdir(folder)).toEqual([])
  })
})

async function folderWithAdmin(): Promise<string> {
  const folder = await temporaryFolder()
  const accounts = await openAccountStore(folder, await openCounters(folder))
  const passwordHash = `$2b$04$${'a'.repeat(53)}`
  await accounts.create({ role: 'admin', username: 'admin', passwordHash, name: null, email: null })
  const sessions = await openSessionStore(folder)
  const now = new Date().toISOString()
  for (const accountId of [1, 2]) {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    await sessions.create({ id: `s${accountId}`, accountId, client: '', createdAt: now, lastUsedAt: now, expiresAt })
  }
  return folder
}

async function fits(folder: string, password: string): Promise<boolean> {
  const accounts = await openAccountStore(folder, await openCounters(folder))
  const passwords = openPasswords({ cost: 4 })
  const fit = await passwords.verify(password, (await accounts.find('admin', 'admin'))!.passwordHash)
  await passwords.close()
  return fit
}
