import { useState } from 'preact/hooks'
import { formatBytes, parseBytesPerSecond } from '../../../protocol/units.js'
import { findLive } from '../../live/job-store.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { limitJob } from '../../parts/job-actions.js'
import { say } from '../../words/say.js'
import { nameOf } from './job-words.js'

const presets = ['256 KiB/s', '1 MiB/s', '5 MiB/s', '20 MiB/s', '100 MiB/s']

/** Asks for the rate limit of jobs. */
export function LimitDialog({ ids, onClose }: { ids: readonly string[]; onClose(): void }) {
  const records = ids.flatMap((id) => findLive(id)?.record ?? [])
  const limits = new Set(records.map(({ rateLimit }) => rateLimit))
  const [common] = limits.size === 1 ? limits : []
  const [text, setText] = useState(common ? `${formatBytes(common)}/s` : '')
  const [first] = records
  if (!first) return null

  async function limit(rateLimit: number | null) {
    await Promise.all(records.map((record) => limitJob(record, rateLimit)))
    onClose()
  }

  async function limitTo(rate: string) {
    const bytes = parseBytesPerSecond(rate, say('limit.theRate'))
    if (bytes < 1) throw new Error(say('limit.tooLow'))
    await limit(bytes)
  }

  return (
    <Dialog title={say('limit.title')} onClose={onClose}>
      <p class="dim">
        {records.length === 1 ? <FileName name={nameOf(first)} /> : say('transfers.jobs', { count: records.length })}
      </p>
      <DialogForm
        action={say('limit.set')}
        onSubmit={() => limitTo(text)}
        other={{ label: say('limit.none'), onClick: () => limit(null) }}
      >
        <div class="chips">
          {presets.map((preset) => (
            <button key={preset} type="button" class="chip" onClick={() => limitTo(preset)}>
              {preset}
            </button>
          ))}
        </div>
        <label class="field">
          <span>{say('limit.rate')}</span>
          <input
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            placeholder={say('limit.placeholder')}
            autofocus
          />
        </label>
      </DialogForm>
    </Dialog>
  )
}
