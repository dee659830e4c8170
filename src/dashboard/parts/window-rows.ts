import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

export interface RowRange {
  /** The first row to render. */
  first: number
  /** The row after the last one. */
  end: number
}

/**
 * Which rows of a list that scrolls with the page are seen, with some more on both sides. All rows have the same height,
 * in pixels.
 */
export function useWindowRows(list: RefObject<HTMLElement | null>, count: number, rowHeight: number): RowRange {
  const [range, setRange] = useState<RowRange>({ first: 0, end: Math.min(count, spare * 4) })
  useLayoutEffect(() => {
    const look = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0
      const from = Math.floor(-top / rowHeight) - spare
      const first = Math.max(0, Math.min(from, count - 1))
      const end = Math.min(count, Math.max(0, from) + Math.ceil(innerHeight / rowHeight) + 2 * spare)
      setRange((before) => (before.first === first && before.end === end ? before : { first, end }))
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [count, rowHeight])
  return range
}

const spare = 8
