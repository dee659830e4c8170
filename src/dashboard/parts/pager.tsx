import { say } from '../words/say.js'
import { Icon } from './icon.js'

export interface PagerProps {
  page: number
  /** null if there is no previous or next page. */
  onBack: (() => void) | null
  onNext: (() => void) | null
  /** The name of the list, for screen readers. */
  label: string
}

/** Nothing if everything fits on one page. */
export function Pager({ page, onBack, onNext, label }: PagerProps) {
  if (!onBack && !onNext) return null
  return (
    <nav class="pager" aria-label={say('states.pagesOf', { what: label })}>
      <button type="button" disabled={!onBack} onClick={() => onBack?.()}>
        <span class="flip">
          <Icon name="chevron" />
        </span>
        {say('states.back')}
      </button>
      <span>{say('states.page', { page })}</span>
      <button type="button" disabled={!onNext} onClick={() => onNext?.()}>
        {say('states.next')}
        <Icon name="chevron" />
      </button>
    </nav>
  )
}
