import { myLiveJobs } from '../live/job-store.js'
import { connection } from '../live/shared-stream.js'
import { Icon, type IconName } from '../parts/icon.js'
import type { View } from '../views/view.js'
import { say } from '../words/say.js'
import { AccountMenu } from './account-menu.js'

interface RailProps {
  account: string
  offered: readonly View[]
  current: View | undefined
}

/** The way to each view, and who is signed in. */
export function Rail({ account, offered, current }: RailProps) {
  const running = myLiveJobs.value.filter(({ endedAt }) => endedAt === null).length
  const inRail = offered.filter(({ place }) => place === 'rail')
  const admin = offered.find(({ place }) => place === 'administration')
  return (
    <aside class="rail">
      <a class="brand" href={offered[0]!.href}>
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <span>filejobs</span>
      </a>
      <nav aria-label={say('shell.views')}>
        {inRail.map((view) => (
          <RailLink
            key={view.href}
            href={view.href}
            icon={view.icon}
            name={say(view.name)}
            isCurrent={view === current}
          >
            {view.name === 'view.transfers' && running > 0 && <Badge running={running} />}
          </RailLink>
        ))}
        {admin && (
          <RailLink
            href={admin.href}
            icon="shield"
            name={say('view.admin')}
            isCurrent={current?.place === 'administration'}
          />
        )}
      </nav>
      <div class="rail-end">
        <ConnectionLight />
        <AccountMenu account={account} views={offered.filter(({ place }) => place === 'menu')} />
      </div>
    </aside>
  )
}

interface RailLinkProps {
  href: string
  icon: IconName
  name: string
  isCurrent: boolean
  children?: preact.ComponentChildren
}

function RailLink({ href, icon, name, isCurrent, children }: RailLinkProps) {
  return (
    <a href={href} {...(isCurrent ? { 'aria-current': 'page' } : {})}>
      <Icon name={icon} />
      <span>{name}</span>
      {children}
    </a>
  )
}

function Badge({ running }: { running: number }) {
  return (
    <span class="badge">
      <span aria-hidden="true">{running}</span>
      <span class="hidden"> {say('shell.running', { count: running })}</span>
    </span>
  )
}

function ConnectionLight() {
  const words = say(connectionWords[connection.value])
  return (
    <p class={`light ${connection.value}`} role="status" title={words}>
      <span>{words}</span>
    </p>
  )
}

const connectionWords = { connecting: 'shell.connecting', live: 'shell.live', offline: 'shell.offline' } as const
