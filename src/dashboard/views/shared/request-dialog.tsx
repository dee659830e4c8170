import { useId, useState } from 'preact/hooks'
import type { FileRequestRecord } from '../../../protocol/file-requests.js'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { routes } from '../../../protocol/routes.js'
import { parseSize } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { useLoaded } from '../../parts/loaded.js'
import { phrase, say } from '../../words/say.js'
import { formatEnd } from './end.js'
import { AccessFields, NoteField, termsOf, useLinkTerms } from './link-terms.js'
import { MadeLink } from './made-link.js'

export interface RequestDialogProps {
  /** Where the files go, with a slash at its end; default: a folder for what comes in. */
  folder?: string
  onClose(): void
  /** Called when the link exists. */
  onMade?(request: FileRequestRecord): void
}

/** Makes a link by which people without an account upload into a folder. */
export function RequestDialog({ folder = 'inbox/', onClose, onMade }: RequestDialogProps) {
  const [made, setMade] = useState<{ request: FileRequestRecord; password: string } | null>(null)
  return (
    <Dialog title={say('ask.title')} onClose={onClose}>
      {made ? (
        <MadeLink
          url={made.request.url}
          label={say('ask.made')}
          password={made.password}
          hint={phrase('ask.madeHint', {
            folder: <FileName name={made.request.folder} />,
            time: formatEnd(made.request.expiresAt),
          })}
          onClose={onClose}
        />
      ) : (
        <RequestForm
          folder={folder}
          onClose={onClose}
          onMade={(request, password) => {
            setMade({ request, password })
            onMade?.(request)
          }}
        />
      )}
    </Dialog>
  )
}

interface RequestFormProps {
  folder: string
  onMade(request: FileRequestRecord, password: string): void
  onClose(): void
}

function RequestForm({ folder: given, onMade, onClose }: RequestFormProps) {
  const access = useLinkTerms()
  const [folder, setFolder] = useState(given)
  const [limits, setLimits] = useState({ maxFiles: '', maxBytes: '', maxFileBytes: '' })
  const limit = (name: keyof typeof limits) => ({
    value: limits[name],
    onInput: (event: InputEvent) => setLimits({ ...limits, [name]: (event.currentTarget as HTMLInputElement).value }),
  })

  async function ask() {
    const json = {
      folder: `${folder.trim().normalize('NFC').replace(/\/+$/, '')}/`,
      ...termsOf(access.terms),
      ...(limits.maxFiles === '' ? {} : { maxFiles: Number(limits.maxFiles) }),
      ...(limits.maxBytes === '' ? {} : { maxBytes: parseSize(limits.maxBytes, say('ask.maxBytes')) }),
      ...(limits.maxFileBytes === '' ? {} : { maxFileBytes: parseSize(limits.maxFileBytes, say('ask.maxFileBytes')) }),
    }
    onMade(await callApi<FileRequestRecord>('POST', routes.requests, { json }), access.terms.password)
  }

  return (
    <DialogForm action={say('ask.action')} onSubmit={ask} other={{ label: say('shell.cancel'), onClick: onClose }}>
      <FolderField value={folder} onChange={setFolder} />
      <AccessFields {...access} />
      <details>
        <summary>{say('ask.limits')}</summary>
        <div class="stack inset">
          <label class="field">
            <span>{say('ask.maxFiles')}</span>
            <input type="number" min="1" step="1" placeholder={say('share.anyNumber')} {...limit('maxFiles')} />
          </label>
          <label class="field">
            <span>{say('ask.maxBytes')}</span>
            <input placeholder={say('ask.sizePlaceholder')} {...limit('maxBytes')} />
          </label>
          <label class="field">
            <span>{say('ask.maxFileBytes')}</span>
            <input placeholder={say('ask.sizePlaceholder')} {...limit('maxFileBytes')} />
          </label>
        </div>
      </details>
      <NoteField label={say('ask.note')} {...access} />
    </DialogForm>
  )
}

/** Offers the folders that there are; another one is created with the first file. */
function FolderField({ value, onChange }: { value: string; onChange(text: string): void }) {
  const id = useId()
  const parent = value.slice(0, value.lastIndexOf('/', value.length - 2) + 1)
  const { value: listing } = useLoaded(`folders of ${parent}`, (signal) =>
    callApi<FolderLevelList>('GET', routes.files, { query: { delimiter: '/', prefix: parent, limit: 200 }, signal }),
  )
  return (
    <label class="field">
      <span>{say('ask.folder')}</span>
      <input
        required
        spellcheck={false}
        autocapitalize="none"
        list={id}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id={id}>
        {listing?.folders.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <small class="hint">{say('ask.folderHint')}</small>
    </label>
  )
}
