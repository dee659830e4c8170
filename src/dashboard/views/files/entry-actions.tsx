import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { download } from '../../downloads/download-queue.js'
import { features } from '../../features.js'
import type { MenuItem } from '../../parts/menu.js'
import { toast } from '../../parts/toasts.js'
import { goTo } from '../../router.js'
import { phrase, say } from '../../words/say.js'
import { importHref } from '../data/import-options.js'
import { ShareDialog } from '../shared/share-dialog.js'
import { folderOf, isFolderEntry, isTable, type ListedEntry } from './entries.js'
import type { FolderListing } from './folder-listing.js'
import { MoveDialog } from './move-dialog.js'
import { canMoveInto, moveInto, namesOf } from './move-entries.js'
import { downloadOfSeveral } from './place.js'
import { removeEntries } from './remove-entries.js'
import { RenameDialog } from './rename-dialog.js'

type Doing = { what: 'rename'; entry: ListedEntry } | { what: 'share' | 'move'; names: readonly string[] } | null

export interface EntryActions {
  menuOf(entry: ListedEntry): MenuItem[]
  /** Opens the page that imports a file; undefined if it cannot become a table. */
  importOf(entry: ListedEntry): (() => void) | undefined
  download(entries: readonly ListedEntry[]): void
  rename(entry: ListedEntry): void
  share(entries: readonly ListedEntry[]): void
  askWhere(entries: readonly ListedEntry[]): void
  moveTo(names: readonly string[], folder: string): void
  remove(entries: readonly ListedEntry[]): void
  cut(entries: readonly ListedEntry[]): void
  /** Moves what was cut into the open folder. Whether there was anything. */
  paste(): boolean
  /** The dialog that is open. */
  dialog: ComponentChildren
}

/** What was cut, until it is pasted. */
let cutNames: readonly string[] = []

/** What can be done with entries of the list, and the dialogs that ask for more. */
export function useEntryActions({ wish: { place }, level, entries = [], selection }: FolderListing): EntryActions {
  const [doing, setDoing] = useState<Doing>(null)
  const close = () => setDoing(null)
  const onChange = () => level.reload()
  const isOwn = place.ops === undefined

  function fetch(wanted: readonly ListedEntry[]) {
    const names = wanted.map(({ name }) => name)
    download(downloadOfSeveral(place, names))
  }

  function remove(wanted: readonly ListedEntry[]) {
    const at = entries.findIndex(({ name }) => name === wanted[0]?.name)
    const names = new Set(wanted.map(({ name }) => name))
    const rest = entries.filter(({ name }) => !names.has(name))
    const next = rest[Math.min(at, rest.length - 1)]
    selection.clear()
    removeEntries(wanted, onChange, () => {
      const isBack = document.querySelector(`[data-file=${CSS.escape(wanted[0]!.name)}]`) !== null
      const name = isBack ? wanted[0]!.name : next?.name
      if (name === undefined) document.getElementById('main')?.focus()
      else selection.goTo(name)
    })
  }

  function moveTo(names: readonly string[], folder: string) {
    selection.clear()
    void moveInto(names, folder, onChange)
  }

  function importOf(entry: ListedEntry) {
    if (!isOwn || isFolderEntry(entry) || !isTable(entry) || features.value?.tables === false) return undefined
    return () => goTo(importHref(entry.name))
  }

  function menuOf(entry: ListedEntry): MenuItem[] {
    const get = {
      label: say(isFolderEntry(entry) ? 'files.downloadArchive' : 'files.download'),
      run: () => fetch([entry]),
    }
    if (!isOwn) return [get]
    const importIt = importOf(entry)
    return [
      get,
      { label: say('files.share'), run: () => setDoing({ what: 'share', names: [entry.name] }) },
      { label: say('files.renameItem'), run: () => setDoing({ what: 'rename', entry }) },
      { label: say('files.move'), run: () => setDoing({ what: 'move', names: [entry.name] }) },
      ...(importIt ? [{ label: say('files.import'), run: importIt }] : []),
      { label: say('files.delete'), isDanger: true, run: () => remove([entry]) },
    ]
  }

  const dialog = (
    <>
      {doing?.what === 'rename' && (
        <RenameDialog
          name={doing.entry.name}
          onClose={close}
          onDone={(name) => {
            onChange()
            if (folderOf(name) === folderOf(doing.entry.name)) selection.goTo(name)
          }}
        />
      )}
      {doing?.what === 'share' && <ShareDialog names={doing.names} onClose={close} />}
      {doing?.what === 'move' && (
        <MoveDialog
          names={doing.names}
          from={place.folder}
          onClose={close}
          onChoose={(folder) => moveTo(doing.names, folder)}
        />
      )}
    </>
  )
  return {
    menuOf,
    importOf,
    download: fetch,
    rename: (entry) => isOwn && setDoing({ what: 'rename', entry }),
    share: (wanted) => setDoing({ what: 'share', names: wanted.map(({ name }) => name) }),
    askWhere: (wanted) => setDoing({ what: 'move', names: wanted.map(({ name }) => name) }),
    moveTo,
    remove: (wanted) => isOwn && wanted.length > 0 && remove(wanted),
    cut(wanted) {
      if (!isOwn || wanted.length === 0) return
      cutNames = wanted.map(({ name }) => name)
      toast({ tone: 'plain', title: phrase('files.cut', { what: namesOf(cutNames) }), text: say('files.cutHint') })
    },
    paste() {
      if (!isOwn || cutNames.length === 0) return false
      if (canMoveInto(cutNames, place.folder)) moveTo(cutNames, place.folder)
      cutNames = []
      return true
    },
    dialog,
  }
}
