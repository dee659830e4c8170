import { useEffect, useRef, useState } from 'preact/hooks'
import { filePath } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { settleRemoval } from '../../uploads/pending-removals.js'
import { say } from '../../words/say.js'
import { baseOf, endingAt, folderOf } from './entries.js'

interface RenameDialogProps {
  /** That of a folder ends with a slash. */
  name: string
  onClose(): void
  onDone(): void
}

/** Asks for another name in the same folder; a slash in it creates a folder there. */
export function RenameDialog({ name, onClose, onDone }: RenameDialogProps) {
  const isOfFolder = name.endsWith('/')
  const [text, setText] = useState(baseOf(name))
  const input = useRef<HTMLInputElement>(null)
  // What people change is the name, not its ending.
  useEffect(() => input.current?.setSelectionRange(0, isOfFolder ? baseOf(name).length : endingAt(baseOf(name))), [])

  async function rename() {
    const wanted = text.normalize('NFC').replace(isOfFolder ? /\/+$/ : /^$/, '')
    const to = folderOf(name) + wanted + (isOfFolder ? '/' : '')
    if (to !== name) await moveEntry(name, to)
    onDone()
    onClose()
  }

  return (
    <Dialog title={say('files.rename')} onClose={onClose}>
      <DialogForm
        action={say('files.rename')}
        onSubmit={rename}
        other={{ label: say('files.cancel'), onClick: onClose }}
      >
        <label class="field">
          <span>{say('files.newName')}</span>
          <input
            ref={input}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            spellcheck={false}
            required
            autofocus
          />
          <small class="hint">{say(isOfFolder ? 'files.folderNameHint' : 'files.nameHint')}</small>
        </label>
      </DialogForm>
    </Dialog>
  )
}

/** Moves a file, or a folder, both of whose names end with a slash. Throws the server's error. */
export async function moveEntry(from: string, to: string): Promise<void> {
  await settleRemoval(to)
  await callApi('POST', `${filePath(from.replace(/\/$/, ''))}/move`, { json: { to } })
}
