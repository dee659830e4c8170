import { useState } from 'preact/hooks'
import { csrfHeader, routes } from '../../../protocol/routes.js'
import { refusalOf } from '../../api.js'
import { toastError } from '../../parts/toasts.js'
import { say } from '../../words/say.js'

const formats = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
} as const

/** All rows of a query's answer as a file, also those that are not shown. The browser keeps it until it is saved. */
export function AnswerExport({ sql }: { sql: string }) {
  const [isBusy, setBusy] = useState(false)

  async function save(format: keyof typeof formats) {
    setBusy(true)
    try {
      saveAs(await allRows(sql, formats[format]), `query.${format}`)
    } catch (error) {
      toastError(say('query.notExported'), error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div class="table-tools">
      <span class="dim">{say(isBusy ? 'query.exporting' : 'query.export')}</span>
      {(['csv', 'ndjson', 'parquet'] as const).map((format) => (
        <button key={format} type="button" disabled={isBusy} onClick={() => save(format)}>
          {say(`table.as.${format}`)}
        </button>
      ))}
    </div>
  )
}

async function allRows(sql: string, accept: string): Promise<Blob> {
  const answer = await fetch(routes.query, {
    method: 'POST',
    headers: { Accept: accept, 'Content-Type': 'application/json', [csrfHeader]: '1', Prefer: 'wait=30' },
    body: JSON.stringify({ sql }),
  })
  if (!answer.ok) throw refusalOf(answer.status, await answer.text(), routes.query)
  return answer.blob()
}

function saveAs(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
