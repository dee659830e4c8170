import type { ComponentChildren } from 'preact'
import { errorText } from '../api.js'
import { say } from '../words/say.js'
import { Icon, type IconName } from './icon.js'

/** Shown for an empty list: what is missing, and what to do. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children && <div class="empty-text">{children}</div>}
    </div>
  )
}

/** A placeholder while loading. */
export function Loading({ rows = 5 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label={say('states.loading')}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="loading-row" />
      ))}
    </div>
  )
}

export function Failed({ error, onRetry }: { error: unknown; onRetry(): void }) {
  return (
    <div class="empty failed" role="alert">
      <span class="empty-icon">
        <Icon name="alert" />
      </span>
      <h2>{say('states.notLoaded')}</h2>
      <div class="empty-text">{errorText(error)}</div>
      <button type="button" onClick={onRetry}>
        {say('states.tryAgain')}
      </button>
    </div>
  )
}
