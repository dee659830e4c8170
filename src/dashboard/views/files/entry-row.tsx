import type { FileRecord } from '../../../protocol/files.js'
import { formatBytes } from '../../../protocol/units.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { Menu, type MenuItem } from '../../parts/menu.js'
import { formatShortTime, formatWholeTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { baseOf, iconOf, isFolderEntry, type ListedEntry } from './entries.js'
import { type FolderPlace, hrefOfFolder } from './place.js'

/** How an entry is chosen: with Shift, all up to it; with Ctrl, it alone besides the others. */
export type ChoiceKind = 'one' | 'toggle' | 'range'

/** What can be done with a row. */
export interface RowActions {
  menuOf(entry: ListedEntry): readonly MenuItem[]
  hrefOfFile(file: FileRecord): string
  onChoose(entry: ListedEntry, kind: ChoiceKind): void
  /** The focus is in the row. */
  onEnter(entry: ListedEntry): void
  /** Missing if rows cannot be moved. */
  onDrag?(event: DragEvent, entry: ListedEntry): void
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
  isChosen: boolean
  /** Whether Tab leads to it. */
  isTabStop: boolean
}

export function EntryRow(props: EntryRowProps) {
  const { row, top, entry, place, isFound, isChosen, isTabStop } = props
  const { menuOf, hrefOfFile, onChoose, onEnter, onDrag } = props
  const style = { transform: `translateY(${top}px)` }
  if (!entry) return <div class="entry-row is-missing" style={style} />
  const shown = isFound ? entry.name.slice(place.folder.length) : baseOf(entry.name)
  const href = isFolderEntry(entry) ? hrefOfFolder(place, entry.name) : hrefOfFile(entry)
  const tabIndex = isTabStop ? 0 : -1
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of all rows are those of row-keys.ts
    <div
      role="row"
      class={`entry-row${isChosen ? ' is-chosen' : ''}`}
      tabIndex={tabIndex}
      data-file={entry.name}
      data-folder={isFolderEntry(entry) ? entry.name : undefined}
      aria-rowindex={row + 2}
      aria-selected={isChosen}
      style={style}
      draggable={onDrag !== undefined}
      onDragStart={(event) => onDrag?.(event, entry)}
      onFocusIn={() => onEnter(entry)}
      onClick={(event) => {
        const isInside = (event.target as Element).closest('input, button, label, [popover]')
        const isLink = (event.target as Element).closest('a')
        if (isInside || (isLink && !event.shiftKey)) return
        event.preventDefault()
        onChoose(entry, event.shiftKey ? 'range' : event.ctrlKey || event.metaKey ? 'toggle' : 'one')
      }}
    >
      <span role="gridcell" class="entry-tick">
        <label>
          <input
            type="checkbox"
            aria-label={say('files.tick', { name: entry.name })}
            checked={isChosen}
            tabIndex={tabIndex}
            onClick={(event) => onChoose(entry, event.shiftKey ? 'range' : 'toggle')}
          />
        </label>
      </span>
      <span role="rowheader" class="entry-name">
        <a href={href} tabIndex={tabIndex} draggable={false}>
          <Icon name={iconOf(entry)} />
          <FileName name={shown} />
        </a>
      </span>
      <span role="gridcell" class="entry-size">
        <Size entry={entry} />
      </span>
      <span role="gridcell" class="entry-date">
        <When at={isFolderEntry(entry) ? entry.modifiedAt : entry.uploadedAt} />
      </span>
      <span role="gridcell" class="entry-menu">
        <Menu label={say('files.moreFor', { name: entry.name })} items={menuOf(entry)} tabIndex={tabIndex} />
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
      <span class="entry-count dim">{say('amount.files', { count: files })}</span>
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
