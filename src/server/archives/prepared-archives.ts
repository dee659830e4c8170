import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Clock } from '../clock.js'
import { unlessAborted } from '../concurrency/abortable.js'
import { deferred } from '../concurrency/deferred.js'
import type { Job } from '../jobs/job.js'
import type { JobRequest } from '../jobs/job-request.js'
import { runJob } from '../jobs/run-job.js'
import type { ExportOutput } from '../transfers/export-output.js'
import type { ArchiveExports, ArchiveOrder } from './archive-exports.js'

/** The response of the request that fetches an archive. */
export type ArchiveOutput = ExportOutput & Required<Pick<JobRequest, 'left' | 'hungUp'>>

export interface PreparedArchiveServices {
  archives: Pick<ArchiveExports, 'check' | 'admit' | 'sendIn'>
  clock: Clock
  /** Called with server errors while an archive is being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

interface Prepared {
  order: ArchiveOrder
  fetch(output: ArchiveOutput): void
  /** Settles when the job has ended. */
  result: Promise<void>
}

/**
 * Archives whose job begins before the request that fetches them. A download of a browser is an address, which cannot name
 * many files: one request names them, and another one of the same session gets the bytes.
 */
export class PreparedArchives {
  readonly #services: PreparedArchiveServices
  readonly #prepared = new Map<string, Prepared>()

  constructor(services: PreparedArchiveServices) {
    this.#services = services
  }

  /**
   * Claims a slot; the job runs from then on, and fails with `stalled` if nothing fetches it within 30 s. Throws
   * `file-not-found`, `file-damaged`, and the errors of `Jobs.admit`.
   */
  async prepare(order: ArchiveOrder): Promise<Job> {
    const { archives, clock } = this.#services
    await archives.check(order.selection)
    const fetched = deferred<ArchiveOutput>()
    const { job, result } = await runJob(archives.admit(order), async (run) => {
      run.stopWhenRevoked(order.identity)
      const cancel = clock.after(fetchWithinMs, () => fetched.reject(notFetched()))
      run.onEnd(cancel)
      const output = await unlessAborted(fetched.promise, run.signal)
      cancel()
      await archives.sendIn(run, { ...order, ...output, partOf: null, repeater: null })
    })
    this.#prepared.set(job.id, { order, fetch: fetched.resolve, result })
    result.catch(() => {}).finally(() => this.#prepared.delete(job.id))
    return job
  }

  /** What was prepared by this session, and not fetched yet. Throws `job-not-found`. */
  get(id: string, identity: Identity): ArchiveOrder {
    return this.#get(id, identity).order
  }

  /**
   * Sends it and ends the response; resolves whatever the outcome. Throws only before the first byte is written:
   * `job-not-found`, also if it was fetched before, and the reason why the job has ended.
   */
  async send(id: string, identity: Identity, output: ArchiveOutput): Promise<void> {
    const { fetch, result } = this.#get(id, identity)
    this.#prepared.delete(id)
    let hasBegun = false
    const begin = (job: Job) => {
      output.begin(job)
      hasBegun = true
    }
    fetch({ ...output, begin })
    await result.catch((problem: Problem) => {
      if (!hasBegun) throw problem
      if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
    })
  }

  #get(id: string, { sessionId }: Identity): Prepared {
    const prepared = this.#prepared.get(id)
    if (prepared?.order.identity.sessionId === sessionId) return prepared
    throw new Problem('job-not-found', `There is no archive to be fetched of a job "${id}".`)
  }
}

function notFetched(): Problem {
  return new Problem('stalled', `Nothing has fetched the archive within ${fetchWithinMs / 1000} s.`)
}

/** A page fetches at once; its slot is not held for one that has left. */
const fetchWithinMs = 30_000
