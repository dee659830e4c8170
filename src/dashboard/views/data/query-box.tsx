import { useEffect, useRef, useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { QueryAnswer, TableRecord } from '../../../protocol/tables.js'
import { me } from '../../account.js'
import { callApi, errorText } from '../../api.js'
import { goTo, hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import { AnswerExport } from './answer-export.js'
import { openKeptQueries } from './kept-queries.js'
import { KeptQueryMenu } from './kept-query-menu.js'
import { type ErrorPlace, placeOfError, wordsOfError } from './query-error.js'
import { RowTable } from './row-table.js'
import { SqlField } from './sql-field.js'

interface QueryError {
  words: string
  place: ErrorPlace | undefined
  /** The line that it is about. */
  line: string
}

/** Queries the account's own tables by SQL. `asked` is the query that the address has; empty if it has none. */
export function QueryBox({ tables, asked }: { tables: TableRecord[]; asked: string }) {
  const kept = openKeptQueries(me.value?.account ?? '')
  const [given, setGiven] = useState({ text: asked || `select * from ${tables[0]?.name ?? 'table'} limit 20` })
  const [sql, setSql] = useState(given.text)
  const { answer, ran, error, running, run } = useQuery()
  const form = useRef<HTMLFormElement>(null)
  const replace = (text: string) => {
    setSql(text)
    setGiven({ text })
  }
  useEffect(() => {
    if (asked !== '' && asked !== sql) replace(asked)
  }, [asked])

  async function submit(event: Event) {
    event.preventDefault()
    kept.note(sql)
    goTo(hrefWith({ sql }), { replace: asked === '' || asked === sql })
    await run(sql)
  }

  return (
    <section class="panel" aria-labelledby="query">
      <header class="panel-head">
        <h2 id="query">{say('query.title')}</h2>
        <span class="dim">{say('query.hint')}</span>
      </header>
      <form ref={form} onSubmit={submit} class="stack">
        <SqlField
          value={sql}
          given={given}
          tables={tables}
          label={say('query.sql')}
          error={error?.words ?? null}
          caret={error?.place?.offset}
          onChange={setSql}
          onRun={() => form.current?.requestSubmit()}
        />
        <div class="buttons query-buttons">
          {running ? (
            <button type="button" class="danger" onClick={() => running.abort()}>
              {say('query.stop')}
            </button>
          ) : (
            <button type="submit" class="primary">
              {say('query.run')}
            </button>
          )}
          <KeptQueryMenu kept={kept} sql={sql} onChoose={replace} />
          <span class="dim hint">{say('query.keys')}</span>
        </div>
      </form>
      {error && <ErrorWords error={error} />}
      {answer && (
        <p class="dim" role="status">
          {say(answer.truncated ? 'query.cut' : 'amount.rows', { count: answer.results.length })}
        </p>
      )}
      {answer && answer.results.length > 0 && ran !== null && <AnswerExport sql={ran} />}
      {answer && answer.results.length > 0 && (
        <RowTable columns={answer.columns} rows={answer.results} label={say('query.answer')} />
      )}
    </section>
  )
}

function useQuery() {
  const [answer, setAnswer] = useState<QueryAnswer | null>(null)
  const [error, setError] = useState<QueryError | null>(null)
  const [running, setRunning] = useState<AbortController | null>(null)
  const [ran, setRan] = useState<string | null>(null)
  async function run(sql: string) {
    const abort = new AbortController()
    setRunning(abort)
    setError(null)
    try {
      setAnswer(await callApi<QueryAnswer>('POST', routes.query, { json: { sql }, signal: abort.signal }))
      setRan(sql)
    } catch (failure) {
      setAnswer(null)
      if (!abort.signal.aborted) setError(queryErrorOf(errorText(failure), sql))
    } finally {
      setRunning(null)
    }
  }
  return { answer, ran, error, running, run }
}

/** What is wrong, and the line with a mark below the place. */
function ErrorWords({ error: { words, place, line } }: { error: QueryError }) {
  return (
    <div id="query-error" class="form-error query-error" role="alert">
      <span>{words}</span>
      {place && (
        <pre>
          {say('query.line', { line: place.line })}
          {line}
        </pre>
      )}
    </div>
  )
}

function queryErrorOf(message: string, sql: string): QueryError {
  const place = placeOfError(message, sql)
  if (!place) return { words: message, place, line: '' }
  const line = sql.split('\n')[place.line - 1] ?? ''
  const column = place.offset - (sql.lastIndexOf('\n', place.offset - 1) + 1)
  return { words: wordsOfError(message), place, line: `\n${line}\n${' '.repeat(column)}^` }
}
