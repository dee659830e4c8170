import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { errorText } from '../api.js'

export interface DialogFormProps {
  /** The label of the submit button. */
  action: string
  /** Its error is shown, and the form stays open. */
  onSubmit(): Promise<void>
  /** Highlights the submit button as what cannot be undone; default false. */
  isDanger?: boolean
  /** Whether it can be submitted; default true. */
  isReady?: boolean
  /** The other button. */
  other: { label: string; onClick(): void }
  children: ComponentChildren
}

/** The fields of a dialog, with an error and two buttons below. */
export function DialogForm({ action, isDanger = false, isReady = true, onSubmit, other, children }: DialogFormProps) {
  const [error, setError] = useState<string | null>(null)

  async function submit(event: Event) {
    event.preventDefault()
    try {
      await onSubmit()
    } catch (failure) {
      setError(errorText(failure))
    }
  }

  return (
    <form onSubmit={submit} class="stack">
      {children}
      {error && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={other.onClick}>
          {other.label}
        </button>
        <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={!isReady}>
          {action}
        </button>
      </div>
    </form>
  )
}
