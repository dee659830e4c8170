/** Closes what a start has opened, in reverse order. */
export class Closers {
  readonly #closers: (() => Promise<unknown>)[] = []

  add(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  /** Adds `resource.close()`, and returns the resource. */
  opened<Resource extends { close(): Promise<unknown> }>(resource: Resource): Resource {
    this.add(() => resource.close())
    return resource
  }

  /** Returns the failures. If one fails, the others are closed anyway, above all the lock of the folder. */
  async closeAll(): Promise<unknown[]> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) await close().catch((error) => failures.push(error))
    return failures
  }
}
