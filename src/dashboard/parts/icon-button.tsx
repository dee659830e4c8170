import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.js'

export interface IconButtonProps {
  icon: IconName
  /** What it does, with what it does it to: read out and shown as a hint. */
  label: string
  onClick(): void
  disabled?: boolean
  /** `danger` stands out, `careful` only under the pointer. */
  tone?: 'danger' | 'careful'
  children?: ComponentChildren
}

export function IconButton({ icon, label, onClick, disabled, tone, children }: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button${tone ? ` ${tone}` : ''}`}
      aria-label={label}
      title={label}
      onClick={onClick}
      disabled={disabled}
    >
      <Icon name={icon} />
      {children}
    </button>
  )
}
