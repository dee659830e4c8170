import { useState } from 'preact/hooks'
import { routes } from '../../protocol/routes.js'
import type { ShareRecord } from '../../protocol/shares.js'
import { callApi } from '../api.js'
import { CopyField } from '../parts/copy-field.js'
import { Dialog } from '../parts/dialog.js'
import { DialogForm } from '../parts/dialog-form.js'
import { FileName } from '../parts/file-name.js'

const times = [
  { label: '1 hour', seconds: 3600 },
  { label: '1 day', seconds: 86_400 },
  { label: '1 week', seconds: 7 * 86_400 },
  { label: '30 days', seconds: 30 * 86_400 },
]

/** Creates a link to a file that works without an account. */
export function ShareDialog({ name, onClose }: { name: string; onClose(): void }) {
  const [seconds, setSeconds] = useState(86_400)
  const [share, setShare] = useState<ShareRecord | null>(null)

  async function makeLink() {
    setShare(await callApi<ShareRecord>('POST', routes.shares, { json: { filename: name, expiresIn: seconds } }))
  }

  return (
    <Dialog title="Share by a link" onClose={onClose}>
      <p class="dim">
        <FileName name={name} />
      </p>
      {share ? (
        <div class="stack">
          <CopyField text={share.url} label="The link" />
          <p class="hint">
            Anyone with the link can download the file without an account until{' '}
            {new Date(share.expiresAt).toLocaleString()}. You can revoke it under Links.
          </p>
        </div>
      ) : (
        <DialogForm action="Make a link" onSubmit={makeLink} other={{ label: 'Cancel', onClick: onClose }}>
          <label class="field">
            <span>Works for</span>
            <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
              {times.map((time) => (
                <option key={time.seconds} value={time.seconds}>
                  {time.label}
                </option>
              ))}
            </select>
          </label>
        </DialogForm>
      )}
    </Dialog>
  )
}
