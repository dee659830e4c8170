import { useState } from 'preact/hooks'
import { filePath } from '../../../protocol/routes.js'
import { callApi, Refusal } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { settleRemoval } from '../../uploads/pending-removals.js'
import { say } from '../../words/say.js'

interface NewFolderProps {
  /** Where it is created: with a slash at its end; empty at the top. */
  folder: string
  onClose(): void
  /** Called with the whole name. */
  onDone(name: string): void
}

export function NewFolderDialog({ folder, onClose, onDone }: NewFolderProps) {
  const [text, setText] = useState('')

  async function create() {
    const name = `${folder}${text.normalize('NFC').replace(/\/+$/, '')}/`
    await createFolder(name)
    onDone(name)
    onClose()
  }

  return (
    <Dialog title={say('files.newFolder')} onClose={onClose}>
      <DialogForm
        action={say('files.create')}
        onSubmit={create}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <label class="field">
          <span>{say('files.newFolderName')}</span>
          <input
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
            required
            autofocus
          />
        </label>
      </DialogForm>
    </Dialog>
  )
}

/** Throws the server's error, and if it exists already. */
export async function createFolder(name: string): Promise<void> {
  await settleRemoval(name)
  try {
    await callApi('PUT', filePath(name), { headers: { 'If-None-Match': '*' } })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'precondition-failed') throw error
    throw new Error(say('files.folderExists', { name }))
  }
}
