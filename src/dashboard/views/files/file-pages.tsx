import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { FileList, FileRecord } from '../../../protocol/files.js'
import { callApi } from '../../api.js'
import { useLoaded } from '../../parts/loaded.js'
import { Pager } from '../../parts/pager.js'
import { Search } from '../../parts/search.js'
import { Empty, Failed, Loading } from '../../parts/states.js'

const pageSize = 50

/** The loaded pages of a listing of files. */
export interface FilePages {
  files: FileRecord[] | undefined
  error: unknown
  reload(): void
  search: string
  setSearch(text: string): void
  /** The first page is 1. */
  page: number
  back: (() => void) | null
  next: (() => void) | null
}

/** Lists the files at a path of the API, filtered and page by page. */
export function useFilePages(path: string): FilePages {
  const [search, setSearch] = useState('')
  const [cursors, setCursors] = useState<string[]>([])
  const query = { search, limit: pageSize, cursor: cursors.at(-1) }
  const { value, error, reload } = useLoaded(
    JSON.stringify([path, query]),
    (signal) => callApi<FileList>('GET', path, { query, signal }),
    { watch: true },
  )
  // Keep the rows until the next response: without them the list would collapse at each keystroke.
  const before = useRef<{ path: string; files: FileRecord[] } | null>(null)
  if (value) before.current = { path, files: value.files }
  const kept = before.current?.path === path && before.current.files.length > 0 ? before.current.files : undefined
  return {
    files: value?.files ?? (error === undefined ? kept : undefined),
    error,
    reload,
    search,
    setSearch(text) {
      setCursors([])
      setSearch(text)
    },
    page: cursors.length + 1,
    back: cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : null,
    next: value?.next ? () => setCursors([...cursors, value.next!]) : null,
  }
}

export interface FilePanelProps {
  label: string
  pages: FilePages
  /** The visible files. */
  files: FileRecord[] | undefined
  /** Shown instead of files if there are none. */
  none: ComponentChildren
  /** Shown next to the search field. */
  head?: ComponentChildren
  /** The table of the files. */
  children(files: FileRecord[]): ComponentChildren
}

/** The panel of a listing: search, pages, and states. */
export function FilePanel({ label, pages, files, none, head, children }: FilePanelProps) {
  const { error, reload, search, setSearch, page, back, next } = pages
  return (
    <section class="panel" aria-label={label}>
      <header class="panel-head">
        <Search label="Search files" onSearch={setSearch} />
        {head}
      </header>
      {error !== undefined && !files && <Failed error={error} onRetry={reload} />}
      {!files && error === undefined && <Loading />}
      {files?.length === 0 && pages.files && pages.files.length > 0 && <AllRemoved />}
      {pages.files?.length === 0 && (search ? <NothingFits search={search} /> : none)}
      {files && files.length > 0 && children(files)}
      <Pager page={page} onBack={back} onNext={next} label="files" />
    </section>
  )
}

/** They can be restored for some seconds, so do not report an empty list. */
function AllRemoved() {
  return <p class="dim">What was listed here is being deleted.</p>
}

function NothingFits({ search }: { search: string }) {
  return (
    <Empty icon="search" title="No file fits">
      No name contains “{search}”.
    </Empty>
  )
}
