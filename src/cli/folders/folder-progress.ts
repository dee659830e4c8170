import type { SingleBar } from 'cli-progress'
import { formatBytes, formatTimeLeft } from '../../protocol/units.js'
import type { Output } from '../output.js'
import type { Progress } from '../progress.js'
import { RateMeter } from '../rate-meter.js'
import { barOpener, closeBar, frameMs } from '../terminal-bar.js'
import { formatCount } from './transfer-report.js'

/** One progress bar for all files of a transfer. Its methods do nothing if progress is not shown. */
export interface FolderProgress {
  /** Starts the bar at `done`: the files that are unchanged or were transferred before. */
  begin(total: Amount, done: Amount): void
  /** Counts a file that has arrived, and `bytes` of it that `part` has not counted. */
  file(bytes: number): void
  /** Counts the bytes of one file as they arrive. */
  part(): Progress
  /** Removes the bar until its next frame, so that text can be printed. */
  clear(): void
  end(): void
}

export interface Amount {
  readonly files: number
  readonly bytes: number
}

export async function openFolderProgress(output: Output): Promise<FolderProgress> {
  if (!output.interactive) return noFolderProgress
  return new TerminalFolderProgress(await barOpener(output, '[{bar}] {percentage}% {amount}', 16), output.stderr)
}

const hiddenPart: Progress = { say() {}, begin() {}, advance() {}, end() {} }
export const noFolderProgress: FolderProgress = { begin() {}, file() {}, part: () => hiddenPart, clear() {}, end() {} }

class TerminalFolderProgress implements FolderProgress {
  readonly #openBar: () => SingleBar
  readonly #stderr: NodeJS.WriteStream
  #bar: SingleBar | undefined
  #timer: NodeJS.Timeout | undefined
  #total: Amount = { files: 0, bytes: 0 }
  #files = 0
  #bytes = 0
  #meter = new RateMeter(0, 0)

  constructor(openBar: () => SingleBar, stderr: NodeJS.WriteStream) {
    this.#openBar = openBar
    this.#stderr = stderr
  }

  begin(total: Amount, done: Amount): void {
    this.end()
    this.#total = total
    this.#files = done.files
    this.#bytes = done.bytes
    this.#meter = new RateMeter(done.bytes, performance.now())
    this.#draw()
    this.#timer = setInterval(() => this.#draw(), frameMs)
  }

  file(bytes: number): void {
    this.#files += 1
    this.#bytes += bytes
  }

  part(): Progress {
    let counted = 0
    const move = (to: number) => {
      this.#bytes += to - counted
      counted = to
    }
    return {
      say() {},
      // A retry starts at the offset that the server has kept.
      begin: (_name, _total, done = 0) => move(done),
      advance: (bytes) => move(counted + bytes),
      end() {},
    }
  }

  end(): void {
    clearInterval(this.#timer)
    this.clear()
  }

  clear(): void {
    if (this.#bar) closeBar(this.#bar, this.#stderr)
    this.#bar = undefined
  }

  #draw(): void {
    const payload = { amount: this.#words() }
    if (this.#bar) this.#bar.update(this.#bytes, payload)
    else {
      this.#bar = this.#openBar()
      this.#bar.start(Math.max(this.#total.bytes, 1), this.#bytes, payload)
    }
  }

  #words(): string {
    const rate = this.#meter.measure(this.#bytes, performance.now())
    const { files, bytes } = this.#total
    const words = [`${formatCount(this.#files)} of ${formatCount(files)} files`, amountOf(this.#bytes, bytes)]
    if (rate !== undefined) words.push(`${formatBytes(Math.round(rate))}/s`)
    if (rate) words.push(`${formatTimeLeft(((bytes - this.#bytes) / rate) * 1000)} left`)
    return words.join(' · ')
  }
}

/** `12.1 of 20.0 MiB`, `900.0 KiB of 20.0 MiB`. */
function amountOf(done: number, total: number): string {
  const [value, unit] = formatBytes(done).split(' ')
  const of = formatBytes(total)
  return of.endsWith(` ${unit}`) ? `${value} of ${of}` : `${value} ${unit} of ${of}`
}
