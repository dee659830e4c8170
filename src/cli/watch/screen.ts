/** The terminal in full-screen mode, restored on close. */
export interface Screen {
  readonly columns: number
  readonly lines: number
  /** Replaces the screen with these lines; what does not fit is omitted. */
  draw(lines: readonly string[]): void
  /** Restores the terminal. Closing twice is not an error. */
  close(): void
}

export interface ScreenEvents {
  /** A key, as the terminal sends it. */
  onKey(key: string): void
  onResize(): void
}

/**
 * Takes over the terminal: the alternate screen, without a cursor, and each key as it is pressed if stdin is a
 * terminal.
 */
export function openScreen(
  { stdin, stdout }: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream },
  { onKey, onResize }: ScreenEvents,
): Screen {
  const onData = (data: Buffer) => {
    for (const key of data.toString('latin1')) onKey(key)
  }
  let isOpen = true
  stdout.write(`${otherScreen.on}${cursor.off}${wrapping.off}`)
  stdout.on('resize', onResize)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', onData)
  }
  return {
    get columns() {
      return stdout.columns || 80
    },
    get lines() {
      return stdout.rows || 24
    },
    draw(lines) {
      const fitting = lines.slice(0, this.lines)
      // Erase before writing: after a line that fills the width, the cursor is still on its last character.
      const erase = (index: number) => (index === fitting.length - 1 ? restOfScreen : restOfLine)
      stdout.write(home + fitting.map((line, index) => erase(index) + line).join('\r\n'))
    },
    close() {
      if (!isOpen) return
      isOpen = false
      stdout.off('resize', onResize)
      if (stdin.isTTY) {
        stdin.off('data', onData)
        stdin.setRawMode(false)
        stdin.pause()
      }
      stdout.write(`${wrapping.on}${cursor.on}${otherScreen.off}`)
    },
  }
}

/** Control sequences of ECMA-48 and xterm. */
const otherScreen = { on: '\u001b[?1049h', off: '\u001b[?1049l' }
const cursor = { on: '\u001b[?25h', off: '\u001b[?25l' }
const wrapping = { on: '\u001b[?7h', off: '\u001b[?7l' }
const home = '\u001b[H'
const restOfLine = '\u001b[K'
const restOfScreen = '\u001b[J'
