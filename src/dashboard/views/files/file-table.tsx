import { useState } from 'preact/hooks'
import type { FileRecord } from '../../../protocol/files.js'
import { formatBytes } from '../../../protocol/units.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { IconButton } from '../../parts/icon-button.js'
import { toast, toastError } from '../../parts/toasts.js'
import { removeSoon, undoMs } from '../../uploads/pending-removals.js'
import { formatShortTime } from '../../words/format.js'
import { ImportDialog } from '../data/import-dialog.js'
import { ShareDialog } from '../shared/share-dialog.js'
import { DownloadLink } from './download-link.js'
import { RenameDialog } from './rename-dialog.js'

type Doing = { what: 'rename' | 'share' | 'import'; file: FileRecord } | null

export interface FileTableProps {
  files: FileRecord[]
  /** The ops account that publishes them: they are read-only. */
  ops?: string
  onChange(): void
}

export function FileTable({ files, ops, onChange }: FileTableProps) {
  const [doing, setDoing] = useState<Doing>(null)
  const close = () => setDoing(null)
  const mayWrite = ops === undefined
  return (
    <>
      <div class="scroll-x">
        <table class="list files">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Changed
              </th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {files.map((file) => (
              <tr key={file.name} data-file={file.name}>
                <td class="name-cell">
                  <span class="kind-icon small">
                    <Icon name={isTable(file) ? 'table' : 'file'} />
                  </span>
                  <FileName name={file.name} />
                </td>
                <td class="number">{formatBytes(file.size)}</td>
                <td class="number">
                  <time dateTime={file.uploadedAt} title={new Date(file.uploadedAt).toLocaleString()}>
                    {formatShortTime(file.uploadedAt)}
                  </time>
                </td>
                <td class="row-actions">
                  {mayWrite && isTable(file) && (
                    <IconButton
                      icon="import"
                      label={`Import ${file.name} as a table`}
                      onClick={() => setDoing({ what: 'import', file })}
                    />
                  )}
                  <DownloadLink name={mayWrite ? file.name : `ops:${ops}/${file.name}`} />
                  {mayWrite && (
                    <>
                      <IconButton
                        icon="link"
                        label={`Share ${file.name}`}
                        onClick={() => setDoing({ what: 'share', file })}
                      />
                      <IconButton
                        icon="pencil"
                        label={`Rename ${file.name}`}
                        onClick={() => setDoing({ what: 'rename', file })}
                      />
                      <IconButton
                        icon="trash"
                        tone="careful"
                        label={`Delete ${file.name}`}
                        onClick={() => remove(file, onChange)}
                      />
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {doing?.what === 'rename' && <RenameDialog name={doing.file.name} onClose={close} onDone={onChange} />}
      {doing?.what === 'share' && <ShareDialog name={doing.file.name} onClose={close} />}
      {doing?.what === 'import' && <ImportDialog name={doing.file.name} onClose={close} />}
    </>
  )
}

function remove(file: FileRecord, onChange: () => void): void {
  const place = rows().findIndex(({ dataset }) => dataset.file === file.name)
  const name = <FileName name={file.name} />
  const undo = removeSoon(file, (error) => {
    closeToast()
    if (error !== undefined) toastError(<>Not deleted: {name}</>, error)
    onChange()
  })
  const closeToast = toast({
    tone: 'plain',
    title: <>Deleted {name}</>,
    action: { label: 'Undo', run: undo, returnFocus: () => focusRow(file.name, place) },
    forMs: undoMs,
  })
}

/** Focuses the row of a file, or the one that took its position. */
function focusRow(name: string, place: number): void {
  const all = rows()
  const row = all.find(({ dataset }) => dataset.file === name) ?? all[Math.min(place, all.length - 1)]
  const target = row?.querySelector<HTMLElement>('.row-actions button:last-child') ?? document.getElementById('main')
  target?.focus()
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('tr[data-file]')]
}

function isTable({ name, type }: FileRecord): boolean {
  return /\.(csv|tsv)$/i.test(name) || type.startsWith('text/csv')
}
