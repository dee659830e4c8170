import type { SingleBar } from 'cli-progress'
import type { Ora } from 'ora'
import { formatBytes, formatTimeLeft } from '../protocol/units.js'
import { visible } from './escape.js'
import type { Output } from './output.js'
import { RateMeter } from './rate-meter.js'
import { barOpener, closeBar, frameMs } from './terminal-bar.js'

/** Shows the progress of a transfer. All methods may be called at any time, and do nothing if progress is not shown. */
export interface Progress {
  /** Shows a spinner with a text while nothing can be counted. */
  say(words: string): void
  /**
   * Starts a bar for a transfer of `total` bytes, `done` of which were transferred before; null if the total is
   * unknown.
   */
  begin(name: string, total: number | null, done?: number): void
  /** Changes the name that is shown, where one is. */
  rename?(name: string): void
  /** Adds transferred bytes. */
  advance(bytes: number): void
  /** Removes the bar and the spinner, so that text can be printed. */
  end(): void
}

export const noProgress: Progress = { say() {}, begin() {}, advance() {}, end() {} }

/** Progress on the stderr of a terminal; elsewhere nothing is shown or loaded. */
export async function openProgress(output: Output): Promise<Progress> {
  if (!output.interactive) return noProgress
  const format = '{name} [{bar}] {percentage}% {amount} {rate} {left}'
  const [{ default: ora }, openBar] = await Promise.all([import('ora'), barOpener(output, format, 24)])
  // ora would take over stdin, which may be the file to upload, and both would handle Ctrl-C.
  const openSpinner = () =>
    ora({ stream: output.stderr, discardStdin: false, hideCursor: false, color: output.color ? 'cyan' : false })
  return new TerminalProgress(openSpinner, openBar, output.stderr)
}

const longestName = 32

class TerminalProgress implements Progress {
  readonly #openSpinner: () => Ora
  readonly #openBar: () => SingleBar
  readonly #stderr: NodeJS.WriteStream
  #spinner: Ora | undefined
  #bar: SingleBar | undefined
  #timer: NodeJS.Timeout | undefined
  #name = ''
  #total: number | null = null
  #done = 0
  #meter = new RateMeter(0, 0)

  constructor(openSpinner: () => Ora, openBar: () => SingleBar, stderr: NodeJS.WriteStream) {
    this.#openSpinner = openSpinner
    this.#openBar = openBar
    this.#stderr = stderr
  }

  say(words: string): void {
    this.end()
    this.#spinner = this.#openSpinner().start(visible(words))
  }

  begin(name: string, total: number | null, done = 0): void {
    this.end()
    this.#name = shorten(visible(name))
    this.#total = total
    this.#done = done
    this.#meter = new RateMeter(done, performance.now())
    if (total === null) this.#spinner = this.#openSpinner().start(this.#name)
    else {
      this.#bar = this.#openBar()
      this.#bar.start(Math.max(total, 1), done, this.#words())
    }
    this.#timer = setInterval(() => this.#draw(), frameMs)
  }

  rename(name: string): void {
    this.#name = visible(name)
  }

  advance(bytes: number): void {
    this.#done += bytes
  }

  end(): void {
    clearInterval(this.#timer)
    if (this.#bar) closeBar(this.#bar, this.#stderr)
    this.#spinner?.stop()
    this.#bar = undefined
    this.#spinner = undefined
  }

  #draw(): void {
    const words = this.#words()
    this.#bar?.update(this.#done, words)
    if (this.#spinner) this.#spinner.text = `${words.name} ${words.amount} ${words.rate}`
  }

  #words() {
    const rate = this.#meter.measure(this.#done, performance.now())
    const left = this.#total === null || !rate ? '' : formatTimeLeft(((this.#total - this.#done) / rate) * 1000)
    const of = this.#total === null ? '' : ` of ${formatBytes(this.#total)}`
    return {
      name: this.#name,
      amount: `${formatBytes(this.#done)}${of}`,
      rate: rate === undefined ? '' : `${formatBytes(Math.round(rate))}/s`,
      left: left === '' ? '' : `${left} left`,
    }
  }
}

function shorten(name: string): string {
  const characters = [...name]
  return characters.length > longestName ? `…${characters.slice(1 - longestName).join('')}` : name
}
