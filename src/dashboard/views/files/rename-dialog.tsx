import { useEffect, useRef, useState } from 'preact/hooks'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { say } from '../../words/say.js'
import { baseOf, endingAt, folderOf } from './entries.js'
import { moveEntry } from './move-entries.js'

interface RenameDialogProps {
  /** That of a folder ends with a slash. */
  name: string
  onClose(): void
  /** Called with the new name. */
  onDone(name: string): void
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
    onClose()
    onDone(to)
  }

  return (
    <Dialog title={say('files.rename')} onClose={onClose}>
      <DialogForm
        action={say('files.rename')}
        onSubmit={rename}
        other={{ label: say('shell.cancel'), onClick: onClose }}
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
