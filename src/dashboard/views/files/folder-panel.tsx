import type { ComponentChildren } from 'preact'
import type { FileRecord } from '../../../protocol/files.js'
import { formatBytes } from '../../../protocol/units.js'
import { Search } from '../../parts/search.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { goTo, hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import type { ListedEntry } from './entries.js'
import type { EntryActions } from './entry-actions.js'
import { EntryList } from './entry-list.js'
import type { ChoiceKind } from './entry-row.js'
import type { FolderListing } from './folder-listing.js'
import { chosenOf, useListKeys } from './list-keys.js'
import { canMoveInto } from './move-entries.js'
import { beginDrag, useRowDrag } from './row-drag.js'
import { SelectionBar } from './selection-bar.js'

export interface FolderPanelProps {
  label: string
  listing: FolderListing
  actions: EntryActions
  hrefOfFile(file: FileRecord): string
  /** Shown instead of entries if there are none. */
  none: ComponentChildren
  /** Shown next to the search field. */
  head?: ComponentChildren
}

/** The panel of a folder: search, totals, rows, and states. */
export function FolderPanel({ label, listing, actions, hrefOfFile, none, head }: FolderPanelProps) {
  const { wish, level, entries, selection } = listing
  useListKeys(listing, actions)
  const isOwn = wish.place.ops === undefined
  useRowDrag({ canDrop: canMoveInto, onDrop: actions.moveTo })
  const chosen = chosenOf(listing)
  const error = level.error.value
  const isEmpty = level.entries.value?.length === 0
  return (
    <section class="panel folder" aria-label={label}>
      {chosen.length > 0 && (
        <SelectionBar
          entries={chosen}
          onClear={() => selection.clear()}
          onDownload={() => actions.download(chosen)}
          {...(isOwn && {
            onMove: () => actions.askWhere(chosen),
            onDelete: () => actions.remove(chosen),
            onShare: () => actions.share(chosen),
          })}
        />
      )}
      <header class="panel-head" hidden={chosen.length > 0}>
        <Search
          key={wish.place.api + wish.place.folder}
          label={say('files.search')}
          text={wish.search}
          onSearch={(search) => goTo(hrefWith({ search }), { replace: true })}
        />
        <Totals listing={listing} />
        {head}
      </header>
      {error !== undefined && !entries && <Failed error={error} onRetry={() => level.reload()} />}
      {!entries && error === undefined && <Loading />}
      {entries?.length === 0 && !isEmpty && level.entries.value && <p class="dim">{say('files.allRemoved')}</p>}
      {isEmpty && (wish.search ? <NothingFits search={wish.search} /> : none)}
      {entries && entries.length > 0 && (
        <EntryList
          label={label}
          listing={listing}
          entries={entries}
          menuOf={actions.menuOf}
          hrefOfFile={hrefOfFile}
          onChoose={(entry, kind) => choose(listing, entry, kind)}
          onEnter={({ name }) => selection.enter(name)}
          {...(isOwn && {
            onDrag: (event: DragEvent, { name }: ListedEntry) =>
              beginDrag(event, selection.chosen.peek().has(name) ? [...selection.chosen.peek()] : [name]),
          })}
        />
      )}
    </section>
  )
}

function choose({ selection, entries = [] }: FolderListing, { name }: ListedEntry, kind: ChoiceKind): void {
  if (kind === 'toggle') selection.toggle(name)
  else if (kind === 'one') selection.only(name)
  else
    selection.extendTo(
      name,
      entries.map((entry) => entry.name),
    )
}

/** `2 folders, 12 files · 4.2 GiB`. */
function Totals({ listing: { wish, level, entries } }: { listing: FolderListing }) {
  const totals = level.totals.value
  if (!level.entries.value || !entries || entries.length === 0) return null
  if (!totals) {
    const count = entries.length
    if (wish.search === '') return null
    return <p class="totals dim">{say(level.hasMore.value ? 'files.foundMore' : 'files.found', { count })}</p>
  }
  const { folders, files, bytes } = totals
  const words = [
    folders > 0 && say('files.folders', { count: folders }),
    files > 0 && say('amount.files', { count: files }),
  ].filter(Boolean)
  return (
    <p class="totals dim">{[words.join(', '), bytes !== null && formatBytes(bytes)].filter(Boolean).join(' · ')}</p>
  )
}

function NothingFits({ search }: { search: string }) {
  return (
    <Empty icon="search" title={say('files.nothingFits')}>
      {say('files.nothingFitsText', { search })}
    </Empty>
  )
}
