import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { FileRecord } from '../../../protocol/files.js'
import { download } from '../../downloads/download-queue.js'
import { features } from '../../features.js'
import { FileName } from '../../parts/file-name.js'
import type { MenuItem } from '../../parts/menu.js'
import { toast, toastError } from '../../parts/toasts.js'
import { removeSoon, undoMs } from '../../uploads/pending-removals.js'
import { phrase, say } from '../../words/say.js'
import { importHref } from '../data/import-options.js'
import { ShareDialog } from '../shared/share-dialog.js'
import { isFolderEntry, isTable, type ListedEntry } from './entries.js'
import { downloadOf, type FolderPlace } from './place.js'
import { RenameDialog } from './rename-dialog.js'

type Doing = { what: 'rename'; entry: ListedEntry } | { what: 'share'; entry: FileRecord } | null

/** What the menu of an entry offers, and the dialog that it has opened. */
export function useEntryActions(
  place: FolderPlace,
  onChange: () => void,
): { menuOf(entry: ListedEntry): MenuItem[]; dialog: ComponentChildren } {
  const [doing, setDoing] = useState<Doing>(null)
  const close = () => setDoing(null)

  function menuOf(entry: ListedEntry): MenuItem[] {
    const fetch: MenuItem = {
      label: say(isFolderEntry(entry) ? 'files.downloadArchive' : 'files.download'),
      run: () => download(downloadOf(place, entry.name)),
    }
    if (place.ops !== undefined) return [fetch]
    const file = isFolderEntry(entry) ? null : entry
    const canImport = file && isTable(file) && features.value?.tables !== false
    return [
      fetch,
      ...(file ? [{ label: say('files.share'), run: () => setDoing({ what: 'share', entry: file }) }] : []),
      { label: say('files.renameItem'), run: () => setDoing({ what: 'rename', entry }) },
      ...(canImport ? [{ label: say('files.import'), run: () => goTo(importHref(file.name)) }] : []),
      { label: say('files.delete'), isDanger: true, run: () => remove(entry, onChange) },
    ]
  }

  const dialog = (
    <>
      {doing?.what === 'rename' && <RenameDialog name={doing.entry.name} onClose={close} onDone={onChange} />}
      {doing?.what === 'share' && <ShareDialog names={[doing.entry.name]} onClose={close} />}
    </>
  )
  return { menuOf, dialog }
}

function remove(entry: ListedEntry, onChange: () => void): void {
  const place = rows().findIndex(({ dataset }) => dataset.file === entry.name)
  const name = <FileName name={entry.name} />
  const undo = removeSoon(entry, (error) => {
    closeToast()
    if (error !== undefined) toastError(phrase('files.notDeleted', { name }), error)
    onChange()
  })
  const closeToast = toast({
    tone: 'plain',
    title: phrase('files.deleted', { name }),
    action: { label: say('files.undo'), run: undo, returnFocus: () => focusRow(entry.name, place) },
    forMs: undoMs,
  })
}

/** Focuses the row of an entry, or the one that took its position. */
function focusRow(name: string, place: number): void {
  const all = rows()
  const row = all.find(({ dataset }) => dataset.file === name) ?? all[Math.min(place, all.length - 1)]
  const target = row?.querySelector<HTMLElement>('.entry-menu button') ?? document.getElementById('main')
  target?.focus()
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('.entry-row[data-file]')]
}
