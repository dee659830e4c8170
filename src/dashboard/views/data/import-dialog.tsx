import { useState } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { announceImport } from '../../parts/announce-import.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { goTo } from '../../router.js'

/** Starts the import of a CSV into a table. Its progress is shown with the tables and the jobs. */
export function ImportDialog({ name, onClose }: { name: string; onClose(): void }) {
  const [table, setTable] = useState('')
  const [dateColumn, setDateColumn] = useState('')
  const [skipBadLines, setSkipBadLines] = useState(false)

  async function beginImport() {
    const json = {
      filename: name,
      ...(table.trim() ? { table: table.trim() } : {}),
      ...(dateColumn.trim() ? { dateColumn: dateColumn.trim() } : {}),
      ...(skipBadLines ? { skipBadLines } : {}),
    }
    announceImport(await callApi<JobRecord>('POST', routes.import, { json }))
    onClose()
    goTo(routes.tables)
  }

  return (
    <Dialog title="Import as a table" onClose={onClose}>
      <p class="dim">
        <FileName name={name} />
      </p>
      <DialogForm action="Import" onSubmit={beginImport} other={{ label: 'Cancel', onClick: onClose }}>
        <label class="field">
          <span>Table</span>
          <input
            value={table}
            onInput={(event) => setTable(event.currentTarget.value)}
            placeholder="by default from the file’s name"
            pattern="[a-z_][a-z0-9_]{0,62}"
            spellcheck={false}
            autofocus
          />
          <small class="hint">Small letters, digits and _. A table that exists gets these rows too.</small>
        </label>
        <label class="field">
          <span>Date column</span>
          <input
            value={dateColumn}
            onInput={(event) => setDateColumn(event.currentTarget.value)}
            placeholder="by default the first one with dates"
            spellcheck={false}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={skipBadLines}
            onChange={(event) => setSkipBadLines(event.currentTarget.checked)}
          />
          Skip bad lines instead of failing
        </label>
      </DialogForm>
    </Dialog>
  )
}
