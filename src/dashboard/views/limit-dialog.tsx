import { useState } from 'preact/hooks'
import { parseSize } from '../../protocol/units.js'
import { wordsOf } from '../api.js'
import { findLive } from '../live/job-store.js'
import { Dialog } from '../parts/dialog.js'
import { FileName } from '../parts/file-name.js'
import { limitJob } from '../parts/job-actions.js'
import { formatBytes } from '../words.js'
import { nameOf } from './job-row.js'

const presets = ['256K', '1M', '5M', '20M', '100M']

/** Asks how fast a job may be. */
export function LimitDialog({ id, onClose }: { id: string; onClose(): void }) {
  const record = findLive(id)?.record
  const [text, setText] = useState(record?.rateLimit ? formatBytes(record.rateLimit).replace(/[ iB]/g, '') : '')
  const [error, setError] = useState<string | null>(null)
  if (!record) return null

  async function limit(rateLimit: number | null) {
    if (record) await limitJob(record, rateLimit)
    onClose()
  }

  function submit(event: Event) {
    event.preventDefault()
    try {
      const bytes = parseSize(text, 'The rate')
      if (bytes < 1) throw new Error('The rate must be above 0.')
      limit(bytes)
    } catch (failure) {
      setError(wordsOf(failure))
    }
  }

  return (
    <Dialog title="Limit the rate" onClose={onClose}>
      <p class="dim">
        <FileName name={nameOf(record)} />
      </p>
      <form onSubmit={submit} class="stack">
        <div class="chips">
          {presets.map((preset) => (
            <button key={preset} type="button" class="chip" onClick={() => limit(parseSize(preset, 'The rate'))}>
              {preset}iB/s
            </button>
          ))}
        </div>
        <label class="field">
          <span>Bytes a second</span>
          <input
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            placeholder="such as 500K or 5M"
            aria-invalid={error !== null}
            autofocus
          />
        </label>
        {error && (
          <p class="form-error" role="alert">
            {error}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => limit(null)}>
            No limit
          </button>
          <button type="submit" class="primary">
            Limit
          </button>
        </div>
      </form>
    </Dialog>
  )
}
