import { toast, toastError } from '../../parts/toasts.js'
import { removeSoon, undoMs } from '../../uploads/pending-removals.js'
import { phrase, say } from '../../words/say.js'
import type { ListedEntry } from './entries.js'
import { namesOf } from './move-entries.js'

/** Removes the entries after ten seconds, unless the one button of the message undoes it for all of them. */
export function removeEntries(entries: readonly ListedEntry[], onChange: () => void, returnFocus: () => void): void {
  let left = entries.length
  const failures: { name: string; error: unknown }[] = []
  const onEnd = (name: string, error: unknown) => {
    closeToast()
    if (error !== undefined) failures.push({ name, error })
    left -= 1
    if (left > 0) return
    if (failures.length > 0) {
      const names = namesOf(failures.map((failure) => failure.name))
      toastError(phrase('files.notDeleted', { names }), failures[0]!.error)
    }
    onChange()
  }
  const undo = () => {
    for (const undoOne of undos) undoOne()
  }
  const undos = entries.map((entry) => removeSoon(entry, (error) => onEnd(entry.name, error)))
  const closeToast = toast({
    tone: 'plain',
    title: phrase('files.deleted', { names: namesOf(entries.map(({ name }) => name)) }),
    action: { label: say('files.undo'), run: undo, returnFocus },
    forMs: undoMs,
  })
}
