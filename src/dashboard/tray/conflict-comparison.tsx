import { useEffect, useState } from 'preact/hooks'
import { formatBytes } from '../../protocol/units.js'
import { FileName } from '../parts/file-name.js'
import { digestChosen } from '../uploads/conflicts.js'
import type { UploadItem } from '../uploads/upload-items.js'
import { formatWholeTime } from '../words/format.js'
import { say } from '../words/say.js'

/** Files whose names are taken beside those that have them: size, date and digest. It is folded at first. */
export function ConflictComparison({ items }: { items: readonly UploadItem[] }) {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details class="comparison" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>{say('uploads.compare')}</summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys
        <section class="comparison-files" tabIndex={0} aria-label={say('uploads.comparison')}>
          {items.slice(0, mostCompared).map((item) => (
            <ComparedFile key={item.key} item={item} />
          ))}
          {items.length > mostCompared && (
            <p class="dim">{say('uploads.moreCompared', { count: items.length - mostCompared })}</p>
          )}
        </section>
      )}
    </details>
  )
}

function ComparedFile({ item }: { item: UploadItem }) {
  const { existing, digest } = item.status.value
  const { file } = item.files[0]!
  useEffect(() => {
    void digestChosen(item)
  }, [item])
  return (
    <table data-compared={item.title}>
      <caption>
        <FileName name={item.title} />
      </caption>
      <thead>
        <tr>
          <td />
          <th scope="col">{say('uploads.chosen')}</th>
          <th scope="col">{say('uploads.onServer')}</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">{say('files.size')}</th>
          <td>{formatBytes(file.size)}</td>
          <td>{existing ? formatBytes(existing.size) : '…'}</td>
        </tr>
        <tr>
          <th scope="row">{say('files.changed')}</th>
          <td>{formatWholeTime(new Date(file.lastModified).toISOString())}</td>
          <td>{existing ? formatWholeTime(existing.modifiedAt) : '…'}</td>
        </tr>
        <tr>
          <th scope="row">SHA-256</th>
          <td>
            <Digest digest={digest} />
          </td>
          <td>{existing ? <Digest digest={existing.digest} missing={say('uploads.noDigest')} /> : '…'}</td>
        </tr>
      </tbody>
    </table>
  )
}

/** Its beginning, which is enough to see a difference; the whole one is its title. */
function Digest({ digest, missing = '…' }: { digest: string | null; missing?: string }) {
  if (digest === null) return missing
  return <code title={digest}>{digest.slice(0, 12)}</code>
}

const mostCompared = 50
