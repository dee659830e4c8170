import type { Column } from '../../../protocol/tables.js'

const isNumber = /^(integer|double|decimal)/

/** Rows under their columns; numbers are right-aligned, nulls are marked. */
export function RowTable({
  columns,
  rows,
  label,
}: {
  columns: Column[]
  rows: Record<string, unknown>[]
  label: string
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll-x" tabIndex={0} aria-label={label}>
      <table class="list data">
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th key={name} scope="col" class={isNumber.test(type) ? 'number' : ''} title={type}>
                {name}
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
