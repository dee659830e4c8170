import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.js'

export interface IconButtonProps {
  icon: IconName
  /** The action and its object, for screen readers and as a tooltip. */
  label: string
  onClick(): void
  disabled?: boolean
  /** `danger` is always highlighted, `careful` only on hover. */
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
