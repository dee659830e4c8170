import { useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { ShareRecord } from '../../../protocol/shares.js'
import { callApi } from '../../api.js'
import { CopyField } from '../../parts/copy-field.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'

const times = [
  { label: '1 hour', seconds: 3600 },
  { label: '1 day', seconds: 86_400 },
  { label: '1 week', seconds: 7 * 86_400 },
  { label: '30 days', seconds: 30 * 86_400 },
]
const untilDate = 'date'

/** Creates a link to a file that works without an account. */
export function ShareDialog({ name, onClose }: { name: string; onClose(): void }) {
  const [share, setShare] = useState<ShareRecord | null>(null)
  return (
    <Dialog title="Share by a link" onClose={onClose}>
      <p class="dim">
        <FileName name={name} />
      </p>
      {share ? <MadeLink share={share} /> : <LinkForm name={name} onMade={setShare} onClose={onClose} />}
    </Dialog>
  )
}

function LinkForm({ name, onMade, onClose }: { name: string; onMade(share: ShareRecord): void; onClose(): void }) {
  const [time, setTime] = useState('86400')
  const [date, setDate] = useState('')
  const [password, setPassword] = useState('')
  const [downloads, setDownloads] = useState('')
  const [note, setNote] = useState('')

  async function makeLink() {
    const json = {
      filename: name,
      ...(time === untilDate ? { expiresAt: endOf(date) } : { expiresIn: Number(time) }),
      ...(password === '' ? {} : { password }),
      ...(downloads === '' ? {} : { maxDownloads: Number(downloads) }),
      ...(note === '' ? {} : { note }),
    }
    onMade(await callApi<ShareRecord>('POST', routes.shares, { json }))
  }

  return (
    <DialogForm action="Make a link" onSubmit={makeLink} other={{ label: 'Cancel', onClick: onClose }}>
      <label class="field">
        <span>Works for</span>
        <select value={time} onChange={(event) => setTime(event.currentTarget.value)}>
          {times.map(({ label, seconds }) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
          <option value={untilDate}>until a date</option>
        </select>
      </label>
      {time === untilDate && (
        <label class="field">
          <span>Last day</span>
          <input type="date" required value={date} onInput={(event) => setDate(event.currentTarget.value)} />
        </label>
      )}
      <label class="field">
        <span>Password (optional, 8 characters or more)</span>
        <input
          autocomplete="off"
          spellcheck={false}
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Downloads allowed (optional)</span>
        <input
          type="number"
          min="1"
          step="1"
          placeholder="any number"
          value={downloads}
          onInput={(event) => setDownloads(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Note for the receiver (optional)</span>
        <textarea rows={2} maxLength={500} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
    </DialogForm>
  )
}

function MadeLink({ share }: { share: ShareRecord }) {
  return (
    <div class="stack">
      <CopyField text={share.url} label="The link" />
      <p class="hint">
        Anyone with the link{share.hasPassword && ' and its password'} can download the file without an account until{' '}
        {new Date(share.expiresAt).toLocaleString()}. You can revoke it under Shared.
      </p>
      {share.hasPassword && <p class="hint">Send the password another way than the link: it is not shown again.</p>}
    </div>
  )
}

/** The whole day counts, where the user is. */
function endOf(date: string): string {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  return new Date(year, month - 1, day + 1).toISOString()
}
