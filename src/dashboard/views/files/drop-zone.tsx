import { useEffect, useState } from 'preact/hooks'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { toastError } from '../../parts/toasts.js'
import { type ChosenFile, droppedFiles } from '../../uploads/dropped-files.js'
import { phrase, say } from '../../words/say.js'

interface DropZoneProps {
  /** The open folder. */
  folder: string
  /** Called with the folder that they were dropped onto. */
  onFiles(files: ChosenFile[], folder: string): void
}

/**
 * Files can be dropped anywhere on the page, into the open folder, and onto the row or the link of another one. While
 * something is dragged, it says which.
 */
export function DropZone({ folder, onFiles }: DropZoneProps) {
  const [into, setInto] = useState<string | null>(null)
  useEffect(() => {
    // Entering a child fires before leaving its parent, so count them.
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const show = (change: number) => {
      depth = Math.max(0, depth + change)
      if (depth === 0) setInto(null)
    }
    const onEnter = (event: DragEvent) => hasFiles(event) && show(1)
    const onLeave = (event: DragEvent) => hasFiles(event) && show(-1)
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setInto(folderUnder(event) ?? folder)
    }
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      show(-depth)
      const target = folderUnder(event) ?? folder
      droppedFiles(event.dataTransfer)
        .then((files) => onFiles(files, target))
        .catch((error: unknown) => toastError(say('files.dropUnreadable'), error))
    }
    addEventListener('dragenter', onEnter)
    addEventListener('dragleave', onLeave)
    addEventListener('dragover', onOver)
    addEventListener('drop', onDrop)
    return () => {
      removeEventListener('dragenter', onEnter)
      removeEventListener('dragleave', onLeave)
      removeEventListener('dragover', onOver)
      removeEventListener('drop', onDrop)
    }
  }, [folder, onFiles])
  if (into === null) return null
  return (
    <div class="drop-zone">
      <p>
        <Icon name="upload" />
        <strong>
          {into === '' ? say('files.drop') : phrase('files.dropInto', { folder: <FileName name={into} /> })}
        </strong>
      </p>
    </div>
  )
}

/** The folder whose row or link is under the pointer. */
export function folderUnder({ target }: Event): string | undefined {
  const place = target instanceof Element ? target.closest<HTMLElement>('[data-folder]') : null
  return place?.dataset.folder
}
