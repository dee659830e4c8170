import { type BufferPool, bufferBytes } from './buffer-pool.js'

/**
 * Gathers the small chunks of a stream into large ones while the consumer is busy with the one before: whatever is there
 * is handed over when it asks, so that a slow stream is not held back. Each chunk belongs to the consumer, who gives it
 * back to the pool.
 */
export async function* collect(stream: AsyncIterable<Buffer>, pool: BufferPool): AsyncGenerator<Buffer> {
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

/** One buffer that fills up while another one is used. */
class Gathering {
  readonly #pool: BufferPool
  #buffer: Buffer
  #filled = 0
  #ended = false
  #changed: () => void = () => {}

  constructor(pool: BufferPool) {
    this.#pool = pool
    this.#buffer = pool.take()
  }

  /** Takes as much as fits, and says how much; waits while there is no room. */
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

  /** Waits until there is something; undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    while (this.#filled === 0 && !this.#ended) await this.#change()
    if (this.#filled === 0) return undefined
    const chunk = this.#buffer.subarray(0, this.#filled)
    this.#buffer = this.#pool.take()
    this.#filled = 0
    this.#changed()
    return chunk
  }

  /** Only one side waits at a time: the one for bytes, the other for room. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }
}
