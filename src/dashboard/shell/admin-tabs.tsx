import type { View } from '../views/view.js'
import { say } from '../words/say.js'

/** The views for admins, which share one entry of the rail. */
export function AdminTabs({ offered, current }: { offered: readonly View[]; current: View }) {
  return (
    <nav class="tabs" aria-label={say('view.admin')}>
      {offered
        .filter(({ place }) => place === 'administration')
        .map((view) => (
          <a key={view.href} href={view.href} {...(view === current ? { 'aria-current': 'page' } : {})}>
            {say(view.name)}
          </a>
        ))}
    </nav>
  )
}
