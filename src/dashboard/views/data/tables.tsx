import { useEffect, useState } from 'preact/hooks'
import { routes, tablePath } from '../../../protocol/routes.js'
import type { TableList, TableRecord } from '../../../protocol/tables.js'
import { callApi, Refusal } from '../../api.js'
import { features } from '../../features.js'
import { isMine, onJobEnd } from '../../live/job-store.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { PickDialog } from '../../parts/pick-dialog.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { goTo } from '../../router.js'
import { phrase, say } from '../../words/say.js'
import { importHref } from './import-options.js'
import { ImportsUnderWay } from './imports-under-way.js'
import { QueryBox } from './query-box.js'

/** The tables, the running imports, and the query box. */
export function AllTables({ sql }: { sql: string }) {
  const { value, error, reload } = useLoaded(
    'tables',
    (signal) => callApi<TableList>('GET', routes.tables, { signal }),
    {
      watch: true,
    },
  )
  const [isPicking, setPicking] = useState(false)
  useImportEnds(reload)
  const isUnavailable = error instanceof Refusal && error.code === 'tables-unavailable'
  return (
    <>
      <header class="view-head">
        <h1>{say('view.data')}</h1>
        <button type="button" class="primary" onClick={() => setPicking(true)}>
          <Icon name="import" />
          {say('data.import')}
        </button>
      </header>
      {isPicking && (
        <PickDialog
          title={say('data.pick')}
          fileAction={(name) => say('data.pickFile', { name })}
          onPick={(name) => goTo(importHref(name))}
          onClose={() => setPicking(false)}
        />
      )}
      <ImportsUnderWay />
      <section class="panel" aria-label={say('data.tables')}>
        {isUnavailable && (
          <Empty icon="table" title={say('data.unavailable')}>
            {error.message}
          </Empty>
        )}
        {error !== undefined && !isUnavailable && !value && <Failed error={error} onRetry={reload} />}
        {!value && error === undefined && <Loading rows={3} />}
        {value?.tables.length === 0 && (
          <Empty icon="table" title={say('data.none')}>
            {phrase('data.noneHint', { files: <a href="/files/">{say('view.files')}</a> })}
          </Empty>
        )}
        {value && value.tables.length > 0 && (
          <ul class="plain-list tables">
            {value.tables.map((table) => (
              <li key={table.name}>
                <TableLink table={table} />
              </li>
            ))}
          </ul>
        )}
      </section>
      {value && value.tables.length > 0 && features.value?.queries !== false && (
        <QueryBox tables={value.tables} asked={sql} />
      )}
    </>
  )
}

function TableLink({ table: { name, rows, columns, imports } }: { table: TableRecord }) {
  return (
    <a class="table-link" href={tablePath(name)}>
      <span class="kind-icon small">
        <Icon name="table" />
      </span>
      <span class="table-words">
        <strong>{name}</strong>
        <span class="dim">
          {say('table.facts', {
            rows: say('amount.rows', { count: rows }),
            columns: say('table.columnCount', { count: columns.length }),
          })}{' '}
          · {say('data.imports', { count: imports.length })}
        </span>
      </span>
      <Icon name="chevron" />
    </a>
  )
}

/** New tables appear automatically. */
function useImportEnds(reload: () => void): void {
  useEffect(
    () =>
      onJobEnd((job) => {
        if (job.kind === 'import' && isMine(job)) reload()
      }),
    [reload],
  )
}
