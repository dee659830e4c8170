import type { AccountQuota } from '../../../protocol/accounts.js'
import { Problem } from '../../../protocol/problems.js'
import type { Role } from '../../../protocol/roles.js'
import { type Account, type AccountStore, accountName } from '../accounts.js'
import type { Database, Transaction } from './database.js'
import { isDuplicate } from './database-errors.js'

export function postgresAccounts(database: Database): AccountStore {
  const columns = (sql: Database | Transaction) => sql`
    id, role, username, password_hash, name, email, is_disabled, quota, is_unlimited, invitation_digest, invitation_expires_at,
    created_at`

  return {
    async find(role, username) {
      const [row] = await database<AccountRow[]>`
        select ${columns(database)} from accounts where role = ${role} and lower(username) = lower(${username})`
      return row && accountOf(row)
    },

    async get(id) {
      const [row] = await database<AccountRow[]>`select ${columns(database)} from accounts where id = ${id}`
      return row && accountOf(row)
    },

    async list() {
      const rows = await database<AccountRow[]>`select ${columns(database)} from accounts order by id`
      return rows.map(accountOf)
    },

    async create(wanted) {
      const { role, username, passwordHash, name, email, quota = null, invitation = null } = wanted
      try {
        const [row] = await database<AccountRow[]>`
          with next as (
            insert into counters values ('account', 1) on conflict (name) do update set n = counters.n + 1 returning n
          )
          insert into accounts (
            id, role, username, password_hash, name, email, quota, is_unlimited, invitation_digest, invitation_expires_at)
          select n, ${role}, ${username}, ${passwordHash}, ${name}, ${email}, ${bytesOf(quota)}::bigint,
            ${quota === 'none'}::boolean, ${invitation?.digest ?? null}::text, ${invitation?.expiresAt ?? null}::timestamptz
          from next
          returning ${columns(database)}`
        return accountOf(row!)
      } catch (error) {
        if (!isDuplicate(error, 'accounts_by_name')) throw error
        const message = `There is an account ${accountName(wanted)} already.`
        throw new Problem('username-taken', message, { field: 'username' })
      }
    },

    async update(id, changes) {
      return database.begin(async (sql) => {
        if (changes.disabled) await keepAnAdmin(sql, id, 'disabled')
        const { passwordHash = null, disabled = null, quota, invitation } = changes
        const [keepsQuota, keepsInvitation] = [quota === undefined, invitation === undefined]
        const [row] = await sql<AccountRow[]>`
          update accounts set password_hash = coalesce(${passwordHash}, password_hash),
            is_disabled = coalesce(${disabled}, is_disabled),
            quota = case when ${keepsQuota}::boolean then quota else ${bytesOf(quota)}::bigint end,
            is_unlimited = case when ${keepsQuota}::boolean then is_unlimited else ${quota === 'none'}::boolean end,
            invitation_digest = case
              when ${keepsInvitation}::boolean then invitation_digest else ${invitation?.digest ?? null}::text end,
            invitation_expires_at = case when ${keepsInvitation}::boolean then invitation_expires_at
              else ${invitation?.expiresAt ?? null}::timestamptz end
          where id = ${id}
          returning ${columns(sql)}`
        if (!row) throw new Problem('account-not-found', 'There is no such account.')
        return accountOf(row)
      })
    },

    async acceptInvitation(id, digest, passwordHash) {
      const [row] = await database<AccountRow[]>`
        update accounts
        set password_hash = ${passwordHash}, invitation_digest = null, invitation_expires_at = null
        where id = ${id} and invitation_digest = ${digest}
        returning ${columns(database)}`
      return row && accountOf(row)
    },

    async remove(id) {
      await database.begin(async (sql) => {
        await keepAnAdmin(sql, id, 'removed')
        await sql`delete from accounts where id = ${id}`
      })
    },
  }
}

/** Locks the enabled admins: of two requests, each for another one of the last two, the second is refused. */
async function keepAnAdmin(sql: Transaction, id: number, fate: 'disabled' | 'removed'): Promise<void> {
  const admins = await sql<{ id: number; role: Role; username: string }[]>`
    select id, role, username from accounts where role = 'admin' and not is_disabled order by id for update`
  const [last] = admins
  if (admins.length !== 1 || last?.id !== id) return
  throw new Problem('last-admin', `${accountName(last)} is the last admin and cannot be ${fate}: create another first.`)
}

interface AccountRow extends Omit<Account, 'disabled' | 'quota' | 'invitation' | 'createdAt'> {
  isDisabled: boolean
  quota: number | null
  isUnlimited: boolean
  invitationDigest: string | null
  invitationExpiresAt: Date | null
  createdAt: Date
}

function accountOf(row: AccountRow): Account {
  const { isDisabled, quota, isUnlimited, invitationDigest, invitationExpiresAt, createdAt, ...account } = row
  return {
    ...account,
    disabled: isDisabled,
    quota: isUnlimited ? 'none' : quota,
    invitation:
      invitationDigest === null || invitationExpiresAt === null
        ? null
        : { digest: invitationDigest, expiresAt: invitationExpiresAt.toISOString() },
    createdAt: createdAt.toISOString(),
  }
}

/** The column: null also for `none`, which has one of its own. */
function bytesOf(quota: AccountQuota = null): number | null {
  return quota === 'none' ? null : quota
}
