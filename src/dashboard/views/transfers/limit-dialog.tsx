import { useState } from 'preact/hooks'
import { formatBytes, parseSize } from '../../../protocol/units.js'
import { findLive } from '../../live/job-store.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { limitJob } from '../../parts/job-actions.js'
import { nameOf } from './job-row.js'

const presets = ['256K', '1M', '5M', '20M', '100M']

/** Asks for the rate limit of a job. */
export function LimitDialog({ id, onClose }: { id: string; onClose(): void }) {
  const record = findLive(id)?.record
  const [text, setText] = useState(record?.rateLimit ? formatBytes(record.rateLimit).replace(/[ iB]/g, '') : '')
  if (!record) return null

  async function limit(rateLimit: number | null) {
    if (record) await limitJob(record, rateLimit)
    onClose()
  }

  async function limitToText() {
    const bytes = parseSize(text, 'The rate')
    if (bytes < 1) throw new Error('The rate must be above 0.')
    await limit(bytes)
  }

  return (
    <Dialog title="Limit the rate" onClose={onClose}>
      <p class="dim">
        <FileName name={nameOf(record)} />
      </p>
      <DialogForm action="Limit" onSubmit={limitToText} other={{ label: 'No limit', onClick: () => limit(null) }}>
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
            autofocus
          />
        </label>
      </DialogForm>
    </Dialog>
  )
}
