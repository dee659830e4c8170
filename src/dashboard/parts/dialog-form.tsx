import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { errorText } from '../api.js'
import { say } from '../words/say.js'

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

/** The fields of a dialog, with an error and two buttons below. It is submitted once at a time. */
export function DialogForm({ action, isDanger = false, isReady = true, onSubmit, other, children }: DialogFormProps) {
  const [error, setError] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)

  async function submit(event: Event) {
    event.preventDefault()
    // Enter submits a form whose button is disabled in some browsers.
    if (isBusy) return
    setError(null)
    setBusy(true)
    try {
      await onSubmit()
    } catch (failure) {
      setError(errorText(failure))
    }
    setBusy(false)
  }

  return (
    <form onSubmit={submit} class="stack" aria-busy={isBusy}>
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
        <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={!isReady || isBusy}>
          {isBusy ? say('states.busy') : action}
        </button>
      </div>
    </form>
  )
}
