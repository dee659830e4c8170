import type { Backend, BackendOptions } from './backend.js'
import { openClusterBackend } from './cluster.js'
import { openLocalBackend } from './local.js'

/** Opens the stores. The only place that decides which ones a server uses. */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  const { cluster } = options.config
  return cluster ? openClusterBackend(options, cluster) : openLocalBackend(options)
}
