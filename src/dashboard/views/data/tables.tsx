import { useEffect, useState } from 'preact/hooks'
import { routes, tablePath } from '../../../protocol/routes.js'
import type { TableList, TableRecord } from '../../../protocol/tables.js'
import { callApi, Refusal } from '../../api.js'
import { count } from '../../labels.js'
import { isMine, myLiveJobs, onJobEnd } from '../../live/job-store.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { say } from '../../words/say.js'
import { JobDetails } from '../transfers/job-details.js'
import { JobRow } from '../transfers/job-row.js'
import { QueryBox } from './query-box.js'
import { TableView } from './table.js'

/** The tables, the running imports, and the query box; or one table. */
export function TablesView({ name }: { name: string }) {
  return name === '' ? <AllTables /> : <TableView name={name} />
}

function AllTables() {
  const { value, error, reload } = useLoaded(
    'tables',
    (signal) => callApi<TableList>('GET', routes.tables, { signal }),
    {
      watch: true,
    },
  )
  useImportEnds(reload)
  const isUnavailable = error instanceof Refusal && error.code === 'tables-unavailable'
  return (
    <>
      <header class="view-head">
        <h1>{say('view.data')}</h1>
      </header>
      <ImportsUnderWay />
      <section class="panel" aria-label="My tables">
        {isUnavailable && (
          <Empty icon="table" title="Tables are not available here">
            {error.message}
          </Empty>
        )}
        {error !== undefined && !isUnavailable && !value && <Failed error={error} onRetry={reload} />}
        {!value && error === undefined && <Loading rows={3} />}
        {value?.tables.length === 0 && (
          <Empty icon="table" title="No tables yet">
            Upload a CSV under <a href="/files/">Files</a> and import it from there. From a terminal:{' '}
            <code>filejobs import FILE</code>
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
      {value && value.tables.length > 0 && <QueryBox tables={value.tables} />}
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
          {count(rows, 'row')} · {count(columns.length, 'column')} · {count(imports.length, 'import')}
        </span>
      </span>
      <Icon name="chevron" />
    </a>
  )
}

/** Opens the details of each, which stay open after the import ends. */
function ImportsUnderWay() {
  const [opened, setOpened] = useState<string | null>(null)
  const imports = myLiveJobs.value.filter(({ record }) => record.kind === 'import')
  return (
    <>
      {imports.length > 0 && (
        <section class="panel" aria-labelledby="imports">
          <header class="panel-head">
            <h2 id="imports">Importing</h2>
          </header>
          <ul class="plain-list">
            {imports.map((job) => (
              <li key={job.record.id}>
                <JobRow job={job} showAccount={false} onOpen={setOpened} onLimit={hasNoRate} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {opened && <JobDetails key={opened} id={opened} onClose={() => setOpened(null)} onLimit={hasNoRate} />}
    </>
  )
}

/** Only transfers can be limited: an import has no button for it. */
function hasNoRate(): void {}

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
