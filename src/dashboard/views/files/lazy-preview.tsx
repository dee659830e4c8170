import type { FileRecord } from '../../../protocol/files.js'
import { exportPath } from '../../../protocol/routes.js'
import { useModule } from '../../parts/use-module.js'
import { address, goTo, hrefWith } from '../../router.js'
import { isFolderEntry } from './entries.js'
import type { EntryActions } from './entry-actions.js'
import type { FolderListing } from './folder-listing.js'

const load = () => import('./preview/preview-panel.js')

/** The address of the open folder with the preview of a file. */
export function hrefOfPreview({ wish: { place } }: FolderListing, { name }: FileRecord): string {
  return hrefWith({ open: name.slice(place.folder.length) })
}

/** The preview of the file that the address names; its code is loaded with the first one. */
export function LazyPreview({ listing, actions }: { listing: FolderListing; actions: EntryActions }) {
  const { wish, entries = [], selection } = listing
  const { place } = wish
  const open = address.value.query.get('open')
  const { part: PreviewPanel } = useModule(load, open !== null)
  const files = entries.filter((entry): entry is FileRecord => !isFolderEntry(entry))
  const at = open === null ? -1 : files.findIndex(({ name }) => name === place.folder + open)
  const file = files[at]
  const isLoading = open !== null && (listing.entries === undefined || (file && !PreviewPanel))
  // Its place is taken from the beginning, so that the list does not move when it comes.
  if (isLoading) return <aside class="preview" aria-busy="true" />
  if (!file || !PreviewPanel) return null
  const show = (other: FileRecord | undefined) =>
    other && (() => goTo(hrefOfPreview(listing, other), { replace: true }))
  return (
    <PreviewPanel
      file={file}
      files={files}
      hrefOf={(other) => hrefOfPreview(listing, other)}
      path={exportPath(place.ops === undefined ? file.name : `ops:${place.ops}/${file.name}`)}
      onBack={show(files[at - 1])}
      onNext={show(files[at + 1])}
      onDownload={() => actions.download([file])}
      onShare={place.ops === undefined ? () => actions.share([file]) : undefined}
      onImport={actions.importOf(file)}
      onClose={() => {
        goTo(hrefWith({ open: '' }))
        selection.goTo(file.name)
      }}
    />
  )
}
