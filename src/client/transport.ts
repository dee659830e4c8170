/** A request as the library makes it: what `fetch` takes as its second argument. */
export interface TransportRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string | ArrayBuffer | undefined
  /** Closes the connection, also while the body of the answer is being read. */
  readonly signal: AbortSignal
  readonly redirect: 'manual'
  readonly credentials: 'omit'
}

/** The members of a `Response` that the library reads. */
export interface TransportResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null
  /** The whole body. */
  text(): Promise<string>
}

/**
 * Sends one request. `fetch` is one. Rejects if there is no answer, whatever its status would be. It follows no redirect and repeats
 * nothing: the token is for this server only, and a request that changes something must not run twice.
 */
export type Transport = (url: string, request: TransportRequest) => Promise<TransportResponse>

/** The chunks of a body. Ending the loop early cancels the rest. */
export async function* readChunks(body: TransportResponse['body']): AsyncGenerator<Uint8Array> {
  if (body === null) return
  // Not every browser iterates over streams.
  if (!('getReader' in body)) {
    yield* body
    return
  }
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** The lines of a text in UTF-8; an incomplete last one is left out. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
