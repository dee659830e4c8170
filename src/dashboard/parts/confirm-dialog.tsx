import type { ComponentChildren } from 'preact'
import { say } from '../words/say.js'
import { Dialog } from './dialog.js'
import { DialogForm } from './dialog-form.js'

export interface ConfirmDialogProps {
  title: ComponentChildren
  /** The label of the button that does it. */
  action: string
  /** Its error is shown, and the dialog stays open; otherwise it closes. */
  onConfirm(): Promise<void>
  onClose(): void
  /** What will happen. */
  children: ComponentChildren
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ title, action, onConfirm, onClose, children }: ConfirmDialogProps) {
  async function confirm() {
    await onConfirm()
    onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <DialogForm action={action} isDanger onSubmit={confirm} other={{ label: say('shell.cancel'), onClick: onClose }}>
        <p class="dim">{children}</p>
      </DialogForm>
    </Dialog>
  )
}
