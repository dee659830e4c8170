import { useState } from 'preact/hooks'
import type { FileRequestList, FileRequestRecord } from '../../../protocol/file-requests.js'
import type { JobRecord } from '../../../protocol/jobs.js'
import { filePath, routes } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { liveJobs } from '../../live/job-store.js'
import { ConfirmDialog } from '../../parts/confirm-dialog.js'
import { CopyField } from '../../parts/copy-field.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'
import type { Loaded } from '../../parts/loaded.js'
import { useReloadAfter } from '../../parts/reload-after.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { toast } from '../../parts/toasts.js'
import { say } from '../../words/say.js'
import { formatEnd } from './end.js'

/** The links by which people without an account upload. */
export function Requests({ loaded: { value, error, reload } }: { loaded: Loaded<FileRequestList> }) {
  const [revoking, setRevoking] = useState<FileRequestRecord | null>(null)
  useReloadAfter(isOfRequest, reload)
  return (
    <section class="panel" aria-labelledby="requests">
      <header class="panel-head">
        <h2 id="requests">{say('requests.title')}</h2>
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading rows={3} />}
      {value?.requests.length === 0 && (
        <Empty icon="upload" title={say('requests.none')}>
          {say('requests.noneHint')}
        </Empty>
      )}
      {value && value.requests.length > 0 && (
        <ul class="plain-list links">
          {value.requests.map((request) => (
            <RequestRow key={request.id} request={request} onRevoke={() => setRevoking(request)} />
          ))}
        </ul>
      )}
      {revoking && (
        <ConfirmDialog
          title={say('requests.revokeTitle')}
          action={say('links.revokeAction')}
          onConfirm={() => revoke(revoking).then(reload)}
          onClose={() => setRevoking(null)}
        >
          {say('requests.revokeText')}
        </ConfirmDialog>
      )}
    </section>
  )
}

function RequestRow({ request, onRevoke }: { request: FileRequestRecord; onRevoke(): void }) {
  const { folder, state, note, url } = request
  return (
    <li data-request={folder} class={state === 'open' ? '' : 'dead'}>
      <div class="link-words">
        <a class="name-link" href={filePath(folder)} title={say('requests.toFolder', { name: folder })}>
          <FileName name={folder} />
        </a>
        <RequestState request={request} />
        <span class="small">{arrivedOf(request)}</span>
        <UnderWay request={request} />
        <span class="dim small">{usesOf(request)}</span>
        {note && <span class="dim small link-note">{note}</span>}
      </div>
      {state === 'open' && <CopyField text={url} label={say('requests.copyLabel', { name: folder })} />}
      {state === 'open' && (
        <IconButton icon="trash" tone="careful" label={say('requests.revoke', { name: folder })} onClick={onRevoke} />
      )}
    </li>
  )
}

function RequestState({ request: { state, expiresAt } }: { request: FileRequestRecord }) {
  const time = formatEnd(expiresAt)
  switch (state) {
    case 'open':
      return <span class="dim">{say('requests.open', { time })}</span>
    case 'expired':
      return <span class="state failed">{say('requests.expired', { time })}</span>
    case 'full':
      return <span class="state done">{say('requests.full')}</span>
    case 'revoked':
      return <span class="state failed">{say('requests.revoked')}</span>
  }
}

/** The uploads that have not ended, which are among the jobs. */
function UnderWay({ request: { id } }: { request: FileRequestRecord }) {
  const mine = liveJobs.value.filter(({ record, endedAt }) => endedAt === null && record.account === `request:${id}`)
  if (mine.length === 0) return null
  return (
    <a class="small" href={routes.jobs}>
      {say('requests.sending', { count: mine.length })}
    </a>
  )
}

function arrivedOf({ files, bytes, maxFiles }: FileRequestRecord): string {
  const size = formatBytes(bytes)
  if (maxFiles !== null) return say('requests.filesOf', { done: files, count: maxFiles, size })
  return files === 0 ? say('requests.nothing') : say('requests.files', { count: files, size })
}

function usesOf({ opened, hasPassword, maxBytes, maxFileBytes }: FileRequestRecord): string {
  const parts = [
    maxBytes !== null && say('requests.ofBytes', { size: formatBytes(maxBytes) }),
    maxFileBytes !== null && say('requests.each', { size: formatBytes(maxFileBytes) }),
    say('links.opened', { count: opened }),
    hasPassword && say('links.password'),
  ]
  return parts.filter(Boolean).join(' · ')
}

async function revoke({ id, folder }: FileRequestRecord): Promise<void> {
  await callApi('DELETE', `${routes.requests}/${encodeURIComponent(id)}`)
  toast({ tone: 'good', title: say('requests.revokedToast'), text: <FileName name={folder} /> })
}

function isOfRequest({ account }: JobRecord): boolean {
  return account.startsWith('request:')
}
