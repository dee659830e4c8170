import { join } from 'node:path'
import { z } from 'zod'
import { quotaSchema, roleSchema, usernamePattern } from '../../../protocol/accounts.js'
import { Problem } from '../../../protocol/problems.js'
import type { Role } from '../../../protocol/roles.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import { type Account, type AccountStore, type AccountToCreate, type AccountUpdate, accountName } from '../accounts.js'
import type { LocalCounters } from './counters.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { type JsonFile, openJsonFile } from './json-file.js'

/** Opens the accounts of accounts.json. Throws if the file is damaged. */
export async function openAccountStore(
  dataFolder: string,
  counters: LocalCounters,
  reserve: ReserveUse = noReserve,
): Promise<AccountStore & { close(): Promise<void> }> {
  const path = join(dataFolder, 'accounts.json')
  const file = await openJsonFile<AccountsFile>(path, accountsSchema, { accounts: [] }, reserve).catch(warnOfSignups)
  counters.raise('account', Math.max(0, ...file.data.accounts.map(({ id }) => id)))
  return new LocalAccountStore(file, counters)
}

/** The consequence of starting without the file. */
function warnOfSignups(error: unknown): never {
  if (!(error instanceof Problem)) throw error
  const warning = 'Without it, the first to sign up with a name gets the files of that name.'
  throw new Problem(error.code, `${error.message} ${warning}`, error.details, { cause: error.cause })
}

interface AccountsFile {
  accounts: Account[]
}

/** Held in memory by id and by name, because every request looks one up. */
class LocalAccountStore implements AccountStore {
  readonly #file: JsonFile<AccountsFile>
  readonly #counters: LocalCounters
  readonly #byId = new Map<number, Account>()
  readonly #byName = new Map<string, Account>()
  readonly #creating = new KeyedMutex()

  constructor(file: JsonFile<AccountsFile>, counters: LocalCounters) {
    this.#file = file
    this.#counters = counters
    for (const account of file.data.accounts) this.#put(account)
  }

  async find(role: Role, username: string): Promise<Account | undefined> {
    return this.#byName.get(nameKey({ role, username }))
  }

  async get(id: number): Promise<Account | undefined> {
    return this.#byId.get(id)
  }

  async list(): Promise<Account[]> {
    return [...this.#byId.values()]
  }

  async create(wanted: AccountToCreate): Promise<Account> {
    const key = nameKey(wanted)
    // The second of two is refused once the first can be found, or takes the name when the first has failed.
    return this.#creating.run(key, async () => {
      if (!this.#byName.has(key)) return this.#create(wanted)
      throw new Problem('username-taken', `There is an account ${accountName(wanted)} already.`, { field: 'username' })
    })
  }

  async update(id: number, changes: AccountUpdate): Promise<Account> {
    const before = this.#byId.get(id)
    if (!before) throw new Problem('account-not-found', 'There is no such account.')
    if (changes.disabled) this.#keepAnAdmin(before, 'disabled')
    const after = { ...before, ...changes }
    this.#put(after)
    await this.#save('saveWithReserve', () => this.#put(before))
    return after
  }

  async acceptInvitation(id: number, digest: string, passwordHash: string): Promise<Account | undefined> {
    if (this.#byId.get(id)?.invitation?.digest !== digest) return undefined
    return this.update(id, { passwordHash, invitation: null })
  }

  async remove(id: number): Promise<void> {
    const account = this.#byId.get(id)
    if (!account) return
    this.#keepAnAdmin(account, 'removed')
    this.#drop(account)
    await this.#save('saveWithReserve', () => this.#put(account))
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #create(wanted: AccountToCreate): Promise<Account> {
    const account: Account = {
      id: await this.#counters.next('account'),
      role: wanted.role,
      username: wanted.username,
      passwordHash: wanted.passwordHash,
      name: wanted.name,
      email: wanted.email,
      disabled: false,
      quota: wanted.quota ?? null,
      invitation: wanted.invitation ?? null,
      createdAt: new Date().toISOString(),
    }
    this.#put(account)
    await this.#save('save', () => this.#drop(account))
    return account
  }

  #keepAnAdmin(account: Account, fate: 'disabled' | 'removed'): void {
    if (account.role !== 'admin' || account.disabled) return
    for (const other of this.#byId.values()) {
      if (other.role === 'admin' && !other.disabled && other.id !== account.id) return
    }
    throw new Problem(
      'last-admin',
      `${accountName(account)} is the last admin and cannot be ${fate}: create another first.`,
    )
  }

  /** If the write fails, memory must not contain what the disk lacks. */
  async #save(how: 'save' | 'saveWithReserve', undo: () => void): Promise<void> {
    this.#file.data.accounts = [...this.#byId.values()]
    try {
      await this.#file[how]()
    } catch (error) {
      undo()
      throw error
    }
  }

  #put(account: Account): void {
    this.#byId.set(account.id, account)
    this.#byName.set(nameKey(account), account)
  }

  #drop(account: Account): void {
    this.#byId.delete(account.id)
    this.#byName.delete(nameKey(account))
  }
}

function nameKey(account: Pick<Account, 'role' | 'username'>): string {
  return accountName(account).toLowerCase()
}

const accountSchema = z.looseObject({
  id: z.int().positive(),
  role: roleSchema,
  username: z.string().regex(usernamePattern, 'not a username'),
  passwordHash: z.string().regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/, 'not a bcrypt hash'),
  name: z.string().nullable(),
  email: z.string().nullable(),
  disabled: z.boolean(),
  // Missing in a folder of an earlier version.
  quota: quotaSchema.default(null),
  invitation: z.object({ digest: z.string(), expiresAt: z.iso.datetime() }).nullable().default(null),
  createdAt: z.iso.datetime(),
})

const accountsSchema = z.object({ accounts: z.array(accountSchema) }).superRefine(({ accounts }, context) => {
  const seen = new Set<string>()
  accounts.forEach((account, index) => {
    for (const key of [`id ${account.id}`, `name ${nameKey(account)}`]) {
      if (seen.has(key))
        context.addIssue({ code: 'custom', path: ['accounts', index], message: `the ${key} comes twice` })
      seen.add(key)
    }
  })
})
