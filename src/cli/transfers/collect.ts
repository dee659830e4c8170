import { bufferBytes, type ReadBufferPool } from './buffer-pool.js'

/**
 * Collects the small chunks of a stream into large ones while the consumer processes the previous one. Whatever has
 * arrived is delivered on request, so that a slow stream is not delayed. The consumer gives each chunk back to the
 * pool.
 */
export async function* collect(stream: AsyncIterable<Buffer>, pool: ReadBufferPool): AsyncGenerator<Buffer> {
  const gathering = new Gathering(pool)
  const reading = gather(stream, gathering)
  reading.catch(() => {})
  for (;;) {
    const chunk = await gathering.take()
    if (chunk) yield chunk
    else return await reading
  }
}

async function gather(stream: AsyncIterable<Buffer>, gathering: Gathering): Promise<void> {
  try {
    for await (const chunk of stream) {
      for (let rest = chunk; rest.length > 0; ) rest = rest.subarray(await gathering.add(rest))
    }
  } finally {
    gathering.end()
  }
}

/** One buffer is filled while another is used. */
class Gathering {
  readonly #pool: ReadBufferPool
  #buffer: Buffer
  #filled = 0
  #ended = false
  #changed: () => void = () => {}

  constructor(pool: ReadBufferPool) {
    this.#pool = pool
    this.#buffer = pool.take()
  }

  /** Takes as many bytes as fit and returns their number; waits while the buffers are full. */
  async add(bytes: Buffer): Promise<number> {
    while (this.#filled === bufferBytes) await this.#change()
    const taken = bytes.copy(this.#buffer, this.#filled)
    this.#filled += taken
    this.#changed()
    return taken
  }

  end(): void {
    this.#ended = true
    this.#changed()
  }

  /** Waits for bytes; undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    while (this.#filled === 0 && !this.#ended) await this.#change()
    if (this.#filled === 0) return undefined
    const chunk = this.#buffer.subarray(0, this.#filled)
    this.#buffer = this.#pool.take()
    this.#filled = 0
    this.#changed()
    return chunk
  }

  /** Only one side waits at a time: the consumer for bytes, or the producer for space. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }
}
