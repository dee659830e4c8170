import type { JobRecord } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { isMine } from '../../live/job-store.js'
import { Icon } from '../../parts/icon.js'
import { useReloadAfter } from '../../parts/reload-after.js'
import { Empty } from '../../parts/states.js'
import { chosenFiles } from '../../uploads/dropped-files.js'
import { isRemoved } from '../../uploads/pending-removals.js'
import { enqueue } from '../../uploads/upload-queue.js'
import { QueuedDownloads } from '../transfers/queued-downloads.js'
import { UnfinishedNote } from '../transfers/unfinished-note.js'
import { UploadPanel } from '../transfers/upload-panel.js'
import { DropZone } from './drop-zone.js'
import { FilePanel, useFilePages } from './file-pages.js'
import { FileTable } from './file-table.js'

/** The account's files, and the upload area. */
export function FilesView() {
  const pages = useFilePages(routes.files)
  useReloadAfter(isNewFile, pages.reload)
  const files = pages.files?.filter((file) => !isRemoved(file))

  return (
    <>
      <header class="view-head">
        <h1>Files</h1>
        <UploadButtons />
      </header>
      <DropZone onFiles={enqueue} />
      <UnfinishedNote />
      <UploadPanel />
      <QueuedDownloads />
      <FilePanel label="My files" pages={pages} files={files} none={<NoFiles />}>
        {(some) => <FileTable files={some} onChange={pages.reload} />}
      </FilePanel>
    </>
  )
}

/** Files that were uploaded elsewhere appear automatically. Of many files, those that had arrived stay after a stop. */
function isNewFile(job: JobRecord): boolean {
  return job.kind === 'upload' && (job.state === 'done' || job.files !== null) && isMine(job)
}

function UploadButtons() {
  return (
    <div class="buttons">
      <FileButton label="Upload files" multiple />
      <FileButton label="Upload a folder" folder />
    </div>
  )
}

function FileButton({ label, multiple, folder }: { label: string; multiple?: boolean; folder?: boolean }) {
  return (
    <label class={`button${folder ? '' : ' primary'}`}>
      <Icon name={folder ? 'folder' : 'upload'} />
      <span>{label}</span>
      <input
        type="file"
        class="hidden"
        multiple={multiple}
        {...(folder ? { webkitdirectory: true } : {})}
        onChange={(event) => {
          enqueue(chosenFiles(event.currentTarget.files))
          event.currentTarget.value = ''
        }}
      />
    </label>
  )
}

function NoFiles() {
  return (
    <Empty icon="upload" title="No files yet">
      Drop files or folders anywhere on this page, or choose them above. From a terminal:{' '}
      <code>filejobs upload FILE</code>
    </Empty>
  )
}
