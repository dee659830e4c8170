export interface BarProps {
  /** 0 to 100; null if the total is unknown. */
  percent: number | null
  label: string
  tone?: 'upload' | 'export' | 'import' | 'query' | 'held' | 'bad' | 'done'
}

/** A progress bar. */
export function Bar({ percent, label, tone = 'upload' }: BarProps) {
  const known = percent === null ? {} : { 'aria-valuenow': Math.round(percent) }
  return (
    <div
      class={`bar ${tone}${percent === null ? ' unknown' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...known}
    >
      <div class="bar-fill" style={{ transform: `scaleX(${(percent ?? 30) / 100})` }} />
    </div>
  )
}
