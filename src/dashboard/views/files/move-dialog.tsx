import { useState } from 'preact/hooks'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { phrase, say } from '../../words/say.js'
import { baseOf, folderOf } from './entries.js'
import { canMoveInto, namesOf } from './move-entries.js'
import { createFolder } from './new-folder.js'

interface MoveDialogProps {
  names: readonly string[]
  /** The folder that is open. */
  from: string
  onClose(): void
  onChoose(folder: string): void
}

/** Asks for a folder: a click goes into it, and the button moves into the one that is shown. */
export function MoveDialog({ names, from, onClose, onChoose }: MoveDialogProps) {
  const [folder, setFolder] = useState(from)
  const [made, setMade] = useState('')
  const { value, error, reload } = useLoaded(folder, (signal) =>
    callApi<FolderLevelList>('GET', routes.files, {
      query: { delimiter: '/', prefix: folder, natural: 1, ignoreCase: 1, limit: 1000 },
      signal,
    }),
  )
  const isPossible = made !== '' || canMoveInto(names, folder)

  async function choose() {
    const into = made === '' ? folder : `${folder}${made.normalize('NFC').replace(/\/+$/, '')}/`
    if (made !== '') await createFolder(into)
    onClose()
    onChoose(into)
  }

  return (
    <Dialog title={phrase('files.moveWhat', { what: namesOf(names) })} onClose={onClose}>
      <DialogForm
        action={
          folder === '' || made !== '' ? say('files.moveHere') : say('files.moveInto', { folder: baseOf(folder) })
        }
        isReady={isPossible}
        onSubmit={choose}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <div class="folder-choice">
          <p>
            {folder !== '' && (
              <button type="button" class="plain" onClick={() => setFolder(folderOf(folder))}>
                <Icon name="up" />
                {say('files.up')}
              </button>
            )}
            <strong>{folder === '' ? say('files.title') : <FileName name={folder} />}</strong>
          </p>
          {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
          {!value && error === undefined && <Loading rows={3} />}
          {value && (
            <ul aria-label={say('files.foldersIn')}>
              {value.folders.map(({ name }) => (
                <li key={name}>
                  <button type="button" disabled={names.includes(name)} onClick={() => setFolder(name)}>
                    <Icon name="folder" />
                    <FileName name={baseOf(name)} />
                    <Icon name="chevron" />
                  </button>
                </li>
              ))}
              {value.folders.length === 0 && <li class="dim">{say('files.noFolders')}</li>}
            </ul>
          )}
        </div>
        <label class="field">
          <span>{say('files.intoNewFolder')}</span>
          <input
            value={made}
            onInput={(event) => setMade(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      </DialogForm>
    </Dialog>
  )
}
