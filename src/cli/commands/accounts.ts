import { Command } from 'commander'
import type { AccountList, AccountRecord, ListedAccountRecord } from '../../protocol/accounts.js'
import type { CreatedAccountRecord, InvitationRecord } from '../../protocol/invitations.js'
import { readOptions } from '../../protocol/options/read-options.js'
import { formatQuota, parseQuota, quotaMeaning } from '../../protocol/quota.js'
import { routes } from '../../protocol/routes.js'
import { formatBytes, parseDuration } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { Failure } from '../exit-codes.js'
import { askSignupPassword, askWho } from '../login-flow.js'
import { askLine, readPasswords } from '../password.js'
import { openSession, type Session } from '../session.js'
import { formatTable, formatTime, type TextColumn } from '../table.js'

export function accountsCommand(context: Context): Command {
  return new Command('accounts')
    .addCommand(listCommand(context), { isDefault: true })
    .addCommand(createCommand(context))
    .addCommand(inviteCommand(context))
    .addCommand(quotaCommand(context))
    .addCommand(changeCommand(context, 'disable', 'refuse an account and stop what it runs', { disabled: true }))
    .addCommand(changeCommand(context, 'enable', 'let a disabled account in again', { disabled: false }))
    .addCommand(deleteCommand(context))
    .addCommand(resetPasswordCommand(context))
    .addHelpText('after', examples)
}

const examples = `
Accounts are written ROLE:USERNAME; without a role, user is meant.

Examples:
  $ filejobs accounts
  $ filejobs accounts create ops:publisher
  $ filejobs accounts create user:bob --invite --quota 5G
  $ filejobs accounts quota user:ann none
  $ filejobs accounts disable user:ann
  $ filejobs accounts reset-password admin:admin --data ./filejobs-data
  $ filejobs accounts reset-password admin:admin --database`

function listCommand(context: Context): Command {
  return new Command('list')
    .description('list all accounts, with what they use and do')
    .addHelpText('after', '\nExample:\n  $ filejobs accounts list --json')
    .action(async (_options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const { accounts } = await (await api()).send<AccountList>('GET', routes.accounts)
      if (output.json) for (const account of accounts) output.result(account, '')
      else output.result(accounts, formatTable(columns, accounts))
    })
}

interface PasswordOptions {
  passwordStdin?: boolean
}

const passwordStdin = ['--password-stdin', 'read the password from stdin'] as const

function createCommand(context: Context): Command {
  return new Command('create')
    .description('create an account')
    .argument('<account>', 'ROLE:USERNAME')
    .option('--name <name>', 'full name')
    .option('--email <address>', 'address')
    .option('--quota <size>', quotaMeaning)
    .option('--invite', 'print a link by which its owner sets the password, once')
    .option(...expires)
    .option(...passwordStdin)
    .addHelpText('after', createExamples)
    .action(async (account: string, options: CreateOptions, command: Command) => {
      const quota = options.quota === undefined ? undefined : parseQuota(options.quota, '--quota')
      checkInvite(options)
      const session = await openSession(context, command)
      const api = await session.api()
      const who = await askWho(session, account, undefined)
      const key = options.invite
        ? { invitation: invitationOf(options) }
        : { password: await askSignupPassword(session, who, options.passwordStdin ?? false) }
      const json = { ...who, ...key, name: options.name, email: options.email, quota }
      const made = await api.send<CreatedAccountRecord>('POST', routes.accounts, { json })
      if (!made.invitation) return session.output.result(made, `Created the account ${made.account}.`)
      session.output.result(made, made.invitation.url)
      session.output.note(`Created the account ${made.account}. ${inviteNote(made.invitation)}`)
    })
}

interface CreateOptions extends PasswordOptions {
  name?: string
  email?: string
  quota?: string
  invite?: boolean
  expires?: string
}

const expires = ['--expires <time>', 'until when the link works, 30d at most (default: 7d)'] as const

function checkInvite({ invite, expires, passwordStdin }: CreateOptions): void {
  if (invite && passwordStdin) throw new Failure('wrongUse', 'Give one of --invite and --password-stdin.')
  if (expires !== undefined && !invite) throw new Failure('wrongUse', '--expires is for the link of --invite.')
}

