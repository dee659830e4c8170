import { type Deferred, deferred } from './deferred.js'

/**
 * Locks of paths in a tree. A path that ends with a slash is a folder: its lock covers everything below it. Work waits
 * for what was queued before it and conflicts with it, and for nothing else: so it is first come, first served, and
 * work that locks several paths cannot deadlock.
 */
export class PathMutex {
  /** The last work of each name. */
  readonly #names = new Map<string, Deferred<void>>()
  readonly #folders = new Set<Held>()
  readonly #reads = new Set<Held>()

  /** How many paths are locked, or waited for. */
  get size(): number {
    return this.#names.size + this.#folders.size + this.#reads.size
  }

  /** Runs the work once all earlier work of these paths, or of folders above or below them, has settled. */
  run<Result>(paths: readonly string[], work: () => Promise<Result>): Promise<Result> {
    const done = deferred()
    const earlier = paths.flatMap((path) => (isFolder(path) ? this.#within(path) : this.#before(path)))
    const folders = paths.filter(isFolder).map((path) => ({ path, done }))
    for (const folder of folders) this.#folders.add(folder)
    for (const path of paths) if (!isFolder(path)) this.#names.set(path, done)
    return runAfter(earlier, work, () => {
      for (const folder of folders) this.#folders.delete(folder)
      for (const path of paths) if (this.#names.get(path) === done) this.#names.delete(path)
      done.resolve()
    })
  }

  /**
   * Runs work that changes nothing once all earlier changes of the name, or of the folders that it is in, have settled.
   * Only changes of these folders wait for it. `path` may be any prefix of names.
   */
  read<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
    const done = deferred()
    const earlier = this.#before(path)
    const held = { path, done }
    this.#reads.add(held)
    return runAfter(earlier, work, () => {
      this.#reads.delete(held)
      done.resolve()
    })
  }

  #before(path: string): Promise<void>[] {
    const last = this.#names.get(path)
    const folders = promisesOf(this.#folders, path)
    return last ? [last.promise, ...folders] : folders
  }

  #within(folder: string): Promise<void>[] {
    const names = [...this.#names].filter(([name]) => overlap(folder, name)).map(([, { promise }]) => promise)
    return [...names, ...promisesOf(this.#folders, folder), ...promisesOf(this.#reads, folder)]
  }
}

interface Held {
  path: string
  done: Deferred<void>
}

function promisesOf(held: Iterable<Held>, path: string): Promise<void>[] {
  const promises: Promise<void>[] = []
  for (const each of held) if (overlap(each.path, path)) promises.push(each.done.promise)
  return promises
}

async function runAfter<Result>(
  earlier: Promise<void>[],
  work: () => Promise<Result>,
  end: () => void,
): Promise<Result> {
  try {
    await Promise.all(earlier)
    return await work()
  } finally {
    end()
  }
}

function isFolder(path: string): boolean {
  return path.endsWith('/')
}

function overlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}
