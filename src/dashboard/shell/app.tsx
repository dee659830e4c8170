import { useEffect, useRef } from 'preact/hooks'
import type { OwnAccountRecord } from '../../protocol/accounts.js'
import { seesEveryJob } from '../access.js'
import { me, unreachable } from '../account.js'
import { features } from '../features.js'
import { connection, followJobs } from '../live/shared-stream.js'
import { Icon } from '../parts/icon.js'
import { Loading } from '../parts/states.js'
import { StopDialog } from '../parts/stop-dialog.js'
import { Toasts } from '../parts/toasts.js'
import { address, goTo } from '../router.js'
import { titleMark } from '../tray/ends.js'
import { Tray } from '../tray/tray.js'
import { warnWhileBusy } from '../uploads/upload-queue.js'
import { SignIn } from '../views/account/sign-in.js'
import { allViews } from '../views/all-views.js'
import { findView, offeredViews } from '../views/find-view.js'
import { say } from '../words/say.js'
import { AdminTabs } from './admin-tabs.js'
import { Rail } from './rail.js'

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
      {unreachable.value ? <p role="alert">{say('shell.unreachable')}</p> : <Loading rows={3} />}
    </main>
  )
}

function Shell({ account, role }: Pick<OwnAccountRecord, 'account' | 'role'>) {
  const isAdmin = seesEveryJob(role)
  const offered = offeredViews(allViews, role, features.value)
  useEffect(() => followJobs({ account, isAdmin }), [account, isAdmin])
  useEffect(() => warnWhileBusy(), [])
  useEffect(() => ignoreDrops(), [])
  const found = findView(offered, address.value)
  const home = offered[0]!.href
  useEffect(() => {
    // `/`, and addresses of what this account or this server does not have.
    if (!found) goTo(home, { replace: true })
  }, [found === undefined])
  const title = found && (found.view.titleOf?.(found.at) || say(found.view.name))
  useEffect(() => {
    if (title) document.title = titleMark.value + say('shell.title', { view: title })
  }, [title, titleMark.value])
  useArrival(`${found?.view.href} ${title}`)
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {say('shell.skip')}
      </button>
      <Rail account={account} offered={offered} current={found?.view} />
      <div class="content">
        {connection.value === 'offline' && <OfflineNote />}
        <main id="main" tabIndex={-1}>
          {found?.view.place === 'administration' && <AdminTabs offered={offered} current={found.view} />}
          {found?.view.show(found.at)}
        </main>
        <div class="dock">
          <Toasts />
          <Tray />
        </div>
      </div>
      <StopDialog />
    </div>
  )
}

/** Where no view takes it, the browser would leave the page for a file that is dropped. Views are asked later. */
function ignoreDrops(): () => void {
  const ignore = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'none'
  }
  document.documentElement.addEventListener('dragover', ignore)
  document.documentElement.addEventListener('drop', ignore)
  return () => {
    document.documentElement.removeEventListener('dragover', ignore)
    document.documentElement.removeEventListener('drop', ignore)
  }
}

/** After a navigation, the page is seen from its top, and the heading of the view tells those who listen where they are. */
function useArrival(place: string): void {
  const before = useRef(place)
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    if (!address.peek().isReturn) scrollTo(0, 0)
    if (document.querySelector('dialog[open]')) return
    const heading = document.querySelector<HTMLElement>('#main h1')
    if (heading) heading.tabIndex = -1
    // A view that is still being loaded takes the focus from there.
    const target = heading ?? document.getElementById('main')
    target?.focus({ preventScroll: true })
  }, [place])
}

function OfflineNote() {
  return (
    <p class="offline-note" role="alert">
      <Icon name="alert" />
      {say('shell.offlineNote')}
    </p>
  )
}
