/** How much of something is used: a part from 0 to 1, as a bar that warns when little is left. */
export function UsedBar({ part, label }: { part: number; label: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers do not let a <meter> look like the other bars
    <div
      class={`bar ${part >= 0.9 ? 'bad' : 'upload'}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(part * 100)}
    >
      <div class="bar-fill" style={{ transform: `scaleX(${part})` }} />
    </div>
  )
}
