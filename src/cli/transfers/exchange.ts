import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A response with its body. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Writes one chunk of a request's body; resolves when the system has accepted it, so that its buffer may be reused. */
export type WriteChunk = (chunk: Buffer) => Promise<void>

/**
 * Sends a request with a body and reads the response. If the response arrives before the body is sent, the rest is not
 * sent, and the connection is closed after reading the response. Rejects with the error of the body's source, with the
 * signal's reason, or, without a response, with the connection's error.
 */
export async function exchange(
  request: ClientRequest,
  signal: AbortSignal,
  sendBody: (write: WriteChunk) => Promise<void>,
): Promise<Answer> {
  let answered = false
  const response = untilResponse(request, signal).finally(() => {
    answered = true
  })
  const sent = sendBody((chunk) => (answered ? Promise.reject(new SendingEnded()) : write(request, chunk))).then(
    () => {
      request.end()
    },
    (error: unknown) => {
      // The response, or the connection's own error, is more specific than the failed write.
      if (!(error instanceof SendingEnded)) throw error
    },
  )
  response.catch(() => {})
  sent.catch(() => {})
  try {
    return await readAnswer(await Promise.race([response, sent.then(() => response)]))
  } finally {
    if (!request.writableFinished) request.destroy()
  }
}

/**
 * Waits for the head of the response. Rejects with the connection's error, or with the signal's reason after closing
 * the connection.
 */
export function untilResponse(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const cut = () => {
      reject(signal.reason)
      request.destroy()
    }
    // Listen until the end: when the connection breaks after the head, the response emits its own error.
    request.on('error', reject)
    if (signal.aborted) return cut()
    signal.addEventListener('abort', cut, { once: true })
    request.once('response', resolve)
    request.once('close', () => {
      signal.removeEventListener('abort', cut)
      reject(Object.assign(new Error('the connection was closed without an answer'), { code: 'ECONNRESET' }))
    })
  })
}

const longestAnswer = 1024 ** 2

/** Reads a body as text. Throws if it exceeds one megabyte, which no valid response does. */
export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestAnswer) throw new Error('The answer is too long for one of a filejobs server.')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks).toString('utf8')
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

/** Nothing more can be sent, or needs to be. */
export class SendingEnded extends Error {}

function write(request: ClientRequest, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(chunk, (error) => (error ? reject(new SendingEnded('', { cause: error })) : resolve()))
  })
}
