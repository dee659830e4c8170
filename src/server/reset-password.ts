import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { passwordBytes } from '../protocol/password-bytes.js'
import { Problem } from '../protocol/problems.js'
import { drawPassword } from './auth/first-admin.js'
import { openPasswords } from './auth/passwords.js'
import { openCurrentDatabase } from './backends/open-cluster.js'
import { type Account, type AccountStore, accountName, parseAccountName } from './stores/accounts.js'
import { openAccountStore } from './stores/local/accounts.js'
import { openCounters } from './stores/local/counters.js'
import { checkDataFormat } from './stores/local/data-format.js'
import { lockDataFolder } from './stores/local/data-lock.js'
import { openSessionStore } from './stores/local/sessions.js'
import { postgresAccounts } from './stores/postgres/accounts.js'
import { notifyServers } from './stores/postgres/bus.js'
import { postgresSessions } from './stores/postgres/sessions.js'
import type { SessionStore } from './stores/sessions.js'

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
    const sessions = await openSessionStore(root)
    const password = await change({ accounts, sessions }, account, options)
    for (const opened of [sessions, accounts, counters]) await opened.close()
    return password
  } finally {
    await lock.release()
  }
}

/**
 * The same in the database of servers, which may run: they stop what the sessions of the account transfer. Throws
 * `account-not-found`, `storage-unavailable` if the database cannot be used, and `invalid-request` for an invalid password.
 */
export async function resetSharedPassword(url: string, name: string, options: ResetOptions = {}): Promise<string> {
  checkFits(options.password)
  const database = await openCurrentDatabase(url)
  const sessions = postgresSessions(database)
  try {
    const accounts = postgresAccounts(database)
    const account = await findAccount(accounts, name, 'the database')
    const password = await change({ accounts, sessions }, account, options)
    const message = 'The password of the account was reset.'
    await notifyServers(database, { ended: { accountId: account.id, by: 'operator', message } })
    return password
  } finally {
    await sessions.close()
    await database.end({ timeout: 1 })
  }
}

async function change(
  { accounts, sessions }: { accounts: AccountStore; sessions: SessionStore },
  { id }: Account,
  options: ResetOptions,
): Promise<string> {
  const password = options.password ?? drawPassword()
  const passwordHash = await hashOnce(password, options.bcryptCost ?? 12)
  await accounts.update(id, { passwordHash, invitation: null })
  // Afterwards, because a login with the old password may be under way.
  await sessions.remove((await sessions.list(id)).map((session) => session.id))
  return password
}

function checkFits(password: string | undefined): void {
  if (password === undefined) return
  const bytes = Buffer.byteLength(password)
  if (bytes >= passwordBytes.min && bytes <= passwordBytes.max) return
  const reason = `must have ${passwordBytes.min} to ${passwordBytes.max} bytes`
  throw new Problem('invalid-request', `password ${reason}.`, { field: 'password' })
}

async function checkHoldsAccounts(root: string): Promise<void> {
  await checkDataFormat(root)
  try {
    await access(join(root, 'accounts.json'))
  } catch (error) {
    const reason = `${root} holds no accounts: name the folder that the server runs on.`
    throw new Problem('invalid-request', `--data: ${reason}`, { field: '--data' }, { cause: error })
  }
}

async function findAccount(accounts: AccountStore, name: string, place: string): Promise<Account> {
  const parsed = parseAccountName(name)
  const account = parsed && (await accounts.find(parsed.role, parsed.username))
  if (account) return account
  const admins = (await accounts.list()).filter(({ role }) => role === 'admin').map(accountName)
  throw new Problem('account-not-found', `There is no account ${name} in ${place}; its admins: ${admins.join(', ')}.`)
}

async function hashOnce(password: string, cost: number): Promise<string> {
  const passwords = openPasswords({ cost })
  try {
    return await passwords.hash(password)
  } finally {
    await passwords.close()
  }
}
