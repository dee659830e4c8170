import { useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { ShareList, ShareRecord } from '../../../protocol/shares.js'
import { callApi } from '../../api.js'
import { ConfirmDialog } from '../../parts/confirm-dialog.js'
import { CopyField } from '../../parts/copy-field.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'
import type { Loaded } from '../../parts/loaded.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { toast } from '../../parts/toasts.js'
import { say } from '../../words/say.js'
import { formatEnd } from './end.js'

/** The links to files and folders, which work without an account. */
export function Links({ loaded: { value, error, reload } }: { loaded: Loaded<ShareList> }) {
  const [revoking, setRevoking] = useState<ShareRecord | null>(null)
  return (
    <section class="panel loads-first" aria-labelledby="links">
      <header class="panel-head">
        <h2 id="links">{say('links.title')}</h2>
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading rows={3} />}
      {value?.shares.length === 0 && (
        <Empty icon="link" title={say('links.none')}>
          {say('links.noneHint')}
        </Empty>
      )}
      {value && value.shares.length > 0 && (
        <ul class="plain-list links">
          {value.shares.map((share) => (
            <LinkRow key={share.id} share={share} onRevoke={() => setRevoking(share)} />
          ))}
        </ul>
      )}
      {revoking && <RevokeDialog share={revoking} onClose={() => setRevoking(null)} onDone={reload} />}
    </section>
  )
}

function LinkRow({ share, onRevoke }: { share: ShareRecord; onRevoke(): void }) {
  const { filename, files, state, available, expiresAt, note, url } = share
  const name = files === null ? filename : say('links.chosen', { folder: filename || '/', count: files.length })
  const isDead = state !== 'live' || !available
  return (
    <li data-link={filename} class={isDead ? 'dead' : ''}>
      <div class="link-words">
        <FileName name={name} />
        {isDead ? (
          <span class="state failed">{deathOf(share)}</span>
        ) : (
          <span class="dim">{say('links.live', { time: formatEnd(expiresAt) })}</span>
        )}
        <span class="dim small">{useOf(share)}</span>
        {note && <span class="dim small link-note">{note}</span>}
      </div>
      {state === 'live' && <CopyField text={url} label={say('links.copyLabel', { name })} />}
      <IconButton icon="trash" tone="careful" label={say('links.revoke', { name })} onClick={onRevoke} />
    </li>
  )
}

/** Why a link leads to nothing. */
function deathOf({ state, expiresAt }: ShareRecord): string {
  if (state === 'expired') return say('links.expired', { time: formatEnd(expiresAt) })
  return say(state === 'exhausted' ? 'links.exhausted' : 'links.gone')
}

function useOf({ opened, downloads, maxDownloads, hasPassword }: ShareRecord): string {
  const made =
    maxDownloads === null
      ? say('links.downloads', { count: downloads })
      : say('links.downloadsOf', { done: downloads, count: maxDownloads })
  return [say('links.opened', { count: opened }), made, hasPassword && say('links.password')]
    .filter(Boolean)
    .join(' · ')
}

interface RevokeDialogProps {
  share: ShareRecord
  onClose(): void
  onDone(): void
}

function RevokeDialog({ share: { id, filename, state }, onClose, onDone }: RevokeDialogProps) {
  async function revoke() {
    await callApi('DELETE', `${routes.shares}/${encodeURIComponent(id)}`)
    toast({ tone: 'good', title: say('links.revoked'), text: <FileName name={filename || '/'} /> })
    onDone()
  }
  const words = state === 'live' ? 'revoke' : 'remove'
  return (
    <ConfirmDialog
      title={say(`links.${words}Title`)}
      action={say(`links.${words}Action`)}
      onConfirm={revoke}
      onClose={onClose}
    >
      {say(`links.${words}Text`)}
    </ConfirmDialog>
  )
}
