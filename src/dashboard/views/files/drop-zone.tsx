import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.js'
import { toastError } from '../../parts/toasts.js'
import { type ChosenFile, droppedFiles } from '../../uploads/dropped-files.js'

/** Files can be dropped anywhere on the page; while something is dragged, an overlay is shown. */
export function DropZone({ onFiles }: { onFiles(files: ChosenFile[]): void }) {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    // Entering a child fires before leaving its parent, so count them.
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const show = (change: number) => {
      depth = Math.max(0, depth + change)
      setIsOver(depth > 0)
    }
    const onEnter = (event: DragEvent) => hasFiles(event) && show(1)
    const onLeave = (event: DragEvent) => hasFiles(event) && show(-1)
    const onOver = (event: DragEvent) => hasFiles(event) && event.preventDefault()
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      show(-depth)
      droppedFiles(event.dataTransfer)
        .then(onFiles)
        .catch((error: unknown) => toastError('What was dropped cannot be read', error))
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
  }, [onFiles])
  if (!isOver) return null
  return (
    <div class="drop-zone">
      <div>
        <Icon name="upload" />
        <strong>Drop to upload</strong>
      </div>
    </div>
  )
}
