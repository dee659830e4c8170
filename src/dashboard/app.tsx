import { useEffect } from 'preact/hooks'
import type { AccountRecord } from '../protocol/accounts.js'
import { mayUse, seesEveryJob } from './access.js'
import { me, signOut, unreachable } from './account.js'
import { myLiveJobs } from './live/job-store.js'
import { connection, followJobs } from './live/shared-stream.js'
import { Icon, type IconName } from './parts/icon.js'
import { Loading } from './parts/states.js'
import { Toasts, toastError } from './parts/toasts.js'
import { hrefOf, route, type View, views } from './route.js'
import { theme, themes } from './theme.js'
import { warnWhileBusy } from './uploads/upload-queue.js'
import { AccountView } from './views/account.js'
import { FilesView } from './views/files.js'
import { JobsView } from './views/jobs.js'
import { LinksView } from './views/links.js'
import { PublishedView } from './views/published.js'
import { SignIn } from './views/sign-in.js'
import { TablesView } from './views/tables.js'

/** The page: the sign-in form, or one of the views. */
export function App() {
  const account = me.value
  if (account === undefined) return <Starting />
  if (account === null) {
    return (
      <>
        <SignIn />
        <Toasts />
      </>
    )
  }
  return <Shell key={account.account} {...account} />
}

function Starting() {
  return (
    <main class="starting">
      {unreachable.value ? <p role="alert">The server does not answer. Trying again …</p> : <Loading rows={3} />}
    </main>
  )
}

function Shell({ account, role }: Pick<AccountRecord, 'account' | 'role'>) {
  const isAdmin = seesEveryJob(role)
  const open = views.filter((view) => mayUse(role, routesOfViews[view]))
  useEffect(() => followJobs({ account, isAdmin }), [account, isAdmin])
  useEffect(() => warnWhileBusy(), [])
  const { view: wanted, rest } = route.value
  const view = open.includes(wanted) ? wanted : 'files'
  useEffect(() => {
    document.title = `${names[view]} · filejobs`
  }, [view])
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <Sidebar account={account} open={open} current={view} />
      <div class="content">
        {connection.value === 'offline' && <OfflineNote />}
        <main id="main" tabIndex={-1}>
          {view === 'files' &&
            (mayUse(role, 'GET /published/{ops}') ? (
              <PublishedView ops={wanted === view ? rest : ''} />
            ) : (
              <FilesView />
            ))}
          {view === 'jobs' && <JobsView isAdmin={isAdmin} />}
          {view === 'tables' && <TablesView key={rest} name={rest} />}
          {view === 'links' && <LinksView />}
          {view === 'account' && <AccountView />}
        </main>
      </div>
      <Toasts />
    </div>
  )
}

function Sidebar({ account, open, current }: { account: string; open: readonly View[]; current: View }) {
  const running = myLiveJobs.value.filter(({ endedAt }) => endedAt === null).length
  return (
    <aside class="sidebar">
      <a class="brand" href="#/files">
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <span>filejobs</span>
      </a>
      <nav aria-label="Views">
        {open.map((view) => (
          <a key={view} href={hrefOf(view)} {...(view === current ? { 'aria-current': 'page' } : {})}>
            <Icon name={icons[view]} />
            <span>{names[view]}</span>
            {view === 'jobs' && running > 0 && (
              <span class="badge">
                {running}
                <span class="hidden"> running</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="sidebar-end">
        <ConnectionLight />
        <ThemeChoice />
        <a class="api-link" href="/docs" aria-label="API" title="API">
          <Icon name="book" />
          <span>API</span>
        </a>
        <div class="who">
          <span class="who-name" title={account}>
            {account}
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label="Sign out"
            title="Sign out"
            onClick={() => signOut().catch((error) => toastError('Not signed out', error))}
          >
            <Icon name="out" />
          </button>
        </div>
      </div>
    </aside>
  )
}

function ConnectionLight() {
  const words = { connecting: 'Connecting …', live: 'Live', offline: 'Offline' }[connection.value]
  return (
    <p class={`light ${connection.value}`} role="status" title={words}>
      <span>{words}</span>
    </p>
  )
}

function OfflineNote() {
  return (
    <p class="offline-note" role="alert">
      <Icon name="alert" />
      The server does not answer. What you see may be old; the page comes back to life by itself.
    </p>
  )
}

function ThemeChoice() {
  return (
    <fieldset class="theme">
      <legend class="hidden">Colours</legend>
      {themes.map((name) => (
        <label key={name} title={themeWords[name]}>
          <input
            type="radio"
            name="theme"
            class="hidden"
            checked={theme.value === name}
            onChange={() => {
              theme.value = name
            }}
          />
          <Icon name={themeIcons[name]} />
          <span class="hidden">{themeWords[name]}</span>
        </label>
      ))}
    </fieldset>
  )
}

const names: Record<View, string> = {
  files: 'Files',
  jobs: 'Jobs',
  tables: 'Tables',
  links: 'Links',
  account: 'Account',
}

/** A view is offered to the accounts that may use its route. */
const routesOfViews = {
  files: 'GET /files',
  jobs: 'GET /jobs',
  tables: 'POST /import',
  links: 'POST /shares',
  account: 'GET /auth/me',
} as const satisfies Record<View, Parameters<typeof mayUse>[1]>

const icons: Record<View, IconName> = {
  files: 'folder',
  jobs: 'jobs',
  tables: 'table',
  links: 'link',
  account: 'person',
}

const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const
const themeWords = { auto: 'Colours of the system', light: 'Light', dark: 'Dark' } as const
