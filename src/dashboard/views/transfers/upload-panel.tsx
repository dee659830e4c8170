import { useEffect, useState } from 'preact/hooks'
import { formatBytes } from '../../../protocol/units.js'
import { count } from '../../labels.js'
import { revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { Icon } from '../../parts/icon.js'
import { useMedia } from '../../parts/media.js'
import { VirtualList } from '../../parts/virtual-list.js'
import { type Contents, contentsOf, contentsText } from '../../uploads/chosen-files.js'
import { compareExisting, keepBoth, skipExisting } from '../../uploads/conflicts.js'
import {
  arrivedOf,
  bytesOf,
  type UploadItem,
  type UploadStatus,
  unfinishedStates,
  uploadItems,
} from '../../uploads/upload-items.js'
import { clearDone, replaceExisting, retryUploads } from '../../uploads/upload-queue.js'
import { say } from '../../words/say.js'
import { LimitDialog } from './limit-dialog.js'
import { retryable, UploadRow } from './upload-row.js'

/** The uploads of this page, one at a time, each with a progress bar: a file, or several as one job. */
export function UploadPanel() {
  const items = uploadItems.value
  const [limited, setLimited] = useState<string | null>(null)
  const isNarrow = useMedia('(max-width: 44rem)')
  if (items.length === 0) return null
  const done = items.filter(({ status }) => status.value.state === 'done').length
  const again = items.filter(({ status }) => retryable.includes(status.value.state))
  const taken = items.filter(({ status }) => status.value.state === 'exists')
  return (
    <section class="panel uploads" aria-labelledby="uploads">
      <header class="panel-head">
        <h2 id="uploads">{headingOf(items)}</h2>
        {again.length > 1 && (
          <button type="button" class="plain" onClick={() => retryUploads(again)}>
            Try all again
          </button>
        )}
        {done > 0 && (
          <button type="button" class="plain" onClick={clearDone}>
            Clear what is done
          </button>
        )}
      </header>
      {taken.length > 0 && <Conflicts items={taken} />}
      {items.length > 1 && <Whole items={items} />}
      <VirtualList
        items={inSight(items)}
        keyOf={({ key }) => key}
        rowHeight={isNarrow ? 104 : 68}
        rowsShown={isNarrow ? 4 : 6}
        label="Uploads"
      >
        {(item) => <UploadRow item={item} onLimit={setLimited} />}
      </VirtualList>
      {limited && <LimitDialog key={limited} ids={[limited]} onClose={() => setLimited(null)} />}
    </section>
  )
}

/** Asks once for all files whose names are taken; each row asks for its own. */
function Conflicts({ items }: { items: readonly UploadItem[] }) {
  useEffect(() => {
    for (const item of items) if (item.status.peek().existing === null) void compareExisting(item)
  }, [items.length])
  return (
    <fieldset class="conflicts">
      <legend class="hidden">{say('uploads.conflicts')}</legend>
      <p>
        <Icon name="alert" />
        {say('uploads.exist', { count: items.length })}
      </p>
      <button type="button" onClick={() => replaceExisting(items)}>
        {say('uploads.replaceAll')}
      </button>
      <button type="button" onClick={() => skipExisting(items)}>
        {say('uploads.skipAll')}
      </button>
      <button type="button" onClick={() => keepBoth(items)}>
        {say('uploads.keepBoth')}
      </button>
    </fieldset>
  )
}

/** Failed uploads are never listed under "Uploaded". */
function headingOf(items: readonly UploadItem[]): string {
  const left = items.filter(({ status }) => unfinishedStates.includes(status.value.state))
  if (left.length > 0) return `Uploading ${contentsText(sumOf(left.map(({ status }) => status.value.contents)))}`
  const missing = items.filter(({ status }) => status.value.state !== 'done')
  // Of several files that were stopped, some may have arrived.
  const contents = missing.map((item) => contentsOf(item.left))
  return missing.length > 0 ? `Not uploaded: ${contentsText(sumOf(contents))}` : 'Uploaded'
}

function sumOf(contents: readonly Contents[]): Contents {
  const sum = { files: 0, emptyFolders: 0 }
  for (const { files, emptyFolders } of contents) {
    sum.files += files
    sum.emptyFolders += emptyFolders
  }
  return sum
}

function filesOf(items: readonly UploadItem[]): number {
  return items.reduce((sum, { status }) => sum + status.value.contents.files, 0)
}

/** The total progress by bytes, without failed uploads. */
function Whole({ items }: { items: readonly UploadItem[] }) {
  revision.value
  const wanted = items.filter(({ status }) => rankOf(status.value) !== failedRank)
  const done = wanted.reduce((sum, item) => sum + arrivedOf(item), 0)
  const bytes = wanted.reduce((sum, item) => sum + bytesOf(item), 0)
  const size = wanted.reduce((sum, { status }) => sum + status.value.size, 0)
  const [part, whole] = size > 0 ? [bytes, size] : [done, filesOf(wanted)]
  return (
    <div class="uploads-whole upload">
      <p class="dim">
        {done.toLocaleString('en')} of {count(filesOf(items), 'file')} · {formatBytes(bytes)} of {formatBytes(size)}
      </p>
      <Bar percent={whole > 0 ? (part / whole) * 100 : 0} label="All uploads" tone={part < whole ? 'upload' : 'done'} />
    </div>
  )
}

/** Active uploads first, then those that need attention; completed ones last. */
function inSight(items: readonly UploadItem[]): UploadItem[] {
  return items.toSorted((one, other) => rankOf(one.status.value) - rankOf(other.status.value))
}

const failedRank = 1

function rankOf({ state }: UploadStatus): number {
  if (state === 'done') return 3
  if (state === 'queued') return 2
  return unfinishedStates.includes(state) ? 0 : failedRank
}
