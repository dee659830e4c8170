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
    <nav class="pager" aria-label={`Pages of ${label}`}>
      <button type="button" disabled={!onBack} onClick={() => onBack?.()}>
        <span class="flip">
          <Icon name="chevron" />
        </span>
        Back
      </button>
      <span>Page {page}</span>
      <button type="button" disabled={!onNext} onClick={() => onNext?.()}>
        Next
        <Icon name="chevron" />
      </button>
    </nav>
  )
}
