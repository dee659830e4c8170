import { useMedia } from '../parts/media.js'
import { VirtualList } from '../parts/virtual-list.js'
import type { UploadItem } from '../uploads/upload-items.js'
import { say } from '../words/say.js'
import { UploadRow } from './upload-row.js'

interface UploadListProps {
  items: readonly UploadItem[]
  onLimit(job: string): void
}

/** Uploads of one group. Those that move come first: one is sent at a time. */
export function UploadList({ items, onLimit }: UploadListProps) {
  const isNarrow = useMedia('(max-width: 44rem)')
  if (items.length === 0) return null
  return (
    <VirtualList
      items={items.toSorted((one, other) => rankOf(one) - rankOf(other))}
      keyOf={({ key }) => key}
      rowHeight={isNarrow ? 104 : 52}
      rowsShown={isNarrow ? 3 : 4}
      label={say('tray.uploads')}
    >
      {(item) => <UploadRow item={item} onLimit={onLimit} />}
    </VirtualList>
  )
}

function rankOf({ status }: UploadItem): number {
  return status.value.state === 'queued' ? 1 : 0
}
