import { useEffect, useState } from 'preact/hooks'
import type { FileRecord } from '../../../protocol/files.js'
import { exportPath } from '../../../protocol/routes.js'
import { healed } from '../../live/shared-stream.js'
import { address, goTo, hrefWith } from '../../router.js'
import { isFolderEntry } from './entries.js'
import type { EntryActions } from './entry-actions.js'
import type { FolderListing } from './folder-listing.js'
import type { PreviewPanelProps } from './preview/preview-panel.js'

type PreviewPart = (props: PreviewPanelProps) => preact.JSX.Element

/** The address of the open folder with the preview of a file. */
export function hrefOfPreview({ wish: { place } }: FolderListing, { name }: FileRecord): string {
  return hrefWith({ open: name.slice(place.folder.length) })
}

/** The preview of the file that the address names; its code is loaded with the first one. */
export function LazyPreview({ listing, actions }: { listing: FolderListing; actions: EntryActions }) {
  const { wish, entries = [], selection } = listing
  const { place } = wish
  const open = address.value.query.get('open')
  const [Part, setPart] = useState<{ panel: PreviewPart } | null>(null)
  const isOpen = open !== null
  useEffect(() => {
    let isHere = isOpen
    if (!isOpen) return
    import('./preview/preview-panel.js').then(
      ({ default: panel }) => isHere && setPart((before) => before ?? { panel }),
      () => {},
    )
    return () => {
      isHere = false
    }
  }, [isOpen, healed.value])
  const files = entries.filter((entry): entry is FileRecord => !isFolderEntry(entry))
  const at = open === null ? -1 : files.findIndex(({ name }) => name === place.folder + open)
  const file = files[at]
  if (!file || !Part) return null
  const show = (other: FileRecord | undefined) =>
    other && (() => goTo(hrefOfPreview(listing, other), { replace: true }))
  return (
    <Part.panel
      file={file}
      path={exportPath(place.ops === undefined ? file.name : `ops:${place.ops}/${file.name}`)}
      onBack={show(files[at - 1])}
      onNext={show(files[at + 1])}
      onDownload={() => actions.download([file])}
      onShare={place.ops === undefined ? () => actions.share([file]) : undefined}
      onClose={() => {
        goTo(hrefWith({ open: '' }))
        selection.goTo(file.name)
      }}
    />
  )
}
