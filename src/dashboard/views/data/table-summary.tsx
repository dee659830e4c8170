import { tablePath } from '../../../protocol/routes.js'
import type { TableRecord, TableSummary } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { LazyChart } from '../../parts/lazy-chart.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { formatNumber } from '../../words/format.js'
import { say } from '../../words/say.js'

/** A summary of each column, and the number of rows over time. */
export function TableSummaryView({ table: { name, rows } }: { table: TableRecord }) {
  const { value, error, reload } = useLoaded(`summary ${name} ${rows}`, (signal) =>
    callApi<TableSummary>('GET', tablePath(name, 'summary'), { signal }),
  )
  if (error !== undefined && !value) return <Failed error={error} onRetry={reload} />
  if (!value) return <Loading />
  return (
    <>
      {value.overTime && <OverTime overTime={value.overTime} />}
      <section class="panel" aria-label={say('summary.columns')}>
        <div class="scroll-x">
          <table class="list">
            <thead>
              <tr>
                <th scope="col">{say('table.column')}</th>
                <th scope="col">{say('summary.type')}</th>
                <th scope="col">{say('summary.filled')}</th>
                <th scope="col" class="number">
                  {say('summary.distinct')}
                </th>
                <th scope="col">{say('summary.least')}</th>
                <th scope="col">{say('summary.most')}</th>
              </tr>
            </thead>
            <tbody>
              {value.columns.map((column) => (
                <tr key={column.name}>
                  <th scope="row">{column.name}</th>
                  <td class="dim">{column.type}</td>
                  <td>
                    <Filled nulls={column.nulls} rows={value.rows} />
                  </td>
                  <td class="number">{formatNumber(column.distinct)}</td>
                  <td class="short">{words(column.min)}</td>
                  <td class="short">{words(column.max)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  )
}

function OverTime({ overTime: { column, unit, counts } }: { overTime: NonNullable<TableSummary['overTime']> }) {
  return (
    <section class="panel" aria-labelledby="over-time">
      <header class="panel-head">
        <h2 id="over-time">{say(`summary.by.${unit}`)}</h2>
        <span class="dim">{column}</span>
      </header>
      <LazyChart
        times={counts.map(({ from }) => Date.parse(from) / 1000)}
        values={counts.map(({ rows }) => rows)}
        label={say('summary.chart', { title: say(`summary.by.${unit}`), column })}
        format={formatNumber}
        kind="counts"
      />
    </section>
  )
}

function Filled({ nulls, rows }: { nulls: number; rows: number }) {
  const percent = rows === 0 ? 0 : ((rows - nulls) / rows) * 100
  return (
    <span class="filled" title={say('summary.missing', { nulls, rows })}>
      <span class="filled-bar" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
      {percent === 100 ? '100' : (Math.floor(percent * 10) / 10).toFixed(1)} %
    </span>
  )
}

function words(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
