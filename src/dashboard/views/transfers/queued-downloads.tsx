import { parsePublished } from '../../../protocol/routes.js'
import { queuedDownloads, runningDownload, skipDownload } from '../../downloads/download-queue.js'
import { FileName } from '../../parts/file-name.js'
import { IconButton } from '../../parts/icon-button.js'

/** The downloads that are queued; nothing if there are none. */
export function QueuedDownloads() {
  const downloads = queuedDownloads.value
  if (downloads.length === 0) return null
  const running = runningDownload()
  return (
    <section class="panel" aria-labelledby="queued-downloads">
      <header class="panel-head">
        <h2 id="queued-downloads">Downloads that wait</h2>
      </header>
      <p class="dim">Each begins by itself when the one before has ended, as long as this page is open.</p>
      <ul class="plain-list">
        {downloads.map((download, index) => (
          <li key={download.path} class="upload" data-download={download.name}>
            <div class="upload-main">
              <div class="upload-title">
                <FileName name={plainName(download.name) || download.saveAs} />
                <span class="upload-words">
                  waits for {plainName(downloads[index - 1]?.name ?? running ?? '')} to end
                </span>
              </div>
            </div>
            <div class="job-actions">
              <IconButton
                icon="close"
                tone="careful"
                label={`Skip the download of ${plainName(download.name)}`}
                onClick={() => skipDownload(download)}
              />
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function plainName(name: string): string {
  return parsePublished(name)?.name ?? name
}
