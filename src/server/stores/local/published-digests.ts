import { BroadcastChannel } from 'node:worker_threads'
import type { FileStamp } from './file-stamp.js'
import type { KnownDigest } from './known-digests.js'

/** A file as its publish left it. */
export interface PublishedDigest {
  stamp: FileStamp
  known: KnownDigest
}

/**
 * From the thread that writes small files to the one that lists them, which need not read the metadata then. `meta`, the
 * folder of the metadata, tells the servers of one process apart. A message that is lost costs time only.
 */
export class PublishedDigests {
  readonly #channel: BroadcastChannel

  constructor(meta: string) {
    this.#channel = new BroadcastChannel(`published ${meta}`)
    this.#channel.unref()
  }

  send(files: readonly PublishedDigest[]): void {
    if (files.length > 0) this.#channel.postMessage(files)
  }

  onReceived(add: (file: PublishedDigest) => void): void {
    this.#channel.onmessage = (event) => {
      for (const file of (event as { data: PublishedDigest[] }).data) add(file)
    }
  }
}
