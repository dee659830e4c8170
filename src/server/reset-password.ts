import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { passwordBytes } from '../protocol/password-bytes.js'
import { Problem } from '../protocol/problems.js'
import { drawPassword } from './auth/first-admin.js'
import { openPasswords } from './auth/passwords.js'
import { type AccountStore, accountName, parseAccountName } from './stores/accounts.js'
import { openAccountStore } from './stores/local/accounts.js'
import { openCounters } from './stores/local/counters.js'
import { lockDataFolder } from './stores/local/data-lock.js'
import { openSessionStore } from './stores/local/sessions.js'

export interface ResetOptions {
  /** 8 to 72 bytes; default: a random one. */
  password?: string | undefined
  /** bcrypt's cost; default 12. */
  bcryptCost?: number
}

/**
 * Sets a new password for an account (`role:username`) of a data folder, revokes its sessions, and returns the
 * password. Throws `busy` while a server uses the folder, `account-not-found`, and `invalid-request` for a folder
 * without accounts or an invalid password.
 */
export async function resetPassword(dataFolder: string, name: string, options: ResetOptions = {}): Promise<string> {
  checkFits(options.password)
  const root = resolve(dataFolder)
  await checkHoldsAccounts(root)
  const lock = await lockDataFolder(root)
  try {
    const counters = await openCounters(root)
    const accounts = await openAccountStore(root, counters)
    const account = await findAccount(accounts, name, root)
    const password = options.password ?? drawPassword()
    const passwordHash = await hashOnce(password, options.bcryptCost ?? 12)
    const sessions = await openSessionStore(root)
    await sessions.remove((await sessions.list(account.id)).map(({ id }) => id))
    await accounts.update(account.id, { passwordHash })
    for (const opened of [sessions, accounts, counters]) await opened.close()
    return password
  } finally {
    await lock.release()
  }
}

function checkFits(password: string | undefined): void {
  if (password === undefined) return
  const bytes = Buffer.byteLength(password)
  if (bytes >= passwordBytes.min && bytes <= passwordBytes.max) return
  const reason = `must have ${passwordBytes.min} to ${passwordBytes.max} bytes`
  throw new Problem('invalid-request', `password ${reason}.`, { field: 'password' })
}

async function checkHoldsAccounts(root: string): Promise<void> {
  try {
    await access(join(root, 'accounts.json'))
  } catch (error) {
    const reason = `${root} holds no accounts: name the folder that the server runs on.`
    throw new Problem('invalid-request', `--data: ${reason}`, { field: '--data' }, { cause: error })
  }
}

async function findAccount(accounts: AccountStore, name: string, root: string) {
  const parsed = parseAccountName(name)
  const account = parsed && (await accounts.find(parsed.role, parsed.username))
  if (account) return account
  const admins = (await accounts.list()).filter(({ role }) => role === 'admin').map(accountName)
  throw new Problem('account-not-found', `There is no account ${name} in ${root}; its admins: ${admins.join(', ')}.`)
}

async function hashOnce(password: string, cost: number): Promise<string> {
  const passwords = openPasswords({ cost })
  try {
    return await passwords.hash(password)
  } finally {
    await passwords.close()
  }
}
