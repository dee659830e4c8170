import { Icon } from './icon.js'

export interface PagerProps {
  page: number
  /** null where there is none before, or after. */
  onBack: (() => void) | null
  onNext: (() => void) | null
  /** What is paged, for those who listen. */
  label: string
}

/** Nothing where all fits on one page. */
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
