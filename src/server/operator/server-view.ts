import { hostname } from 'node:os'
import type { NodeRecord, ServerState } from '../../protocol/server-state.js'
import type { Clock } from '../clock.js'
import type { ServerConfig } from '../config.js'
import type { Peers } from '../stores/peers.js'
import { nullWithoutStorage } from '../stores/storage-fault.js'
import type { StorageView } from '../stores/storage-view.js'
import { engineVersion } from '../tables/unavailable.js'
import { limitsInForce } from './limits.js'
import { StorageChecks } from './storage-checks.js'

export interface OperatorOptions {
  config: ServerConfig
  storage: StorageView
  /** Null for a server that is alone. */
  peers: Pick<Peers, 'list'> | null
  clock: Clock
  /** Of this package. */
  version: string
  findFault(): Promise<string | null>
}

export function openOperatorServices(options: OperatorOptions): {
  serverView: ServerView
  storageChecks: StorageChecks
} {
  const storageChecks = new StorageChecks({ ...options, node: hostname() })
  return { storageChecks, serverView: new ServerView(options, storageChecks) }
}

/** What an admin sees of the server. */
export class ServerView {
  /** The name of the machine. */
  readonly node = hostname()
  readonly #options: OperatorOptions
  readonly #checks: Pick<StorageChecks, 'state'>
  readonly #startedAt: string
  readonly #startedMs: number

  constructor(options: OperatorOptions, checks: Pick<StorageChecks, 'state'>) {
    this.#options = options
    this.#checks = checks
    this.#startedAt = new Date(options.clock.now()).toISOString()
    this.#startedMs = options.clock.monotonicMs()
  }

  async state(): Promise<ServerState> {
    const { config, storage, clock, version, findFault } = this.#options
    const [fault, disk, nodes] = await Promise.all([
      findFault(),
      storage.disk().catch(() => null),
      this.#nodes().catch(nullWithoutStorage),
    ])
    return {
      node: this.node,
      version,
      runtime: process.version,
      startedAt: this.#startedAt,
      uptimeSeconds: Math.round((clock.monotonicMs() - this.#startedMs) / 1000),
      storage: storage.kind,
      fault,
      disk,
      engine: { name: 'DuckDB', version: engineVersion() },
      limits: limitsInForce(config),
      check: this.#checks.state,
      nodes,
    }
  }

  async #nodes(): Promise<NodeRecord[]> {
    const { peers, version } = this.#options
    if (peers) return peers.list()
    const alone = { number: null, address: null, isAlive: true, isSelf: true }
    return [{ name: this.node, version, startedAt: this.#startedAt, ...alone }]
  }
}
