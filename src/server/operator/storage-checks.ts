import type { CheckFinding, CheckReport } from '../../protocol/server-state.js'
import type { Clock } from '../clock.js'
import type { StorageView } from '../stores/storage-view.js'

export interface StorageChecksOptions {
  storage: Pick<StorageView, 'check'>
  findFault(): Promise<string | null>
  clock: Clock
  /** Of this server. */
  node: string
  /** After which a check ends with what it has found; default 50 s, so that proxies wait for it. */
  limitMs?: number
  /** The most findings of a report; default 200. */
  maxFindings?: number
}

/** Checks of the storage of a running server, one at a time. */
export class StorageChecks {
  readonly #options: StorageChecksOptions
  #running: Promise<CheckReport> | null = null
  #last: CheckReport | null = null

  constructor(options: StorageChecksOptions) {
    this.#options = options
  }

  get state(): { isRunning: boolean; last: CheckReport | null } {
    return { isRunning: this.#running !== null, last: this.#last }
  }

  /** Checks, or joins the check under way. Throws what the storage throws. */
  async run(): Promise<CheckReport> {
    this.#running ??= this.#check().finally(() => {
      this.#running = null
    })
    this.#last = await this.#running
    return this.#last
  }

  async #check(): Promise<CheckReport> {
    const { storage, findFault, clock, node, limitMs = 50_000, maxFindings = 200 } = this.#options
    const startedAt = new Date(clock.now()).toISOString()
    const findings: CheckFinding[] = []
    let omitted = 0
    const found = (finding: CheckFinding) => {
      if (findings.length < maxFindings) findings.push(finding)
      else omitted += 1
    }
    const fault = await findFault()
    if (fault !== null) found({ severity: 'damage', subject: 'the server', fault: `it takes no new work: ${fault}` })
    const late = new AbortController()
    const cancel = clock.after(limitMs, () => late.abort())
    const isComplete = await storage
      .check(found, late.signal)
      .then(() => true)
      .catch((error) => {
        if (late.signal.aborted && error === late.signal.reason) return false
        throw error
      })
      .finally(cancel)
    return { node, startedAt, endedAt: new Date(clock.now()).toISOString(), isComplete, findings, omitted }
  }
}
