import { createHash, randomUUID } from 'node:crypto'
import type { FileRecord } from '../../protocol/files.js'
import { filePath, jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { askEnded, refuseEnded } from './broken-connection.js'
import { untilWanted } from './continue.js'
import { formatDigest } from './digests.js'
import { exchange } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { Retries } from './retries.js'
import { paceHeaders, type TransferTools } from './tools.js'
import { preconditionHeaders, type UploadOptions } from './upload-options.js'

/**
 * Uploads what is in memory by a PUT that bears its digest, which the server checks before it publishes. A broken one is
 * sent again: where only the answer was lost, the server knows name, length and digest, and does not read it twice.
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
      await refuseEnded(tools.api, job.id)
      job.id = randomUUID()
      mustAsk = false
    }
    try {
      return await put(tools, name, content, { ...options, digest }, job)
    } catch (error) {
      job.begun = false
      job.signal.throwIfAborted()
      mustAsk = isNetworkError(error) && !(await askEnded(tools.api, job.id))
      // An id counts once.
      if (!mustAsk) job.id = randomUUID()
      throw error
    }
  })
}

/** From here on it pays to hear a refusal before anything is sent. */
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
    [jobHeader]: job.id,
  })
  job.begun = waitSeconds === null
  if (!job.begun) progress.say(`${name}: waiting for its turn`)
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
