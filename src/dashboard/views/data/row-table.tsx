import type { Column } from '../../../protocol/tables.js'

const isNumber = /^(integer|double|decimal)/

export interface RowTableProps {
  columns: Column[]
  rows: Record<string, unknown>[]
  label: string
  /** The column by which they are sorted; its name is empty without one. */
  sort?: { name: string; isDescending: boolean }
  /** Called with the name of a column whose head was chosen. */
  onSort?(name: string): void
}

/** Rows under their columns, whose heads stay in sight; numbers are right-aligned, nulls are marked. */
export function RowTable({ columns, rows, label, sort, onSort }: RowTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll-x grid" tabIndex={0} aria-label={label}>
      <table class="list data">
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th
                key={name}
                scope="col"
                class={isNumber.test(type) ? 'number' : ''}
                title={type}
                aria-sort={sort?.name === name ? (sort.isDescending ? 'descending' : 'ascending') : undefined}
              >
                {onSort ? (
                  <button type="button" class="sort" onClick={() => onSort(name)}>
                    {name}
                  </button>
                ) : (
                  name
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map(({ name, type }) => (
                <td key={name} class={isNumber.test(type) ? 'number' : ''}>
                  <Cell value={row[name]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span class="null">null</span>
  return <bdi>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</bdi>
}
