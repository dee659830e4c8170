import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** An answer whose body was read. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Writes one piece of a request's body; settles when the system has taken it, so that its buffer may be used again. */
export type WriteChunk = (chunk: Buffer) => Promise<void>

/**
 * Sends a request with a body and reads the answer. An answer may come before the body has been sent: then the rest is
 * not sent, and the connection is cut once the answer has been read. Rejects with the error of the body's source, with
 * the signal's reason, or, where no answer came, with the error of the connection.
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
      // The answer, or the connection's own error, says more than that nothing more could be written.
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

/** Waits for the head of the answer. Rejects with the connection's error, or with the signal's reason, having cut it. */
export function untilResponse(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const cut = () => {
      reject(signal.reason)
      request.destroy()
    }
    if (signal.aborted) return cut()
    signal.addEventListener('abort', cut, { once: true })
    request.once('response', resolve)
    // Heard to the end: when the connection breaks after the answer's head, the response has an error of its own.
    request.on('error', reject)
    request.once('close', () => {
      signal.removeEventListener('abort', cut)
      reject(Object.assign(new Error('the connection was closed without an answer'), { code: 'ECONNRESET' }))
    })
  })
}

const longestAnswer = 1024 ** 2

/** Reads a body as text. Throws when it is longer than a megabyte, which no answer of ours is. */
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

/** Nothing more can, or need, be sent. */
class SendingEnded extends Error {}

function write(request: ClientRequest, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(chunk, (error) => (error ? reject(new SendingEnded('', { cause: error })) : resolve()))
  })
}
