import { DownloadConnection } from './download-connection.js'

/** Connections to one host: those that are free are used again. */
export class DownloadConnections {
  readonly #options: { origin: URL; idleMs: number }
  readonly #open = new Set<DownloadConnection>()
  #free: DownloadConnection[] = []

  constructor(options: { origin: URL; idleMs: number }) {
    this.#options = options
  }

  /** The one that was used last, or with `isNew` one that cannot have been closed meanwhile. */
  take(isNew: boolean): DownloadConnection {
    const free = isNew ? undefined : this.#free.pop()
    if (free) return free
    const connection = new DownloadConnection({
      ...this.#options,
      onFree: (freed) => void this.#free.push(freed),
      onClose: (closed) => {
        this.#open.delete(closed)
        this.#free = this.#free.filter((other) => other !== closed)
      },
    })
    this.#open.add(connection)
    return connection
  }

  close(): void {
    for (const connection of this.#open) connection.close()
  }
}
