import { useEffect, useState } from 'preact/hooks'
import { Icon } from './icon.js'

interface SearchProps {
  label: string
  /** What it begins with; default: nothing. */
  text?: string
  onSearch(text: string): void
}

/** A search field that reports its text when the user stops typing. */
export function Search({ label, text: given = '', onSearch }: SearchProps) {
  const [text, setText] = useState<string | null>(null)
  const shown = text ?? given
  useEffect(() => {
    if (text === null) return
    const timer = setTimeout(() => onSearch(text.trim().normalize('NFC')), 200)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <Icon name="search" />
      <span class="hidden">{label}</span>
      <input type="search" placeholder={label} value={shown} onInput={(event) => setText(event.currentTarget.value)} />
    </label>
  )
}
