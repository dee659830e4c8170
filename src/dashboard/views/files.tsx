import { useEffect, useState } from 'preact/hooks'
import type { FileList } from '../../protocol/files.js'
import { routes } from '../../protocol/routes.js'
import { me } from '../account.js'
import { send } from '../api.js'
import { isMine, onJobEnd } from '../live/job-store.js'
import { Icon } from '../parts/icon.js'
import { useLoaded } from '../parts/loaded.js'
import { Pager } from '../parts/pager.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { chosenFiles } from '../uploads/dropped-files.js'
import { pendingRemovals } from '../uploads/pending-removals.js'
import { enqueue } from '../uploads/upload-queue.js'
import { DropZone } from './drop-zone.js'
import { FileTable } from './file-table.js'
import { UnfinishedNote } from './unfinished-note.js'
import { UploadPanel } from './upload-panel.js'

const pageSize = 50

/** The account's files, and the way in for new ones. */
export function FilesView() {
  const [search, setSearch] = useState('')
  const [cursors, setCursors] = useState<string[]>([])
  const mayUpload = me.value?.role !== 'client'
  const query = { search, limit: pageSize, cursor: cursors.at(-1) }
  const { value, error, reload } = useLoaded(JSON.stringify(query), (signal) =>
    send<FileList>('GET', routes.files, { query, signal }),
  )
  useReloadAfterUploads(reload)
  const files = value?.files.filter(({ name }) => !pendingRemovals.value.has(name))

  return (
    <>
      <header class="view-head">
        <h1>Files</h1>
        {mayUpload && <UploadButtons />}
      </header>
      {mayUpload && <DropZone onFiles={enqueue} />}
      {mayUpload && <UnfinishedNote />}
      <UploadPanel />
      <section class="panel" aria-label="My files">
        <header class="panel-head">
          <Search
            onSearch={(text) => {
              setCursors([])
              setSearch(text)
            }}
          />
        </header>
        {error !== undefined && !files && <Failed error={error} onRetry={reload} />}
        {!files && error === undefined && <Loading />}
        {files && files.length === 0 && <NoFiles search={search} mayUpload={mayUpload} />}
        {files && files.length > 0 && <FileTable files={files} onChange={reload} />}
        <Pager
          page={cursors.length + 1}
          onBack={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : null}
          onNext={value?.next ? () => setCursors([...cursors, value.next!]) : null}
          label="files"
        />
      </section>
    </>
  )
}

/** Whatever was uploaded from anywhere shows up by itself. */
function useReloadAfterUploads(reload: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = onJobEnd((job) => {
      if (job.kind !== 'upload' || job.state !== 'done' || !isMine(job)) return
      clearTimeout(timer)
      timer = setTimeout(reload, 200)
    })
    return () => {
      clearTimeout(timer)
      end()
    }
  }, [reload])
}

function Search({ onSearch }: { onSearch(text: string): void }) {
  const [text, setText] = useState<string | null>(null)
  useEffect(() => {
    if (text === null) return
    const timer = setTimeout(() => onSearch(text.trim().normalize('NFC')), 200)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <Icon name="search" />
      <span class="hidden">Search files</span>
      <input
        type="search"
        placeholder="Search files"
        value={text ?? ''}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  )
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

function NoFiles({ search, mayUpload }: { search: string; mayUpload: boolean }) {
  if (search)
    return (
      <Empty icon="search" title="No file fits">
        No name contains “{search}”.
      </Empty>
    )
  if (!mayUpload)
    return (
      <Empty icon="folder" title="No files">
        A client account reads what others publish.
      </Empty>
    )
  return (
    <Empty icon="upload" title="No files yet">
      Drop files or folders anywhere on this page, or choose them above. From a terminal:{' '}
      <code>filejobs upload FILE</code>
    </Empty>
  )
}
