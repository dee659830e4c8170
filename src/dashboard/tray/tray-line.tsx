import type { RefObject } from 'preact'
import { formatBytes } from '../../protocol/units.js'
import { Bar } from '../parts/bar.js'
import { Icon } from '../parts/icon.js'
import { formatRate } from '../words/amounts.js'
import { say } from '../words/say.js'
import { progressOf, type TrayContents, type TrayProgress, wordsOfEnd, wordsOfState } from './tray-contents.js'

interface TrayLineProps {
  contents: TrayContents
  isOpen: boolean
  onToggle(): void
  toggleButton: RefObject<HTMLButtonElement | null>
  bodyId: string
}

/** The tray in one line. What changes all the time is not read out. */
export function TrayLine({ contents, isOpen, onToggle, toggleButton, bodyId }: TrayLineProps) {
  const words = wordsOfState(contents)
  const progress = progressOf(contents)
  const { needs, running } = contents
  const icon = needs.count > 0 ? 'alert' : running.count === 0 ? 'check' : progress ? 'upload' : 'download'
  return (
    <div class={`tray-line ${needs.count > 0 ? 'needs-you' : running.count > 0 ? 'is-running' : ''}`}>
      <Icon name={icon} />
      <p class="tray-words">
        <span role="status">{words}</span>
        {words === '' && <span>{wordsOfEnd(contents)}</span>}
      </p>
      {progress && (
        <>
          <p class="tray-numbers dim">{numbersOf(progress)}</p>
          <Bar percent={progress.percent} label={say('tray.allUploads')} />
        </>
      )}
      <button
        ref={toggleButton}
        type="button"
        class="tray-toggle"
        aria-label={say('tray.toggle')}
        aria-expanded={isOpen}
        aria-controls={bodyId}
        onClick={onToggle}
      >
        <Icon name="chevron" />
      </button>
    </div>
  )
}

function numbersOf({ files, bytes, size, rate }: TrayProgress): string {
  const parts = [
    say('amount.filesOf', { done: files.done, count: files.all }),
    say('tray.bytesOf', { bytes: formatBytes(bytes), size: formatBytes(size) }),
    rate > 0 && formatRate(rate),
  ]
  return parts.filter(Boolean).join(' · ')
}
