import { useLayoutEffect } from 'preact/hooks'
import { folderUnder } from './drop-zone.js'

/** What is dragged from the list; empty while nothing is. */
let dragged: readonly string[] = []

/** Begins to drag entries. */
export function beginDrag(event: DragEvent, names: readonly string[]): void {
  dragged = names
  event.dataTransfer?.setData('text/plain', names.join('\n'))
  if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move'
}

interface RowDrag {
  canDrop(names: readonly string[], folder: string): boolean
  onDrop(names: readonly string[], folder: string): void
}

/** Rows can be dragged onto a folder's row, and onto the link of one above. */
export function useRowDrag({ canDrop, onDrop }: RowDrag): void {
  useLayoutEffect(() => {
    const targetOf = (event: Event) => {
      const folder = dragged.length === 0 ? undefined : folderUnder(event)
      return folder !== undefined && canDrop(dragged, folder) ? folder : undefined
    }
    const onOver = (event: DragEvent) => {
      if (dragged.length === 0) return
      const folder = targetOf(event)
      mark(folder === undefined ? null : event.target)
      if (folder !== undefined) event.preventDefault()
    }
    const onDropped = (event: DragEvent) => {
      const folder = targetOf(event)
      if (folder === undefined) return
      event.preventDefault()
      onDrop(dragged, folder)
    }
    const onEnd = () => {
      dragged = []
      mark(null)
    }
    addEventListener('dragover', onOver)
    addEventListener('drop', onDropped)
    addEventListener('dragend', onEnd)
    return () => {
      removeEventListener('dragover', onOver)
      removeEventListener('drop', onDropped)
      removeEventListener('dragend', onEnd)
    }
  })
}

function mark(target: EventTarget | null): void {
  const place = target instanceof Element ? target.closest('[data-folder]') : null
  for (const other of document.querySelectorAll('.is-target')) if (other !== place) other.classList.remove('is-target')
  place?.classList.add('is-target')
}
