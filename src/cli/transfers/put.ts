import { createHash, randomUUID } from 'node:crypto'
import { formatDigest } from '../../protocol/digest-fields.js'
import type { FileRecord } from '../../protocol/files.js'
import { filePath } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { askEnded, refuseEnded } from './broken-connection.js'
import { untilWanted } from './continue.js'
import { exchange } from './exchange.js'
import { type OwnJob, streamHeaders } from './own-job.js'
import { Retries } from './retries.js'
import { waitForSlot } from './slot-wait.js'
import { paceHeaders, type TransferTools } from './tools.js'
import { preconditionHeaders, type UploadOptions } from './upload-options.js'

/**
 * Uploads bytes from memory by a PUT with their digest, which the server verifies before it publishes. A broken request
 * is retried: if only the response was lost, the server recognises name, length and digest, and does not read the body
 * again.
 */
export async function putContent(
  tools: TransferTools,
  name: string,
  content: Buffer,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  const digest = formatDigest(createHash('sha256').update(content).digest())
  let mustAsk = false
  return new Retries(options.retries).run(name, tools, job.signal, async () => {
    if (mustAsk) {
      await refuseEnded(tools.api, job.partOf ?? job.id)
      job.id = randomUUID()
      mustAsk = false
    }
    try {
      const { waitSeconds } = options
      return await waitForSlot(tools, { name, waitSeconds, signal: job.signal }, (seconds) =>
        put(tools, name, content, { ...options, waitSeconds: seconds, digest }, job),
      )
    } catch (error) {
      job.begun = false
      job.signal.throwIfAborted()
      mustAsk = isNetworkError(error) && !(await askEnded(tools.api, job.partOf ?? job.id))
      // An id can be used only once.
      if (!mustAsk) job.id = randomUUID()
      throw error
    }
  })
}

/** From this size on, it pays to wait for a rejection before sending the body. */
const expectBytes = 1024 ** 2

async function put(
  { http, progress }: TransferTools,
  name: string,
  content: Buffer,
  options: UploadOptions & { digest: string },
  job: OwnJob,
): Promise<FileRecord> {
  const { waitSeconds, digest } = options
  const expect = content.length > expectBytes || waitSeconds !== null
  const request = http.open('PUT', filePath(name), {
    ...paceHeaders(options),
    ...preconditionHeaders(options),
    'content-length': content.length,
    'repr-digest': digest,
    ...(expect ? { expect: '100-continue' } : {}),
    ...streamHeaders(job),
  })
  job.begun = waitSeconds === null
  const { status, body, headers } = await exchange(request, job.signal, async (write) => {
    if (expect) await untilWanted(request, waitSeconds)
    job.begun = true
    progress.begin(name, content.length)
    if (content.length > 0) await write(content)
    progress.advance(content.length)
    progress.say(`${name}: the server checks and stores it`)
  })
  if (status >= 300) throw answeredProblem(http.server, status, body, headers)
  return JSON.parse(body) as FileRecord
}
