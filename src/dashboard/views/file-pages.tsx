import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { FileList, FileRecord } from '../../protocol/files.js'
import { send } from '../api.js'
import { useLoaded } from '../parts/loaded.js'
import { Pager } from '../parts/pager.js'
import { Search } from '../parts/search.js'
import { Empty, Failed, Loading } from '../parts/states.js'

const pageSize = 50

/** A listing of files, as far as it was asked for. */
export interface FilePages {
  files: FileRecord[] | undefined
  error: unknown
  reload(): void
  search: string
  setSearch(text: string): void
  /** The first is 1. */
  page: number
  back: (() => void) | null
  next: (() => void) | null
}

/** Lists the files at a path of the API, searched and page by page. */
export function useFilePages(path: string): FilePages {
  const [search, setSearch] = useState('')
  const [cursors, setCursors] = useState<string[]>([])
  const query = { search, limit: pageSize, cursor: cursors.at(-1) }
  const { value, error, reload } = useLoaded(JSON.stringify([path, query]), (signal) =>
    send<FileList>('GET', path, { query, signal }),
  )
  // While the next answer is on its way, the rows before it stay: without them the list would collapse at each letter.
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
  /** What of them is shown. */
  files: FileRecord[] | undefined
  /** In place of files where there are none at all. */
  none: ComponentChildren
  /** Beside the search. */
  head?: ComponentChildren
  /** The table of the files. */
  children(files: FileRecord[]): ComponentChildren
}

/** The panel of a listing: its search, its pages, and its states. */
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

/** They can be had back for some seconds, so nothing is said about what there is without them. */
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
