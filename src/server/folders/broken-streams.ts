import type { ArrivingFiles } from '../jobs/arriving-files.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'

/**
 * The requests with several files that broke, in a job that publishes all files or none. What else they would have brought
 * is unknown, so each counts as a failure of its folder until it has been repeated.
 */
export class BrokenStreams {
  readonly #job: Job
  readonly #broken = new Map<string, { folder: string; last: string | null }>()

  constructor(job: Job) {
    this.#job = job
  }

  /** `folder`: the prefix of the names. */
  add(folder: string, { last }: Pick<ArrivingFiles, 'last'>, error: unknown): void {
    const { code, message } = asProblem(error)
    const words = `A request broke, and not all of its files have arrived: send it again. ${message}`
    this.#broken.set(`${folder}\n${last ?? ''}`, { folder, last })
    this.#job.countFiles((tally) => tally.fail(nameOf(folder), { code, message: words }))
  }

  /**
   * A request has arrived whole. It repeats those that broke if it has the file that had begun last in them, because a tar
   * or form of other files has not. If none had begun, its folder decides.
   */
  repeat(folder: string, files: ArrivingFiles): void {
    this.#drop((broken) => (broken.last === null ? broken.folder === folder : files.has(broken.last)))
  }

  /** Nothing is missing if as many files have arrived as the job was to have. */
  settle(): void {
    const { total, done } = this.#job.files!.record()!
    if (total !== null && done >= total) this.#drop(() => true)
  }

  #drop(isRepeated: (broken: { folder: string; last: string | null }) => boolean): void {
    const before = [...this.#broken]
    for (const [key, broken] of before) if (isRepeated(broken)) this.#broken.delete(key)
    const left = new Set([...this.#broken.values()].map(({ folder }) => folder))
    const recovered = before.map(([, { folder }]) => folder).filter((folder) => !left.has(folder))
    if (recovered.length === 0) return
    this.#job.countFiles((tally) => {
      for (const folder of recovered) tally.recover(nameOf(folder))
    })
  }
}

/** Ends with a slash, unlike the name of a file. */
function nameOf(folder: string): string {
  return folder || '/'
}
