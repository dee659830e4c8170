import { useState } from 'preact/hooks'
import type { AccountList, ListedAccountRecord } from '../../../protocol/accounts.js'
import { routes } from '../../../protocol/routes.js'
import { me } from '../../account.js'
import { callApi } from '../../api.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { say } from '../../words/say.js'
import { type AccountAction, AccountTable } from './account-table.js'
import { DisableDialog, EnableDialog } from './disable-dialog.js'
import { NewAccountDialog } from './new-account-dialog.js'
import { QuotaDialog } from './quota-dialog.js'
import { RemoveAccountDialog } from './remove-account-dialog.js'
import { ResetDialog } from './reset-dialog.js'

/** All accounts, for admins: what they use and do, and what can be done with them. */
export default function AccountsView() {
  const [search, setSearch] = useState('')
  const [open, setOpen] = useState<{ action: AccountAction | 'create'; account?: ListedAccountRecord } | null>(null)
  const { value, error, reload } = useLoaded(
    'accounts',
    (signal) => callApi<AccountList>('GET', routes.accounts, { signal }),
    { watch: true },
  )
  const accounts = value?.accounts.filter((account) => matches(account, search.toLowerCase()))
  const close = () => setOpen(null)
  const change = () => {
    close()
    reload()
  }

  return (
    <>
      <header class="view-head">
        <h1>{say('view.accounts')}</h1>
        <button type="button" class="primary" onClick={() => setOpen({ action: 'create' })}>
          <Icon name="person" />
          {say('accounts.new')}
        </button>
      </header>
      <section class="panel" aria-labelledby="accounts">
        <header class="panel-head">
          <h2 id="accounts">{accounts ? say('accounts.count', { count: accounts.length }) : say('view.accounts')}</h2>
          <label class="search">
            <Icon name="search" />
            <span class="hidden">{say('accounts.search')}</span>
            <input
              type="search"
              placeholder={say('accounts.search')}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          </label>
        </header>
        {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
        {!value && error === undefined && <Loading />}
        {accounts?.length === 0 && <p class="dim">{say('accounts.noneFit', { text: search })}</p>}
        {accounts && accounts.length > 0 && (
          <AccountTable
            accounts={accounts}
            own={me.value?.account ?? null}
            onAction={(action, account) => setOpen({ action, account })}
          />
        )}
      </section>
      {open?.action === 'create' && <NewAccountDialog onClose={close} onCreated={reload} />}
      {open?.account && <ActionDialog action={open.action} account={open.account} onClose={close} onChanged={change} />}
    </>
  )
}

interface ActionDialogProps {
  action: AccountAction | 'create'
  account: ListedAccountRecord
  onClose(): void
  onChanged(): void
}

function ActionDialog({ action, ...props }: ActionDialogProps) {
  if (action === 'quota') return <QuotaDialog {...props} />
  if (action === 'reset') return <ResetDialog {...props} />
  if (action === 'disable') return <DisableDialog {...props} />
  if (action === 'enable') return <EnableDialog {...props} />
  return <RemoveAccountDialog {...props} />
}

function matches({ account, name, email }: ListedAccountRecord, search: string): boolean {
  return [account, name ?? '', email ?? ''].some((text) => text.toLowerCase().includes(search.trim()))
}
