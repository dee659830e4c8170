import type { FileRecord } from '../../../protocol/files.js'
import { formatBytes } from '../../../protocol/units.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { Menu, type MenuItem } from '../../parts/menu.js'
import { formatShortTime, formatWholeTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { baseOf, iconOf, isFolderEntry, type ListedEntry } from './entries.js'
import { type FolderPlace, hrefOfFolder } from './place.js'

/** What can be done with a row. */
export interface RowActions {
  menuOf(entry: ListedEntry): readonly MenuItem[]
  hrefOfFile(file: FileRecord): string
}

export interface EntryRowProps extends RowActions {
  /** The first one is 0. */
  row: number
  /** Pixels. */
  top: number
  /** Undefined until it is loaded. */
  entry: ListedEntry | undefined
  place: FolderPlace
  /** Whether it was found by a search: its folders are shown. */
  isFound: boolean
}

export function EntryRow({ row, top, entry, place, isFound, menuOf, hrefOfFile }: EntryRowProps) {
  const style = { transform: `translateY(${top}px)` }
  if (!entry) return <div class="entry-row is-missing" style={style} />
  const shown = isFound ? entry.name.slice(place.folder.length) : baseOf(entry.name)
  const href = isFolderEntry(entry) ? hrefOfFolder(place, entry.name) : hrefOfFile(entry)
  return (
    <div
      role="row"
      class="entry-row"
      data-file={entry.name}
      data-folder={isFolderEntry(entry) ? entry.name : undefined}
      aria-rowindex={row + 2}
      style={style}
    >
      <span role="rowheader" class="entry-name">
        <a href={href}>
          <Icon name={iconOf(entry)} />
          <FileName name={shown} />
        </a>
      </span>
      <span role="cell" class="entry-size">
        <Size entry={entry} />
      </span>
      <span role="cell" class="entry-date">
        <When at={isFolderEntry(entry) ? entry.modifiedAt : entry.uploadedAt} />
      </span>
      <span role="cell" class="entry-menu">
        <Menu label={say('files.moreFor', { name: entry.name })} items={menuOf(entry)} />
      </span>
    </div>
  )
}

/** Of a folder: of everything in it, and its number of files. */
function Size({ entry }: { entry: ListedEntry }) {
  if (!isFolderEntry(entry)) return <>{formatBytes(entry.size)}</>
  const { files, bytes } = entry
  if (files === null || bytes === null) {
    return (
      <span title={say('files.countingHint')} class="dim">
        {say('files.counting')}
      </span>
    )
  }
  return (
    <>
      <span class="entry-count dim">{say('files.folderFacts', { count: files })}</span>
      {formatBytes(bytes)}
    </>
  )
}

function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatWholeTime(at)}>
      {formatShortTime(at)}
    </time>
  )
}
