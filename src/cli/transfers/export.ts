import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import { exportPath, jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { readBody } from './body.js'
import { askEnded, refuseEnded, wordEnd } from './broken-connection.js'
import { findSha256 } from './digests.js'
import { readAnswer, untilResponse } from './exchange.js'
import { hashAndWrite } from './hash-and-write.js'
import { type Hasher, openHasher } from './hasher.js'
import type { Memory } from './memory.js'
import { howToGoOn, type OwnJob } from './own-job.js'
import { readAhead } from './read-ahead.js'
import { isEndedByPause, isWorthRetrying, Retries } from './retries.js'
import type { Target } from './targets.js'
import { type Pace, paceHeaders, type TransferTools } from './tools.js'

/** What is exported: the name of a file, as one account of one server knows it. */
export interface Source {
  readonly server: string
  readonly owner: string
  readonly name: string
}

/** Where an export goes, and what is remembered of an earlier run to the same place. */
export interface Destination {
  /** Called once there is something to write, or, with `isOurs`, to go on with. */
  open(isOurs: boolean): Promise<Target>
  /** Where the target is none that can be gone on with, nothing is remembered. */
  readonly memory: Memory | undefined
}

export interface Exported {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Brings one file into its target, whole and with the digest that the server told, or not at all. A broken connection is
 * taken up where it broke, and over a part that an earlier run has left; where the file has changed meanwhile, it starts over.
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
  /** Bytes that are written and hashed, of the version with this entity tag. */
  #offset = 0
  #entityTag: string | undefined
  /** Whether an attempt has broken off of which the server may know more than we do, and could not be asked. */
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

  /** Closes what is open; what was written and is not published stays only with `keep`. */
  async close(keep: boolean): Promise<void> {
    this.#hasher?.close()
    if (!this.#target) return
    await this.#target.close(keep)
    if (!keep) await this.#destination.memory?.forget()
  }

  /** Takes up the part of an earlier run, where it is known which version of the file it is of. */
  async #recall(): Promise<void> {
    const notes = await this.#destination.memory?.recall()
    if (notes === 'busy') throw new Failure('refused', 'Another filejobs is exporting to the same place.')
    // The part of another export is nothing that this one may touch.
    const isOurs = Object.entries(this.#source).every(([key, value]) => notes?.[key] === value)
    if (notes?.entityTag === undefined || !isOurs) return
    this.#target = await this.#destination.open(true)
    const target = this.#target
    // At least one byte is asked for, also of a part that is whole: what answers it tells the digest.
    const size = (target.part?.size ?? 0) - 1
    if (!target.part || size <= 0) return
    const { pool } = this.#tools.http
    this.#tools.progress.say(`${this.#name}: checking the part that is here`)
    const hasher = this.#openedHasher(null)
    const write = async () => this.#job.signal.throwIfAborted()
    await hashAndWrite(readAhead(target.part.handle, pool, 0, size), { pool, hasher, write }, () => {})
    this.#offset = size
    this.#entityTag = notes.entityTag
    this.#retries.reached(size)
    this.#tools.note(`Going on with ${this.#name}, which was begun before.`)
  }

  async #attempt(): Promise<{ announced: string | undefined }> {
    const job = this.#job
    const { api } = this.#tools
    if (this.#mustAsk) {
      await refuseEnded(api, job.id)
      job.id = randomUUID()
      this.#mustAsk = false
    }
    try {
      return await this.#request()
    } catch (error) {
      job.signal.throwIfAborted()
      this.#mustAsk = isNetworkError(error) && !(await askEnded(api, job.id))
      // Between two attempts there is nothing to stop, and an id counts once.
      job.begun = false
      if (!this.#mustAsk) job.id = randomUUID()
      throw error
    }
  }

  async #request(): Promise<{ announced: string | undefined }> {
    const { http, progress } = this.#tools
    const { waitSeconds } = this.#pace
    const job = this.#job
    const request = http.open('GET', exportPath(this.#name), {
      ...paceHeaders(this.#pace),
      ...this.#rangeHeaders(),
      [jobHeader]: job.id,
    })
    job.begun = waitSeconds === null
    if (!job.begun) progress.say(`${this.#name}: waiting for its turn`)
    request.end()
    try {
      const response = await untilResponse(request, job.signal)
      if (response.statusCode !== 200 && response.statusCode !== 206) throw await refusal(http.server, response)
      const body = readBody(response, http.pool)
      job.begun = true
      // Another stream of the same file may have begun the job, which then has an id of its own.
      job.id = String(response.headers[jobHeader.toLowerCase()] ?? job.id)
      await this.#startAt(response)
      await this.#receive(body, response)
      return { announced: findSha256(response.headers['repr-digest']) }
    } catch (error) {
      request.destroy()
      throw error
    }
  }

  #rangeHeaders(): Record<string, string> {
    if (this.#offset === 0 || this.#entityTag === undefined) return {}
    return { range: `bytes=${this.#offset}-`, 'if-range': this.#entityTag }
  }

  /** RFC 9110, section 13.1.5: 206 goes on with the version that we have a part of; 200 is all of another one. */
  async #startAt(response: IncomingMessage): Promise<void> {
    const goesOn = response.statusCode === 206
    if (goesOn && !response.headers['content-range']?.startsWith(`bytes ${this.#offset}-`)) {
      throw new Failure('unexpected', `The server sent another part of ${this.#name} than was asked for.`)
    }
    const target = await this.#openedTarget()
    if (!goesOn && this.#offset > 0) this.#tools.note(`${this.#name} has changed on the server: starting over.`)
    if (!goesOn) {
      // Also what a part of unknown origin holds.
      await target.restart(this.#offset)
      this.#hasher?.close()
      this.#hasher = undefined
      this.#offset = 0
    }
    this.#entityTag = response.headers.etag
    const { memory } = this.#destination
    if (this.#entityTag === undefined || !memory || !target.part) return
    this.#job.resumable = await memory.save({ ...this.#source, entityTag: this.#entityTag })
  }

  async #receive(body: AsyncIterable<Buffer>, response: IncomingMessage): Promise<void> {
    const { http, progress } = this.#tools
    const length = lengthOf(response)
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

function lengthOf(response: IncomingMessage): number | null {
  const length = response.headers['content-length']
  return length === undefined ? null : Number(length)
}

function damaged(name: string, sha256: string, announced: string): Problem {
  return new Problem('digest-mismatch', `${name} arrived damaged (SHA-256 ${sha256}, not ${announced}): try again.`)
}
