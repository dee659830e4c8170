import { useState } from 'preact/hooks'
import { filePath } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { settleRemoval } from '../../uploads/pending-removals.js'

/** Asks for a file's new name; a slash in it creates a folder. */
export function RenameDialog({ name, onClose, onDone }: { name: string; onClose(): void; onDone(): void }) {
  const [to, setTo] = useState(name)

  async function rename() {
    if (to !== name) {
      await settleRemoval(to.normalize('NFC'))
      await callApi('POST', `${filePath(name)}/move`, { json: { to: to.normalize('NFC') } })
    }
    onDone()
    onClose()
  }

  return (
    <Dialog title="Rename" onClose={onClose}>
      <DialogForm action="Rename" onSubmit={rename} other={{ label: 'Cancel', onClick: onClose }}>
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
      </DialogForm>
    </Dialog>
  )
}
