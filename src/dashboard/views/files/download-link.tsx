import { parsePublished } from '../../../protocol/routes.js'
import { beginDownload, downloadPath } from '../../downloads/download-queue.js'
import { Icon } from '../../parts/icon.js'

/** Downloads a file (the account's own, or `ops:OPS/NAME`), after a running download. */
export function DownloadLink({ name }: { name: string }) {
  const label = `Download ${parsePublished(name)?.name ?? name}`
  return (
    <a
      class="icon-button"
      href={downloadPath(name)}
      download={name.slice(name.lastIndexOf('/') + 1)}
      aria-label={label}
      title={label}
      onClick={(event) => {
        if (!beginDownload(name)) event.preventDefault()
      }}
    >
      <Icon name="download" />
    </a>
  )
}
