import { routes } from '../../../protocol/routes.js'
import type { ShareList, ShareRecord } from '../../../protocol/shares.js'
import { callApi } from '../../api.js'
import { count, timeUntil } from '../../labels.js'
import { CopyField } from '../../parts/copy-field.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'
import { useLoaded } from '../../parts/loaded.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { toast, toastError } from '../../parts/toasts.js'
import { formatShortTime } from '../../words/format.js'
import { say } from '../../words/say.js'

/** The share links, which work without an account. */
export function LinksView() {
  const { value, error, reload } = useLoaded(
    'links',
    (signal) => callApi<ShareList>('GET', routes.shares, { signal }),
    {
      watch: true,
    },
  )

  async function revoke({ id, filename }: ShareRecord) {
    try {
      await callApi('DELETE', `${routes.shares}/${encodeURIComponent(id)}`)
      toast({ tone: 'good', title: 'Link revoked', text: <FileName name={filename} /> })
    } catch (failure) {
      toastError('Not revoked', failure)
    }
    reload()
  }

  return (
    <>
      <header class="view-head">
        <h1>{say('view.shared')}</h1>
      </header>
      <section class="panel" aria-label="My links">
        {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
        {!value && error === undefined && <Loading rows={3} />}
        {value?.shares.length === 0 && (
          <Empty icon="link" title="No links">
            Share a file under Files: anyone with the link can download it without an account until it expires.
          </Empty>
        )}
        {value && value.shares.length > 0 && (
          <ul class="plain-list links">
            {value.shares.map((share) => (
              <li key={share.id} data-link={share.filename}>
                <div class="link-words">
                  <FileName name={targetOf(share)} />
                  <LinkState share={share} />
                  <span class="dim small">{useOf(share)}</span>
                  {share.note && <span class="dim small link-note">{share.note}</span>}
                </div>
                <CopyField text={share.url} label={`Link to ${share.filename}`} />
                <IconButton
                  icon="trash"
                  tone="careful"
                  label={`Revoke the link to ${share.filename}`}
                  onClick={() => revoke(share)}
                />
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  )
}

function LinkState({ share }: { share: ShareRecord }) {
  if (share.state === 'expired') return <span class="state failed">expired, {formatShortTime(share.expiresAt)}</span>
  if (share.state === 'exhausted') return <span class="state failed">all its downloads are used</span>
  if (!share.available) return <span class="state failed">its file is gone: the link leads to nothing</span>
  return <span class="dim">works for another {timeUntil(share.expiresAt)}</span>
}

function targetOf({ filename, files }: ShareRecord): string {
  return files ? `${filename || '/'} (${files.length} chosen)` : filename
}

function useOf({ opened, downloads, maxDownloads, hasPassword }: ShareRecord): string {
  const allowed =
    maxDownloads === null ? count(downloads, 'download') : `${downloads} of ${count(maxDownloads, 'download')}`
  return [`opened ${count(opened, 'time')}`, allowed, hasPassword && 'password'].filter(Boolean).join(' · ')
}
