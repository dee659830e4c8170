import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { responseLength } from '../../protocol/body-length.js'
import { findSha256 } from '../../protocol/digest-fields.js'
import { Problem } from '../../protocol/problems.js'
import { exportPath, jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { readBody } from './body.js'
import { askEnded, refuseEnded, wordEnd } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import { hashAndWrite } from './hash-and-write.js'
import { type Hasher, openHasher } from './hasher.js'
import { howToGoOn, type OwnJob, streamHeaders } from './own-job.js'
import { readAhead } from './read-ahead.js'
import { isEndedByPause, isWorthRetrying, Retries } from './retries.js'
import { waitForSlot } from './slot-wait.js'
import type { Target } from './targets.js'
import { type Pace, paceHeaders, type TransferTools } from './tools.js'
import type { TransferState } from './transfer-state.js'

/** Identifies an export: a file name of one account on one server. */
export interface Source {
  readonly server: string
  readonly owner: string
  readonly name: string
}

/** The target of an export, and the resume state of an earlier run with the same target. */
export interface Destination {
  /** Called when there is something to write or, with `isOurs`, something to resume. */
  open(isOurs: boolean): Promise<Target>
  /** If the target cannot be resumed, no state is saved. */
  readonly transferState: TransferState | undefined
}

export interface Exported {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Exports one file to its target, whole and with the digest that the server declared, or not at all. Resumes broken
 * connections and parts of earlier runs; starts over if the file has changed.
 */
export async function exportFile(
  tools: TransferTools,
  source: Source,
  destination: Destination,
  pace: Pace,
  job: OwnJob,
): Promise<Exported> {
  const run = new ExportRun(tools, source, destination, pace, job)
  try {
    const exported = await run.run()
    await run.close(false)
    return exported
  } catch (error) {
    const canGoOn = job.signal.aborted || isWorthRetrying(error) || isEndedByPause(error)
    const keep = job.resumable && !job.stopped && canGoOn
    await run.close(keep)
    throw wordEnd(error, tools.http.server, 'export', source.name, keep ? howToGoOn : undefined)
  } finally {
    tools.progress.end()
  }
}

class ExportRun {
  readonly #tools: TransferTools
  readonly #source: Source
  readonly #name: string
  readonly #destination: Destination
  readonly #pace: Pace
  readonly #job: OwnJob
  readonly #retries: Retries
  #target: Target | undefined
  #hasher: Hasher | undefined
  /** Bytes written and hashed, of the version with this entity tag. */
  #offset = 0
  #entityTag: string | undefined
  /**
   * Whether an attempt failed of which the server may know more than the client, and the server could not be reached.
   */
  #mustAsk = false

  constructor(tools: TransferTools, source: Source, destination: Destination, pace: Pace, job: OwnJob) {
    this.#tools = tools
    this.#source = source
    this.#name = source.name
    this.#destination = destination
    this.#pace = pace
    this.#job = job
    this.#retries = new Retries(pace.retries)
  }

  async run(): Promise<Exported> {
    await this.#recall()
    const { announced } = await this.#retries.run(this.#name, this.#tools, this.#job.signal, () => this.#attempt())
    const sha256 = (await this.#openedHasher(0).digest()).toString('hex')
    if (announced !== undefined && announced !== sha256) throw damaged(this.#name, sha256, announced)
    await this.#job.checkpoint()
    await (await this.#openedTarget()).publish()
    return { bytes: this.#offset, sha256 }
  }

  /** Closes everything; unpublished bytes are kept only with `keep`. */
  async close(keep: boolean): Promise<void> {
    this.#hasher?.close()
    if (!this.#target) return
    await this.#target.close(keep)
    if (!keep) await this.#destination.transferState?.forget()
  }

  /** Resumes the part of an earlier run if its version of the file is known. */
  async #recall(): Promise<void> {
    const saved = await this.#destination.transferState?.recall()
    if (saved === 'busy') throw new Failure('refused', 'Another filejobs is exporting to the same place.')
    // The part belongs to another export: leave it alone.
    const isOurs = Object.entries(this.#source).every(([key, value]) => saved?.[key] === value)
    if (saved?.entityTag === undefined || !isOurs) return
    this.#target = await this.#destination.open(true)
    const target = this.#target
    // Request at least one byte, even if the part is complete: the response has the digest.
    const size = (target.part?.size ?? 0) - 1
    if (!target.part || size <= 0) return
    const { pool } = this.#tools.http
    this.#tools.progress.say(`${this.#name}: checking the part that is here`)
    const hasher = this.#openedHasher(null)
    const write = async () => this.#job.signal.throwIfAborted()
    await hashAndWrite(readAhead(target.part.handle, pool, 0, size), { pool, hasher, write }, () => {})
    this.#offset = size
    this.#entityTag = saved.entityTag
    this.#retries.reached(size)
    this.#tools.note(`Going on with ${this.#name}, which was begun before.`)
  }

  async #attempt(): Promise<{ announced: string | undefined }> {
    const job = this.#job
    const { api } = this.#tools
    if (this.#mustAsk) {
      await refuseEnded(api, job.partOf ?? job.id)
      job.id = randomUUID()
      this.#mustAsk = false
    }
    try {
      const { waitSeconds } = this.#pace
      return await waitForSlot(this.#tools, { name: this.#name, waitSeconds, signal: job.signal }, (seconds) =>
        this.#request(seconds),
      )
    } catch (error) {
      job.signal.throwIfAborted()
      this.#mustAsk = isNetworkError(error) && !(await askEnded(api, job.partOf ?? job.id))
      // Between two attempts there is nothing to stop, and an id can be used only once.
      job.begun = false
      if (!this.#mustAsk) job.id = randomUUID()
      throw error
    }
  }

  async #request(waitSeconds: number | null): Promise<{ announced: string | undefined }> {
    const { http } = this.#tools
    const job = this.#job
    const request = http.open('GET', exportPath(this.#name), {
      ...paceHeaders({ ...this.#pace, waitSeconds }),
      ...this.#rangeHeaders(),
      ...streamHeaders(job),
    })
    job.begun = waitSeconds === null
    request.end()
    try {
      const response = await untilResponse(request, job.signal)
      if (response.statusCode !== 200 && response.statusCode !== 206) throw await refusal(http.server, response)
      const body = readBody(response, http.pool)
      job.begun = true
      // Another stream of the same file may have started the job, which then has that id.
      job.id = String(response.headers[jobHeader.toLowerCase()] ?? job.id)
      await this.#startAt(response)
      await this.#receive(body, response)
      return { announced: findSha256(response.headers) }
    } catch (error) {
      request.destroy()
      throw error
    }
  }

  #rangeHeaders(): Record<string, string> {
    if (this.#offset === 0 || this.#entityTag === undefined) return {}
    return { range: `bytes=${this.#offset}-`, 'if-range': this.#entityTag }
  }

  /** RFC 9110, section 13.1.5: 206 continues the version of the part; 200 is the whole of another one. */
  async #startAt(response: IncomingMessage): Promise<void> {
    const goesOn = response.statusCode === 206
    if (goesOn && !response.headers['content-range']?.startsWith(`bytes ${this.#offset}-`)) {
      throw new Failure('unexpected', `The server sent another part of ${this.#name} than was asked for.`)
    }
    const target = await this.#openedTarget()
    if (!goesOn && this.#offset > 0) this.#tools.note(`${this.#name} has changed on the server: starting over.`)
    if (!goesOn) {
      // This also discards a part of unknown origin.
      await target.restart(this.#offset)
      this.#hasher?.close()
      this.#hasher = undefined
      this.#offset = 0
    }
    this.#entityTag = response.headers.etag
    const { transferState } = this.#destination
    if (this.#entityTag === undefined || !transferState || !target.part) return
    this.#job.resumable = await transferState.save({ ...this.#source, entityTag: this.#entityTag })
  }

  async #receive(body: AsyncIterable<Buffer>, response: IncomingMessage): Promise<void> {
    const { http, progress } = this.#tools
    const length = responseLength(response.headers)
    const total = length === null ? null : this.#offset + length
    progress.begin(this.#name, total, this.#offset)
    const { write } = await this.#openedTarget()
    const sinks = { pool: http.pool, hasher: this.#openedHasher(length), write, from: this.#offset }
    await hashAndWrite(body, sinks, (bytes) => {
      this.#offset += bytes
      progress.advance(bytes)
      this.#retries.reached(this.#offset)
    })
  }

  async #openedTarget(): Promise<Target> {
    this.#target ??= await this.#destination.open(false)
    return this.#target
  }

  #openedHasher(expectedBytes: number | null): Hasher {
    this.#hasher ??= openHasher(expectedBytes)
    return this.#hasher
  }
}

async function refusal(server: string, response: IncomingMessage): Promise<Error> {
  const { status, body, headers } = await readAnswer(response)
  return answeredProblem(server, status, body, headers)
}

function damaged(name: string, sha256: string, announced: string): Problem {
  return new Problem('digest-mismatch', `${name} arrived damaged (SHA-256 ${sha256}, not ${announced}): try again.`)
}
