/**
 * A file name as text: isolated, so that right-to-left names do not reorder the surrounding text, and with invisible
 * characters shown as code points. Folders are dimmed.
 */
export function FileName({ name }: { name: string }) {
  // The slash at the end of a folder's name belongs to it.
  const slash = name.lastIndexOf('/', name.length - 2) + 1
  return (
    <bdi class="file-name" title={name}>
      {slash > 0 && <span class="folders">{visible(name.slice(0, slash))}</span>}
      <span class="base">{visible(name.slice(slash))}</span>
    </bdi>
  )
}

/** Direction marks, zero-width characters and tags; joiners are kept, because emoji and many scripts need them. */
const hidden = /([\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff])/u

function visible(text: string) {
  const parts = text.split(hidden)
  if (parts.length === 1) return text
  return parts.map((part, index) => (index % 2 === 1 ? <MarkShown key={index} mark={part} /> : part))
}

function MarkShown({ mark }: { mark: string }) {
  const number = `U+${mark.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  return <span class="mark">{number}</span>
}
