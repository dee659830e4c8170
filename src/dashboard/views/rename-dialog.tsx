import { useState } from 'preact/hooks'
import { filePath } from '../../protocol/routes.js'
import { send, wordsOf } from '../api.js'
import { Dialog } from '../parts/dialog.js'

/** Asks for a file's new name; a slash in it makes a folder. */
export function RenameDialog({ name, onClose, onDone }: { name: string; onClose(): void; onDone(): void }) {
  const [to, setTo] = useState(name)
  const [error, setError] = useState<string | null>(null)

  async function submit(event: Event) {
    event.preventDefault()
    try {
      if (to !== name) await send('POST', `${filePath(name)}/move`, { json: { to: to.normalize('NFC') } })
      onDone()
      onClose()
    } catch (failure) {
      setError(wordsOf(failure))
    }
  }

  return (
    <Dialog title="Rename" onClose={onClose}>
      <form onSubmit={submit} class="stack">
        <label class="field">
          <span>New name</span>
          <input
            value={to}
            onInput={(event) => setTo(event.currentTarget.value)}
            spellcheck={false}
            required
            autofocus
          />
          <small class="hint">A slash puts it into a folder, such as archive/2026.csv.</small>
        </label>
        {error && (
          <p class="form-error" role="alert">
            {error}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  )
}
