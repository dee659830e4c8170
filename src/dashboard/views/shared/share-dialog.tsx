import { useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { ShareRecord } from '../../../protocol/shares.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { FileName } from '../../parts/file-name.js'
import { say } from '../../words/say.js'
import { formatEnd } from './end.js'
import { AccessFields, NoteField, termsOf, useLinkTerms } from './link-terms.js'
import { MadeLink } from './made-link.js'

export interface ShareDialogProps {
  /** Files, and folders with a slash at their end; one or more. */
  names: readonly string[]
  onClose(): void
  /** Called when the link exists. */
  onMade?(share: ShareRecord): void
}

/** Creates a link to a file, a folder or a selection that works without an account. */
export function ShareDialog({ names, onClose, onMade }: ShareDialogProps) {
  const [made, setMade] = useState<{ share: ShareRecord; password: string } | null>(null)
  const isFolder = names.length === 1 && (names[0]!.endsWith('/') || names[0] === '')
  return (
    <Dialog title={say(isFolder ? 'share.titleFolder' : 'share.title')} onClose={onClose}>
      <Target names={names} />
      {made ? (
        <MadeLink
          url={made.share.url}
          label={say('share.made')}
          password={made.password}
          hint={say(made.password ? 'share.madeHintPassword' : 'share.madeHint', {
            time: formatEnd(made.share.expiresAt),
          })}
          onClose={onClose}
        />
      ) : (
        <LinkForm
          names={names}
          onClose={onClose}
          onMade={(share, password) => {
            setMade({ share, password })
            onMade?.(share)
          }}
        />
      )}
    </Dialog>
  )
}

function Target({ names }: { names: readonly string[] }) {
  if (names.length === 1) {
    return <p class="dim">{names[0] === '' ? say('links.whole') : <FileName name={names[0]!} />}</p>
  }
  return (
    <details class="dim">
      <summary>{say('share.selection', { count: names.length })}</summary>
      <ul class="chosen-names">
        {names.map((name) => (
          <li key={name}>
            <FileName name={name} />
          </li>
        ))}
      </ul>
    </details>
  )
}

interface LinkFormProps {
  names: readonly string[]
  onMade(share: ShareRecord, password: string): void
  onClose(): void
}

function LinkForm({ names, onMade, onClose }: LinkFormProps) {
  const access = useLinkTerms()
  const [downloads, setDownloads] = useState('')

  async function makeLink() {
    const json = {
      ...(names.length === 1 ? { filename: names[0] } : { files: names }),
      ...termsOf(access.terms),
      ...(downloads === '' ? {} : { maxDownloads: Number(downloads) }),
    }
    onMade(await callApi<ShareRecord>('POST', routes.shares, { json }), access.terms.password)
  }

  return (
    <DialogForm
      action={say('share.action')}
      onSubmit={makeLink}
      other={{ label: say('shell.cancel'), onClick: onClose }}
    >
      <AccessFields {...access} />
      <label class="field">
        <span>
          {say('share.downloads')} ({say('terms.optional')})
        </span>
        <input
          type="number"
          min="1"
          max="1000000"
          step="1"
          placeholder={say('share.anyNumber')}
          value={downloads}
          onInput={(event) => setDownloads(event.currentTarget.value)}
        />
      </label>
      <NoteField label={say('share.note')} {...access} />
    </DialogForm>
  )
}
