import type { ListedAccountRecord } from '../../../protocol/accounts.js'
import { routes } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import { Menu, type MenuItem } from '../../parts/menu.js'
import { UsedBar } from '../../parts/used-bar.js'
import { timeUntil } from '../../words/amounts.js'
import { formatShortTime } from '../../words/format.js'
import { say } from '../../words/say.js'

export type AccountAction = 'quota' | 'reset' | 'disable' | 'enable' | 'remove'

export interface AccountTableProps {
  accounts: readonly ListedAccountRecord[]
  /** The account that looks: it can neither disable nor delete itself here. */
  own: string | null
  onAction(action: AccountAction, account: ListedAccountRecord): void
}

export function AccountTable({ accounts, own, onAction }: AccountTableProps) {
  return (
    <div class="scroll-x">
      <table class="list accounts">
        <thead>
          <tr>
            <th scope="col">{say('accounts.account')}</th>
            <th scope="col" class="wide-only">
              {say('accounts.role')}
            </th>
            <th scope="col">{say('accounts.space')}</th>
            <th scope="col" class="number wide-only">
              {say('accounts.jobs')}
            </th>
            <th scope="col" class="number wide-only">
              {say('accounts.lastSeen')}
            </th>
            <th scope="col">
              <span class="hidden">{say('accounts.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr key={account.id} class={account.disabled ? 'is-disabled' : ''}>
              <th scope="row">
                <AccountName account={account} />
              </th>
              <td class="wide-only">{account.role}</td>
              <td>
                <Space account={account} />
              </td>
              <td class="number wide-only">
                <RunningJobs account={account} />
              </td>
              <td class="number wide-only">{seenWords(account)}</td>
              <td class="row-actions">
                <Menu
                  label={say('accounts.actionsFor', { account: account.account })}
                  items={itemsOf(account, account.account === own, (action) => onAction(action, account))}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function AccountName({ account }: { account: ListedAccountRecord }) {
  const { username, role, name, email, jobs } = account
  const about = [name, email].filter((text) => text !== null)
  const [tone, words] = stateOf(account)
  return (
    <div class="account-cell">
      <div>
        <span class="username">{username}</span>
        {words && <span class={`state ${tone}`}>{words}</span>}
      </div>
      {about.length > 0 && <div class="dim small">{about.join(' · ')}</div>}
      <div class="dim small narrow-only">
        {say('accounts.onPhone', { role, seen: seenWords(account) })}
        {jobs > 0 && ' · '}
        {jobs > 0 && <RunningJobs account={account} />}
      </div>
    </div>
  )
}

/** Leads to them. */
function RunningJobs({ account: { account, jobs } }: { account: ListedAccountRecord }) {
  if (jobs === 0) return '–'
  return (
    <a
      href={`/admin${routes.jobs}?account=${encodeURIComponent(account)}`}
      aria-label={say('accounts.jobsOf', { count: jobs, account })}
    >
      {say('accounts.running', { count: jobs })}
    </a>
  )
}

function Space({ account: { used, quotaInForce, quota, account } }: { account: ListedAccountRecord }) {
  const usedWords = used === null ? say('accounts.usedUnknown') : formatBytes(used)
  if (quotaInForce === null) return <span class="dim">{usedWords}</span>
  const part = used === null ? 0 : Math.min(1, used / quotaInForce)
  return (
    <div class="space">
      <UsedBar part={part} label={say('accounts.spaceOf', { account })} />
      <span
        class="small"
        title={say(quota === null ? 'accounts.serverQuota' : 'accounts.ownQuota', { quota: formatBytes(quotaInForce) })}
      >
        {say('accounts.usedOf', { used: usedWords, quota: formatBytes(quotaInForce) })}
      </span>
    </div>
  )
}

function stateOf({ disabled, invitedUntil }: ListedAccountRecord): ['stopped' | 'waiting' | 'failed' | '', string] {
  if (disabled) return ['stopped', say('accounts.disabled')]
  if (invitedUntil === null) return ['', '']
  return Date.parse(invitedUntil) > Date.now()
    ? ['waiting', say('accounts.linkOpen', { time: timeUntil(invitedUntil) })]
    : ['failed', say('accounts.linkExpired')]
}

function seenWords({ lastSeenAt }: ListedAccountRecord): string {
  return lastSeenAt === null ? say('accounts.neverSeen') : formatShortTime(lastSeenAt)
}

function itemsOf({ disabled }: ListedAccountRecord, isOwn: boolean, act: (action: AccountAction) => void): MenuItem[] {
  const items: MenuItem[] = [
    { label: say('accounts.changeQuota'), run: () => act('quota') },
    { label: say('accounts.resetPassword'), run: () => act('reset') },
  ]
  if (isOwn) return items
  return [
    ...items,
    disabled
      ? { label: say('accounts.enable'), run: () => act('enable') }
      : { label: say('accounts.disable'), run: () => act('disable') },
    { label: say('accounts.delete'), run: () => act('remove'), isDanger: true },
  ]
}
