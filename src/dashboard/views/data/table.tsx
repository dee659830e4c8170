import { useState } from 'preact/hooks'
import { routes, tablePath } from '../../../protocol/routes.js'
import type { TableImport, TableRecord } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { ConfirmDialog } from '../../parts/confirm-dialog.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { toast } from '../../parts/toasts.js'
import { goTo } from '../../router.js'
import { formatShortTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { faultWords } from './import-preview.js'
import { TableRowsView } from './table-rows.js'
import { hrefOfTable, readState, type TableState } from './table-state.js'
import { TableSummaryView } from './table-summary.js'

const parts = ['rows', 'summary', 'imports'] as const

/** One table: its rows, its summary, and its imports. */
export function TableView({ name, query }: { name: string; query: URLSearchParams }) {
  const [isDeleting, setDeleting] = useState(false)
  const state = readState(query)
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
            {say('table.back')}
          </a>
          <h1>{name}</h1>
        </div>
        {value && (
          <button type="button" class="danger" onClick={() => setDeleting(true)}>
            {say('table.delete')}
          </button>
        )}
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading />}
      {value && (
        <>
          <p class="dim">{factsOf(value)}</p>
          <PartChoice name={name} state={state} />
          {state.part === 'rows' && <TableRowsView table={value} state={state} />}
          {state.part === 'summary' && <TableSummaryView table={value} />}
          {state.part === 'imports' && <Imports table={value} onChange={reload} />}
        </>
      )}
      {isDeleting && (
        <ConfirmDialog
          title={say('table.deleteTitle', { table: name })}
          action={say('table.delete')}
          onConfirm={() => removeTable(name)}
          onClose={() => setDeleting(false)}
        >
          {say('table.deleteText')}
        </ConfirmDialog>
      )}
    </>
  )
}

function factsOf({ rows, columns, dateColumn }: TableRecord): string {
  const facts = {
    rows: say('amount.rows', { count: rows }),
    columns: say('table.columnCount', { count: columns.length }),
  }
  return dateColumn === null ? say('table.facts', facts) : say('table.factsDated', { ...facts, date: dateColumn })
}

function PartChoice({ name, state }: { name: string; state: TableState }) {
  return (
    <fieldset class="switch">
      <legend class="hidden">{say('table.part')}</legend>
      {parts.map((part) => (
        <label key={part}>
          <input
            type="radio"
            name="part"
            class="hidden"
            checked={state.part === part}
            onChange={() => goTo(hrefOfTable(name, { ...state, part }))}
          />
          <span>{say(`table.part.${part}`)}</span>
        </label>
      ))}
    </fieldset>
  )
}

async function removeTable(name: string): Promise<void> {
  await callApi('DELETE', tablePath(name))
  goTo(routes.tables)
  toast({ tone: 'good', title: say('table.deleted', { table: name }) })
}

function Imports({ table, onChange }: { table: TableRecord; onChange(): void }) {
  const [removing, setRemoving] = useState<TableImport | null>(null)
  async function remove(id: number) {
    await callApi('DELETE', tablePath(table.name, `imports/${id}`))
    if (table.imports.length === 1) goTo(routes.tables)
    else onChange()
  }
  return (
    <section class="panel" aria-label={say('table.part.imports')}>
      <ul class="plain-list imports">
        {table.imports.map((each) => (
          <li key={each.id}>
            <ImportFacts {...each} />
            <IconButton
              icon="trash"
              tone="careful"
              label={say('table.removeImport', { file: each.file })}
              onClick={() => setRemoving(each)}
            />
          </li>
        ))}
      </ul>
      {removing && (
        <ConfirmDialog
          title={say('table.removeTitle')}
          action={say('table.removeAction')}
          onConfirm={() => remove(removing.id)}
          onClose={() => setRemoving(null)}
        >
          {say('table.removeText', { count: removing.rows, file: removing.file })}
        </ConfirmDialog>
      )}
    </section>
  )
}

function ImportFacts({ file, rows, skipped, notes, importedAt }: TableImport) {
  return (
    <div>
      <FileName name={file} />
      <div class="dim">
        {say('amount.rows', { count: rows })} · {formatShortTime(importedAt)}
        {skipped.count > 0 && ` · ${say('table.skipped', { count: skipped.count })}`}
      </div>
      {notes.map((note) => (
        <div key={note} class="dim small">
          {note}
        </div>
      ))}
      {skipped.first.map((fault) => (
        <div key={fault.line} class="dim small">
          {faultWords(fault)}
        </div>
      ))}
    </div>
  )
}
