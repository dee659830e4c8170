import type { CheckFinding } from '../../protocol/server-state.js'

/** What an admin sees of the storage. */
export interface StorageView {
  readonly kind: 'folder' | 'database'
  /** The disk that the server writes to. */
  disk(): Promise<{ freeBytes: number; totalBytes: number }>
  /**
   * Looks for what is damaged or cannot be served, while the server runs, and changes nothing. `found` is called with each
   * finding. Throws the signal's reason.
   */
  check(found: (finding: CheckFinding) => void, signal: AbortSignal): Promise<void>
}
