import { Component, type ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'

export interface VirtualListProps<T> {
  items: readonly T[]
  keyOf(item: T): string | number
  /** Pixels, of every row unless `heightOf` says otherwise. */
  rowHeight: number
  /** Pixels of a row, if not all have the same height. It changes only with `rowHeight`. */
  heightOf?(item: T): number
  /** Rows of `rowHeight` shown before it scrolls. */
  rowsShown: number
  label: string
  /** Called when the last rows come into view, so that more can be added. */
  onNearEnd?(): void
  /** Of a row. While the list scrolls, a row is not rendered again unless its item changes. */
  children(item: T): ComponentChildren
}

/** A list that renders only the visible rows, so that a thousand rows cost no more than ten. */
export function VirtualList<T>({
  items,
  keyOf,
  rowHeight,
  heightOf,
  rowsShown,
  label,
  onNearEnd,
  children,
}: VirtualListProps<T>) {
  const ref = useRef<HTMLDivElement>(null)
  const ends = useMemo(() => endsOf(items, heightOf ?? (() => rowHeight)), [items, rowHeight])
  const whole = ends.at(-1) ?? 0
  const height = Math.min(whole, rowsShown * rowHeight)
  // A scroll that shows the same rows renders nothing.
  const [top, setTop] = useState(0)
  const seen = rowAt(ends, Math.min(top, whole - height))
  useEffect(() => {
    const box = ref.current
    if (!box) return
    const onScroll = () => setTop(startOf(ends, rowAt(ends, box.scrollTop)))
    onScroll()
    box.addEventListener('scroll', onScroll, { passive: true })
    return () => box.removeEventListener('scroll', onScroll)
  }, [ends])
  const first = Math.max(0, seen - spare)
  const end = Math.min(items.length, rowAt(ends, startOf(ends, seen) + height) + 1 + spare)
  const isNearEnd = first + 2 * rowsShown >= items.length
  useEffect(() => {
    if (isNearEnd) onNearEnd?.()
  }, [isNearEnd, items.length])
  return (
    <div
      ref={ref}
      class="virtual"
      style={{ height: `${height}px` }}
      {...(whole > height ? { tabIndex: 0, role: 'region', 'aria-label': label } : {})}
    >
      <ul class="rows" aria-label={label} style={{ height: `${whole}px` }}>
        {items.slice(first, end).map((item, index) => {
          const at = startOf(ends, first + index)
          return (
            <li
              key={keyOf(item)}
              class="row"
              aria-setsize={items.length}
              aria-posinset={first + index + 1}
              style={{ height: `${ends[first + index]! - at}px`, transform: `translateY(${at}px)` }}
            >
              <Row item={item} show={children as (item: unknown) => ComponentChildren} />
            </li>
          )
        })}
      </ul>
    </div>
  )
}

interface RowProps {
  item: unknown
  show(item: unknown): ComponentChildren
}

class Row extends Component<RowProps> {
  override shouldComponentUpdate({ item, show }: RowProps): boolean {
    return item !== this.props.item || show !== this.props.show
  }

  override render({ item, show }: RowProps) {
    return show(item)
  }
}

/** Where each row ends, in pixels from the top. */
function endsOf<T>(items: readonly T[], heightOf: (item: T) => number): number[] {
  let end = 0
  return items.map((item) => {
    end += heightOf(item)
    return end
  })
}

function startOf(ends: readonly number[], row: number): number {
  return row === 0 ? 0 : ends[row - 1]!
}

/** The row at these pixels from the top; 0 without rows. */
function rowAt(ends: readonly number[], top: number): number {
  let [from, to] = [0, ends.length - 1]
  while (from < to) {
    const middle = (from + to) >> 1
    if (ends[middle]! > top) to = middle
    else from = middle + 1
  }
  return Math.max(0, from)
}

const spare = 3
