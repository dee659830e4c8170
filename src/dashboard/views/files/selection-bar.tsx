import { formatBytes } from '../../../protocol/units.js'
import { Icon, type IconName } from '../../parts/icon.js'
import { IconButton } from '../../parts/icon-button.js'
import { say } from '../../words/say.js'
import { isFolderEntry, type ListedEntry } from './entries.js'

export interface SelectionBarProps {
  entries: readonly ListedEntry[]
  onClear(): void
  onDownload(): void
  /** Not offered if missing: the files are another account's. */
  onMove?(): void
  /** Not offered if missing: only one file at a time is shared. */
  onShare?: (() => void) | undefined
  onDelete?(): void
}

/** What can be done with the entries that are ticked. */
export function SelectionBar(props: SelectionBarProps) {
  const { entries, onClear, onDownload, onMove, onShare, onDelete } = props
  const count = entries.length
  return (
    <div class="selection-bar" role="toolbar" aria-label={say('files.selection')}>
      <IconButton icon="close" label={say('files.clearSelection')} onClick={onClear} />
      <p role="status">
        {say('files.selected', { count })}
        <span class="dim wide-only"> · {formatBytes(entries.reduce((sum, entry) => sum + bytesOf(entry), 0))}</span>
      </p>
      <BarButton icon="download" words={say('files.download')} onClick={onDownload} />
      {onMove && <BarButton icon="folder" words={say('files.move')} onClick={onMove} />}
      {onShare && <BarButton icon="link" words={say('files.share')} onClick={onShare} />}
      {onDelete && <BarButton icon="trash" words={say('files.delete')} isDanger onClick={onDelete} />}
    </div>
  )
}

interface BarButtonProps {
  icon: IconName
  words: string
  isDanger?: boolean
  onClick(): void
}

function BarButton({ icon, words, isDanger = false, onClick }: BarButtonProps) {
  return (
    <button type="button" class={isDanger ? 'danger' : ''} onClick={onClick}>
      <Icon name={icon} />
      {words}
    </button>
  )
}

function bytesOf(entry: ListedEntry): number {
  return isFolderEntry(entry) ? (entry.bytes ?? 0) : entry.size
}
