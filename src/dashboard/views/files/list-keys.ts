import type { ListedEntry } from './entries.js'
import type { EntryActions } from './entry-actions.js'
import type { FolderListing } from './folder-listing.js'
import { useRowKeys } from './row-keys.js'

/** The entries that are ticked, in the order of the list. */
export function chosenOf({ entries = [], selection }: FolderListing): ListedEntry[] {
  const chosen = selection.chosen.value
  return chosen.size === 0 ? [] : entries.filter(({ name }) => chosen.has(name))
}

/** The keys of a list: on the entries that are ticked or, if there are none, on the one with the focus. */
export function useListKeys(listing: FolderListing, actions: EntryActions): void {
  const { entries = [], selection, level } = listing
  const names = () => entries.map(({ name }) => name)
  const current = () => entries.find(({ name }) => name === selection.active.peek())
  const concerned = () => {
    const chosen = chosenOf(listing)
    return chosen.length > 0 ? chosen : [current()].flatMap((entry) => entry ?? [])
  }

  useRowKeys({
    onMove(rows, extend) {
      const at = entries.findIndex(({ name }) => name === selection.active.peek())
      const next = entries[at < 0 ? 0 : Math.max(0, Math.min(at + rows, entries.length - 1))]
      if (!next) return
      if (extend) selection.extendTo(next.name, names())
      selection.goTo(next.name)
    },
    onOpen: () => document.querySelector<HTMLElement>('.entry-row:focus .entry-name a')?.click(),
    onTick: () => {
      const entry = current()
      if (entry) selection.toggle(entry.name)
    },
    onRename() {
      const [entry, ...others] = concerned()
      if (entry && others.length === 0) actions.rename(entry)
    },
    onDelete: () => actions.remove(concerned()),
    onAll: () => void level.loadAll().then((all) => selection.all(all.map(({ name }) => name))),
    onCut: () => actions.cut(concerned()),
    onEscape: () => selection.clear(),
  })
}
