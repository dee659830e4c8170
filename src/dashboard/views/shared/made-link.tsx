import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { CopyField } from '../../parts/copy-field.js'
import { say } from '../../words/say.js'

export interface MadeLinkProps {
  url: string
  label: string
  /** What the receiver can do, and how long. */
  hint: ComponentChildren
  /** Empty if it has none. It is not shown again. */
  password: string
  onClose(): void
}

/** A link that was just made, to be sent. */
export function MadeLink({ url, label, hint, password, onClose }: MadeLinkProps) {
  const place = useRef<HTMLDivElement>(null)
  // The form that had the focus is gone.
  useLayoutEffect(() => place.current?.querySelector('button')?.focus(), [])
  return (
    <div class="stack" ref={place}>
      <div class="field">
        <span>{label}</span>
        <CopyField text={url} label={label} />
      </div>
      {password !== '' && (
        <div class="field">
          <span>{say('share.thePassword')}</span>
          <CopyField text={password} label={say('share.thePassword')} />
        </div>
      )}
      <p class="hint">
        {hint} {password !== '' && say('share.passwordHint')}
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {say('shared.done')}
        </button>
      </div>
    </div>
  )
}
