import { formatBytes } from '../../protocol/units.js'
import { say } from '../words/say.js'

/** The line of one file in the list. */
export interface SendingRow {
  /** Bytes that the server has; shown with the whole. */
  progress(bytes: number): void
  say(words: string): void
  fail(words: string): void
  /** It has ended, in whatever way: it cannot be cancelled any more. */
  end(words: string): void
}

/** Adds a line to the list. `onCancel` is called once at most. */
export function addSendingRow(
  list: HTMLElement,
  { name, size }: { name: string; size: number },
  onCancel: () => void,
): SendingRow {
  const [item, title, state, cancel, bar] = (['li', 'span', 'span', 'button', 'progress'] as const).map((tag) =>
    document.createElement(tag),
  ) as [HTMLLIElement, HTMLSpanElement, HTMLSpanElement, HTMLButtonElement, HTMLProgressElement]
  item.className = 'file'
  title.className = 'name'
  title.textContent = name
  state.textContent = say('send.waiting')
  cancel.type = 'button'
  cancel.textContent = say('send.cancel')
  cancel.setAttribute('aria-label', say('send.cancelOne', { name }))
  cancel.addEventListener('click', onCancel, { once: true })
  bar.max = Math.max(1, size)
  bar.value = 0
  bar.setAttribute('aria-label', say('send.bar', { name }))
  item.append(title, state, cancel, bar)
  list.append(item)
  const end = (words: string) => {
    cancel.remove()
    bar.remove()
    state.textContent = words
  }
  return {
    progress(bytes) {
      bar.value = bytes
      state.textContent = say('tray.bytesOf', { bytes: formatBytes(bytes), size: formatBytes(size) })
    },
    say(words) {
      state.textContent = words
    },
    fail(words) {
      end(say('send.notSent'))
      const reason = document.createElement('span')
      reason.className = 'failed'
      reason.textContent = words
      item.append(reason)
    },
    end,
  }
}
