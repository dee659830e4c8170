import type { Identity } from '../auth/identity.js'
import type { OpenFile } from '../stores/files.js'
import type { Share } from '../stores/shares.js'

/** A link that works. */
export interface SharedLink {
  share: Share
  /** The owner, in whose name it works. */
  identity: Identity
  /** The account of the link's jobs: `share:ID`. */
  account: string
}

/** A file that is requested by a link. */
export interface SharedFile extends SharedLink {
  /** The caller closes it. */
  file: OpenFile
}

/** A shared folder, or one in it, that is requested by a link. */
export interface SharedFolder extends SharedLink {
  folder: string
  /** The shared folder: names above it must not be shown. */
  root: string
}

/** Several files and folders that are requested by a link. */
export interface SharedSelection extends SharedLink {
  names: readonly string[]
  /** The folder that holds them: names above it must not be shown. */
  root: string
}
