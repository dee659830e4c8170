import { useLayoutEffect } from 'preact/hooks'
import { type ChosenFile, chosenFiles } from '../../uploads/dropped-files.js'

/** Calls back for what is pasted, which may be no files; not for text that is pasted into a field. */
export function usePaste(onPaste: (files: ChosenFile[]) => void): void {
  useLayoutEffect(() => {
    const listen = (event: ClipboardEvent) => {
      const isField = event.target instanceof Element && event.target.closest('input:not([type=checkbox]), textarea')
      if (isField || document.querySelector('dialog[open]')) return
      onPaste(chosenFiles(event.clipboardData?.files ?? null))
    }
    addEventListener('paste', listen)
    return () => removeEventListener('paste', listen)
  })
}
