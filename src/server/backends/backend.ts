import type { Clock } from '../clock.js'
import type { Closers } from '../closers.js'
import type { ServerConfig } from '../config.js'
import type { Log } from '../log.js'
import type { AccountStore } from '../stores/accounts.js'
import type { Capacity } from '../stores/capacity.js'
import type { Counters } from '../stores/counters.js'
import type { FileRequestStore } from '../stores/file-requests.js'
import type { FileStores } from '../stores/file-stores.js'
import type { JobHistory } from '../stores/history.js'
import type { JobFiles } from '../stores/job-files.js'
import type { Peers } from '../stores/peers.js'
import type { SessionStore } from '../stores/sessions.js'
import type { ShareStore } from '../stores/shares.js'
import type { Slots } from '../stores/slots.js'
import type { SpaceReservations } from '../stores/space.js'
import type { StorageView } from '../stores/storage-view.js'
import type { TableStore } from '../stores/tables.js'
import type { Usage } from '../stores/usage.js'
import type { KeptUpload } from '../transfers/resume-state.js'

/** All stores of a server. */
export interface Backend extends FileStores {
  accounts: AccountStore
  sessions: SessionStore
  shares: ShareStore
  requests: FileRequestStore
  counters: Counters
  capacity: Capacity
  space: SpaceReservations
  usage: Usage
  history: JobHistory
  jobFiles: JobFiles
  slots: Slots
  tables: TableStore
  /** The other servers on the same stores; null for a server that is alone. */
  peers: Peers | null
  /** The key that signs tokens. */
  secret: Uint8Array
  /** Repairs what a crash has left, before the server listens. Returns the uploads that it continues. */
  recover(): Promise<KeptUpload[]>
  /** Starts the work in the background that can wait until the server is about to listen. */
  begin(): void
  /** For admins. */
  storage: StorageView
  /** Why new work cannot be stored; null if it can. */
  findFault(): Promise<string | null>
}

export interface BackendOptions {
  config: ServerConfig
  log: Log
  clock: Clock
  /** Gets everything that is opened, also if the rest cannot be. */
  closers: Closers
}