/** Throws `invalid-request`. */
function invitationOf({ expires }: { expires?: string }): { expiresIn?: number } {
  return expires === undefined ? {} : { expiresIn: Math.ceil(parseDuration(expires, '--expires') / 1000) }
}

function inviteNote({ account, expiresAt }: InvitationRecord): string {
  return `This link sets the password of ${account}, once, until ${formatTime(expiresAt)}.`
}

const createExamples = `
Examples:
  $ filejobs accounts create ops:publisher
  $ filejobs accounts create user:bob --quota 5G
  $ filejobs accounts create user:cid --invite --expires 2d`

function inviteCommand(context: Context): Command {
  return new Command('invite')
    .description('print a link by which the owner of an account sets its password, once')
    .argument('<account>', 'ROLE:USERNAME')
    .option(...expires)
    .addHelpText('after', inviteExamples)
    .action(async (account: string, options: { expires?: string }, command: Command) => {
      const json = invitationOf(options)
      const session = await openSession(context, command)
      const path = `${accountPath(account)}/invitation`
      const invitation = await (await session.api()).send<InvitationRecord>('POST', path, { json })
      session.output.result(invitation, invitation.url)
      session.output.note(inviteNote(invitation))
    })
}

const inviteExamples = `
An earlier link of the account ends. Its password and its sessions stay valid until the link is used.

Examples:
  $ filejobs accounts invite user:ann
  $ filejobs accounts invite user:ann --expires 2d`

function quotaCommand(context: Context): Command {
  return new Command('quota')
    .description('set how much an account may store')
    .argument('<account>', 'ROLE:USERNAME')
    .argument('<size>', quotaMeaning)
    .addHelpText('after', quotaExamples)
    .action(async (account: string, size: string, _options: object, command: Command) => {
      const quota = parseQuota(size, '<size>')
      const session = await openSession(context, command)
      const changed = await change(session, account, { quota })
      const words = changed.quota === null ? 'that of the server' : formatQuota(changed.quota)
      session.output.result(changed, `The quota of ${changed.account} is ${words}.`)
    })
}

const quotaExamples = `
It goes before the --quota of the server. One below what is stored removes nothing, and uploads whose space is reserved end
as they would: only new bytes are refused.

Examples:
  $ filejobs accounts quota user:ann 5G
  $ filejobs accounts quota user:ann none
  $ filejobs accounts quota user:ann default`

function changeCommand(context: Context, name: string, meaning: string, changes: { disabled: boolean }): Command {
  return new Command(name)
    .description(meaning)
    .argument('<account>', 'ROLE:USERNAME')
    .addHelpText('after', `\nExample:\n  $ filejobs accounts ${name} user:ann`)
    .action(async (account: string, _options: object, command: Command) => {
      const session = await openSession(context, command)
      const changed = await change(session, account, changes)
      session.output.result(changed, `${changed.account} is ${changed.disabled ? 'disabled' : 'enabled'}.`)
    })
}

function deleteCommand(context: Context): Command {
  return new Command('delete')
    .description('remove an account with its files, tables and sessions')
    .argument('<account>', 'ROLE:USERNAME')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', '\nExample:\n  $ filejobs accounts delete user:ann')
    .action(async (account: string, options: { yes?: boolean }, command: Command) => {
      const session = await openSession(context, command)
      const api = await session.api()
      if (!options.yes) await confirm(context, account)
      await api.send('DELETE', accountPath(account))
      session.output.result({ account: fullName(account), deleted: true }, `Deleted ${fullName(account)}.`)
    })
}

async function confirm(context: Context, account: string): Promise<void> {
  const question = `Delete ${fullName(account)} with all of its files, tables, links and sessions? Type yes: `
  const answer = await askLine(context, question, 'No terminal to ask for confirmation: use --yes.')
  if (answer !== 'yes') throw new Failure('wrongUse', 'Nothing was deleted.')
}

