import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Publication } from '../../../protocol/folder-jobs.js'
import { problemBody } from '../../../protocol/problems.js'
import { jobHeader } from '../../../protocol/routes.js'
import { linesType, type TarLine } from '../../../protocol/tars.js'
import type { Job } from '../../jobs/job.js'
import { asProblem } from '../../jobs/outcome.js'
import type { StoredEntry } from '../../tars/stored-entry.js'

/** The answer to a tar: a line for each file while the body arrives, if the client accepts that, and a last one. */
export class TarAnswer {
  readonly #outgoing: ServerResponse
  readonly #hasLines: boolean
  #jobId = ''

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#outgoing = outgoing
    this.#hasLines = (incoming.headers.accept ?? '').toLowerCase().includes(linesType)
  }

  begin(job: Job): void {
    this.#jobId = job.id
  }

  /** Resolves when the client has read enough for more lines. */
  async report(files: StoredEntry[]): Promise<void> {
    const outgoing = this.#outgoing
    if (!this.#hasLines || outgoing.destroyed) return
    this.#begin(200, linesType)
    const isTaken = outgoing.write(files.map((file) => `${JSON.stringify(lineOf(file))}\n`).join(''))
    if (isTaken || outgoing.writableLength < maxUnreadBytes) return
    await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')])
  }

  end(job: Job, published: Publication): void {
    const text = `${JSON.stringify({ job: job.record(), published })}\n`
    if (this.#hasLines) this.#begin(200, linesType)
    else this.#begin(200, 'application/json', Buffer.byteLength(text))
    this.#outgoing.end(text)
  }

  /** Reports a failure after the first lines, whose status was a success. False if nothing has been sent yet. */
  fail(error: unknown): boolean {
    if (!this.#outgoing.headersSent) return false
    this.#outgoing.end(`${JSON.stringify({ error: problemBody(asProblem(error)) })}\n`)
    return true
  }

  #begin(status: number, type: string, length?: number): void {
    if (this.#outgoing.headersSent) return
    this.#outgoing.writeHead(status, {
      'Content-Type': type,
      [jobHeader]: this.#jobId,
      ...(length === undefined ? {} : { 'Content-Length': length }),
    })
  }
}

function lineOf(file: StoredEntry): TarLine {
  if (file.status !== 'failed') return file
  const { code, message } = asProblem(file.error)
  return { name: file.name, status: 'failed', error: { code, message } }
}

const maxUnreadBytes = 1024 ** 2
