import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { say } from '../words/say.js'
import { IconButton } from './icon-button.js'

export interface DialogProps {
  title: ComponentChildren
  onClose(): void
  children: ComponentChildren
  wide?: boolean
}

/** A modal dialog: it takes the focus, and restores it. Escape and a click outside close it. */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  const isGone = useRef(false)
  // Before painting: an immediate Escape must find it open.
  useLayoutEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      isGone.current = true
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog of the browser's own accord
    <dialog
      ref={ref}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onClose={() => {
        // The event of a dialog that made room for another one arrives when that one is there.
        if (!isGone.current) onClose()
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={say('states.close')} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  )
}
