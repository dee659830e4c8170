import { useRef, useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { QueryAnswer, TableRecord } from '../../../protocol/tables.js'
import { callApi, errorText } from '../../api.js'
import { count } from '../../labels.js'
import { RowTable } from './row-table.js'

/** Queries the account's own tables by SQL. */
export function QueryBox({ tables }: { tables: TableRecord[] }) {
  const [sql, setSql] = useState(`select * from ${tables[0]?.name ?? 'table'} limit 20`)
  const [answer, setAnswer] = useState<QueryAnswer | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [running, setRunning] = useState<AbortController | null>(null)
  const form = useRef<HTMLFormElement>(null)

  async function submit(event: Event) {
    event.preventDefault()
    const abort = new AbortController()
    setRunning(abort)
    setError(null)
    try {
      setAnswer(await callApi<QueryAnswer>('POST', routes.query, { json: { sql }, signal: abort.signal }))
    } catch (failure) {
      setAnswer(null)
      if (!abort.signal.aborted) setError(errorText(failure))
    } finally {
      setRunning(null)
    }
  }

  return (
    <section class="panel" aria-labelledby="query">
      <header class="panel-head">
        <h2 id="query">Query</h2>
        <span class="dim">SQL, read only, over your own tables</span>
      </header>
      <form ref={form} onSubmit={submit} class="stack">
        <textarea
          aria-label="SQL"
          class="sql"
          rows={Math.min(12, Math.max(3, sql.split('\n').length))}
          value={sql}
          spellcheck={false}
          onInput={(event) => setSql(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit()
          }}
        />
        <div class="buttons query-buttons">
          {running ? (
            <button type="button" class="danger" onClick={() => running.abort()}>
              Stop
            </button>
          ) : (
            <button type="submit" class="primary">
              Run
            </button>
          )}
          <span class="dim hint">Ctrl+Enter runs it</span>
        </div>
      </form>
      {error && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      {answer && (
        <div role="status">
          <p class="dim">
            {count(answer.results.length, 'row')}
            {answer.truncated && ', cut: there are more'}
          </p>
        </div>
      )}
      {answer && answer.results.length > 0 && (
        <RowTable columns={answer.columns} rows={answer.results} label="Answer" />
      )}
    </section>
  )
}
