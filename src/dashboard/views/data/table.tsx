import { useState } from 'preact/hooks'
import { routes, tablePath } from '../../../protocol/routes.js'
import type { TableRecord } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { count } from '../../labels.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { toast, toastError } from '../../parts/toasts.js'
import { goTo } from '../../router.js'
import { formatShortTime } from '../../words/format.js'
import { TableRowsView } from './table-rows.js'
import { TableSummaryView } from './table-summary.js'

const parts = ['Rows', 'Summary', 'Imports'] as const

/** One table: its rows, its summary, and its imports. */
export function TableView({ name }: { name: string }) {
  const [part, setPart] = useState<(typeof parts)[number]>('Rows')
  const { value, error, reload } = useLoaded(
    `table ${name}`,
    (signal) => callApi<TableRecord>('GET', tablePath(name), { signal }),
    { watch: true },
  )
  return (
    <>
      <header class="view-head">
        <div>
          <a class="back" href={routes.tables}>
            Tables
          </a>
          <h1>{name}</h1>
        </div>
        {value && (
          <button type="button" class="danger" onClick={() => removeTable(name)}>
            Delete table
          </button>
        )}
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading />}
      {value && (
        <>
          <p class="dim">
            {count(value.rows, 'row')} · {count(value.columns.length, 'column')}
            {value.dateColumn && ` · by ${value.dateColumn}`}
          </p>
          <fieldset class="switch">
            <legend class="hidden">Part</legend>
            {parts.map((one) => (
              <label key={one}>
                <input type="radio" name="part" class="hidden" checked={part === one} onChange={() => setPart(one)} />
                <span>{one}</span>
              </label>
            ))}
          </fieldset>
          {part === 'Rows' && <TableRowsView table={value} />}
          {part === 'Summary' && <TableSummaryView table={value} />}
          {part === 'Imports' && <Imports table={value} onChange={reload} />}
        </>
      )}
    </>
  )
}

async function removeTable(name: string): Promise<void> {
  if (!confirm(`Delete the table ${name} with all its rows? The files that they came from stay.`)) return
  try {
    await callApi('DELETE', tablePath(name))
    goTo(routes.tables)
    toast({ tone: 'good', title: `Deleted the table ${name}` })
  } catch (error) {
    toastError('Not deleted', error)
  }
}

function Imports({ table, onChange }: { table: TableRecord; onChange(): void }) {
  async function remove(id: number) {
    if (!confirm('Remove the rows of this import?')) return
    try {
      await callApi('DELETE', tablePath(table.name, `imports/${id}`))
      if (table.imports.length === 1) goTo(routes.tables)
      else onChange()
    } catch (error) {
      toastError('Not removed', error)
    }
  }
  return (
    <section class="panel" aria-label="Imports">
      <ul class="plain-list imports">
        {table.imports.map(({ id, file, rows, skipped, notes, importedAt }) => (
          <li key={id}>
            <div>
              <FileName name={file} />
              <div class="dim">
                {count(rows, 'row')} · {formatShortTime(importedAt)}
                {skipped.count > 0 && ` · ${count(skipped.count, 'bad line')} skipped`}
              </div>
              {notes.map((note) => (
                <div key={note} class="dim small">
                  {note}
                </div>
              ))}
              {skipped.first.map(({ line, reason }) => (
                <div key={line} class="dim small">
                  line {line}: {reason}
                </div>
              ))}
            </div>
            <IconButton icon="trash" tone="careful" label={`Remove the import of ${file}`} onClick={() => remove(id)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
