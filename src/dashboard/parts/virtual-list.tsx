import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export interface VirtualListProps<T> {
  items: readonly T[]
  keyOf(item: T): string | number
  /** Pixels, the same for all rows. */
  rowHeight: number
  /** Rows shown before it scrolls. */
  rowsShown: number
  label: string
  /** Called when the last rows come into view, so that more can be added. */
  onNearEnd?(): void
  children(item: T): ComponentChildren
}

/** A list that renders only the visible rows, so that a thousand rows cost no more than ten. */
export function VirtualList<T>({
  items,
  keyOf,
  rowHeight,
  rowsShown,
  label,
  onNearEnd,
  children,
}: VirtualListProps<T>) {
  const ref = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  useEffect(() => {
    const box = ref.current
    if (!box) return
    const onScroll = () => setTop(box.scrollTop)
    box.addEventListener('scroll', onScroll, { passive: true })
    return () => box.removeEventListener('scroll', onScroll)
  }, [])
  const height = Math.min(items.length, rowsShown) * rowHeight
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight) - spare, items.length - rowsShown))
  const shown = items.slice(first, first + rowsShown + 2 * spare)
  const scrolls = items.length > rowsShown
  const isNearEnd = first + 2 * rowsShown >= items.length
  useEffect(() => {
    if (isNearEnd) onNearEnd?.()
  }, [isNearEnd, items.length])
  return (
    <div
      ref={ref}
      class="virtual"
      style={{ height: `${height}px` }}
      {...(scrolls ? { tabIndex: 0, role: 'region', 'aria-label': label } : {})}
    >
      <ul class="rows" aria-label={label} style={{ height: `${items.length * rowHeight}px` }}>
        {shown.map((item, index) => (
          <li
            key={keyOf(item)}
            class="row"
            aria-setsize={items.length}
            aria-posinset={first + index + 1}
            style={{ height: `${rowHeight}px`, transform: `translateY(${(first + index) * rowHeight}px)` }}
          >
            {children(item)}
          </li>
        ))}
      </ul>
    </div>
  )
}

const spare = 3
