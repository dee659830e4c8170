import type { SingleBar } from 'cli-progress'
import type { Ora } from 'ora'
import { formatBytes, formatTimeLeft } from '../protocol/units.js'
import { visible } from './escape.js'
import type { Output } from './output.js'
import { RateMeter } from './rate-meter.js'

/** Shows how far a transfer is. Every method may be called at any time, and costs nothing where nothing is shown. */
export interface Progress {
  /** A spinner with words, while there is nothing to count. */
  say(words: string): void
  /** A bar for a transfer of `total` bytes, `done` of which are there already; null where the total is not known. */
  begin(name: string, total: number | null, done?: number): void
  /** More bytes have moved. */
  advance(bytes: number): void
  /** Takes bar and spinner away, so that words can be written. */
  end(): void
}

/** Bars and spinners on a terminal's stderr; nothing anywhere else, and then nothing is loaded for it either. */
export async function openProgress(output: Output): Promise<Progress> {
  if (!output.interactive) return { say() {}, begin() {}, advance() {}, end() {} }
  const [{ default: ora }, { default: cliProgress }] = await Promise.all([import('ora'), import('cli-progress')])
  // ora would take over stdin, which may be the file that is sent, and both would listen for Ctrl-C.
  const openSpinner = () =>
    ora({ stream: output.stderr, discardStdin: false, hideCursor: false, color: output.color ? 'cyan' : false })
  const openBar = () =>
    new cliProgress.SingleBar({
      stream: output.stderr,
      format: '{name} [{bar}] {percentage}% {amount} {rate} {left}',
      barsize: 24,
      barCompleteChar: '=',
      barIncompleteChar: '-',
      hideCursor: null,
      clearOnComplete: true,
      gracefulExit: false,
      fps: 10,
    })
  return new TerminalProgress(openSpinner, openBar, output.stderr)
}

const frameMs = 100
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

  advance(bytes: number): void {
    this.#done += bytes
  }

  end(): void {
    clearInterval(this.#timer)
    this.#bar?.stop()
    this.#spinner?.stop()
    if (this.#bar) this.#stderr.write('\r\u001b[K')
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
