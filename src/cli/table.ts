import { visible } from './escape.js'

export interface TextColumn<T> {
  readonly title: string
  readonly align?: 'left' | 'right'
  cell(row: T): string
}

/** Aligned columns with a header line; control characters in cells are escaped. */
export function formatTable<T>(columns: readonly TextColumn<T>[], rows: readonly T[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((c) => visible(c.cell(row))))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index]!))))
  return lines
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index]!, columns[index]!.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A point in time for people: local, to the minute. */
export function formatTime(time: string | null): string {
  if (time === null) return ''
  const date = new Date(time)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function pad(text: string, to: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(to - width(text), 0))
  return align === 'right' ? space + text : text + space
}

function width(text: string): number {
  return [...text].length
}
