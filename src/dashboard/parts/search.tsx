import { useEffect, useState } from 'preact/hooks'
import { Icon } from './icon.js'

/** A search field that reports its text when the user stops typing. */
export function Search({ label, onSearch }: { label: string; onSearch(text: string): void }) {
  const [text, setText] = useState<string | null>(null)
  useEffect(() => {
    if (text === null) return
    const timer = setTimeout(() => onSearch(text.trim().normalize('NFC')), 200)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <Icon name="search" />
      <span class="hidden">{label}</span>
      <input
        type="search"
        placeholder={label}
        value={text ?? ''}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  )
}
