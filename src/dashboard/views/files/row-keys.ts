import { useLayoutEffect } from 'preact/hooks'

/** What the keys of a list do; the other keys are the browser's. */
export interface RowKeys {
  /** By so many rows; `extend`: what lies between is ticked. */
  onMove(rows: number, extend: boolean): void
  onOpen(): void
  onTick(): void
  onRename(): void
  onDelete(): void
  onAll(): void
  onCut(): void
  onEscape(): void
}

/** Follows the keys wherever the focus is, except in a field, a menu or a dialog. */
export function useRowKeys(keys: RowKeys): void {
  // At once: the next key must find what this one has changed.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isElsewhere(event.target)) return
      const action = actionOf(event, keys)
      if (!action) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  })
}

function actionOf(event: KeyboardEvent, keys: RowKeys): (() => void) | undefined {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event
  if (altKey) return undefined
  if (ctrlKey || metaKey) return { a: keys.onAll, x: keys.onCut }[key.toLowerCase()]
  const isOnRow = event.target instanceof Element && event.target.matches('.entry-row')
  switch (key) {
    case 'ArrowDown':
      return () => keys.onMove(1, shiftKey)
    case 'ArrowUp':
      return () => keys.onMove(-1, shiftKey)
    case 'Enter':
      return isOnRow ? keys.onOpen : undefined
    case ' ':
      return isOnRow ? keys.onTick : undefined
    case 'F2':
      return keys.onRename
    case 'Delete':
      return keys.onDelete
    case 'Escape':
      return keys.onEscape
    case '/':
      return () => document.querySelector<HTMLElement>('#main input[type=search]')?.focus()
    default:
      return undefined
  }
}

/** Where keys mean something else. */
function isElsewhere(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]')) return true
  if (!(target instanceof Element)) return false
  return target.closest('input:not([type=checkbox]), textarea, select, [popover], video, audio') !== null
}