function resetPasswordCommand(context: Context): Command {
  return new Command('reset-password')
    .description('set the password of an account, also while the server is stopped')
    .argument('<account>', 'ROLE:USERNAME')
    .option('--data <folder>', 'change this data folder directly; the server must be stopped')
    .option('--database [url]', 'change this database of servers directly; default: FILEJOBS_DATABASE')
    .option(...passwordStdin)
    .addHelpText('after', resetExamples)
    .action(async (account: string, options: ResetOptions, command: Command) => {
      const session = await openSession(context, command)
      if (options.data !== undefined || options.database !== undefined) {
        return resetDirectly(session, fullName(account), options)
      }
      await session.token()
      const password = await askSignupPassword(
        session,
        await askWho(session, account, undefined),
        options.passwordStdin ?? false,
      )
      const changed = await change(session, account, { password })
      session.output.result(changed, `The password of ${changed.account} was set; its sessions have ended.`)
    })
}

interface ResetOptions extends PasswordOptions {
  data?: string
  /** true: that of the variable. */
  database?: string | true
}

const resetExamples = `
With --data or --database, no login is needed, and without --password-stdin a random password is set and printed. Servers that
share a database may run meanwhile. Its URL must not have a password as a flag: without a URL, that of FILEJOBS_DATABASE is used.

Examples:
  $ filejobs accounts reset-password admin:admin --data ./filejobs-data
  $ filejobs accounts reset-password admin:admin --database
  $ filejobs accounts reset-password admin:admin --database postgres://filejobs@db/filejobs
  $ pass show filejobs | filejobs accounts reset-password user:ann --password-stdin`

async function resetDirectly({ output, context }: Session, account: string, options: ResetOptions): Promise<void> {
  const reset = await openReset(context, options)
  const [given] = options.passwordStdin ? await readPasswords(context.stdin, ['password']) : []
  const password = await reset(account, { password: given })
  if (given !== undefined) {
    output.result({ account, changed: true }, `The password of ${account} was set; its sessions have ended.`)
    return
  }
  output.result({ account, password }, password)
  output.note(`This is the new password of ${account}; it is shown only once.`)
}

async function openReset({ env }: Context, { data, database }: ResetOptions) {
  if (data !== undefined && database !== undefined) {
    throw new Failure('wrongUse', 'Give one of --data and --database.')
  }
  const url = database && readOptions(database === true ? {} : { database }, env, false).get('database')
  if (url === null) throw new Failure('wrongUse', 'FILEJOBS_DATABASE is not set: use --database URL.')
  const { resetPassword, resetSharedPassword } = await import('../../server/reset-password.js')
  return (account: string, options: { password: string | undefined }) =>
    url === undefined ? resetPassword(data!, account, options) : resetSharedPassword(url, account, options)
}

async function change(session: Session, account: string, changes: object): Promise<AccountRecord> {
  return (await session.api()).send<AccountRecord>('PATCH', accountPath(account), { json: changes })
}

function accountPath(account: string): string {
  return `${routes.accounts}/${fullName(account).split(':').map(encodeURIComponent).join(':')}`
}

function fullName(account: string): string {
  return account.includes(':') ? account : `user:${account}`
}

const columns: readonly TextColumn<ListedAccountRecord>[] = [
  { title: 'ACCOUNT', cell: (account) => account.account },
  { title: 'ID', align: 'right', cell: (account) => String(account.id) },
  { title: 'CREATED', cell: (account) => formatTime(account.createdAt) },
  { title: 'USED', align: 'right', cell: ({ used }) => (used === null ? '?' : formatBytes(used)) },
  { title: 'QUOTA', align: 'right', cell: (account) => formatQuota(account.quota) },
  { title: 'JOBS', align: 'right', cell: (account) => String(account.jobs) },
  { title: 'LAST SEEN', cell: (account) => formatTime(account.lastSeenAt) || 'never' },
  { title: 'STATE', cell: stateOf },
  { title: 'NAME', cell: (account) => account.name ?? '' },
  { title: 'EMAIL', cell: (account) => account.email ?? '' },
]

function stateOf({ disabled, invitedUntil, lastSeenAt }: ListedAccountRecord): string {
  if (disabled) return 'disabled'
  return invitedUntil !== null && lastSeenAt === null ? 'invited' : 'enabled'
}
