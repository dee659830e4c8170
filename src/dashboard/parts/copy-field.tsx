import { useState } from 'preact/hooks'
import { Icon } from './icon.js'

/** A text to copy: selected on focus, copied by the button. */
export function CopyField({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <div class="copy-field">
      <input readOnly value={text} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
      <button
        type="button"
        onClick={async () => {
          await copy(text)
          setCopied(true)
          setTimeout(() => setCopied(false), 2000)
        }}
      >
        <Icon name={copied ? 'check' : 'copy'} />
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}

/** The clipboard API is available over https only; elsewhere, users can copy the selection. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  const place = document.activeElement?.closest('dialog') ?? document.body
  place.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
