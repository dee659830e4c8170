import type { FileRecord } from '../../../../protocol/files.js'
import { say } from '../../../words/say.js'
import { baseOf } from '../entries.js'

export interface CopyFactsProps {
  copies: readonly FileRecord[]
  hrefOf(file: FileRecord): string
}

/** The other files of the open folder that have the same content; nothing if there are none. */
export function CopyFacts({ copies, hrefOf }: CopyFactsProps) {
  if (copies.length === 0) return null
  const shown = copies.slice(0, maxShown)
  return (
    <>
      <dt>{say('files.copies')}</dt>
      <dd>
        <ul class="plain-list">
          {shown.map((copy) => (
            <li key={copy.name}>
              <a href={hrefOf(copy)}>{baseOf(copy.name)}</a>
            </li>
          ))}
        </ul>
        {copies.length > maxShown && say('files.moreCopies', { count: copies.length - maxShown })}
      </dd>
    </>
  )
}

/** Those of the files that have the content of this one, as far as their digests are known. */
export function copiesOf({ name, size, sha256 }: FileRecord, files: readonly FileRecord[]): FileRecord[] {
  if (sha256 === null) return []
  return files.filter((other) => other.name !== name && other.size === size && other.sha256 === sha256)
}

const maxShown = 5
