import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText } from './sql-text.js'

export interface EngineSettings {
  threads: number
  memoryBytes: number
  /** The only files that it may touch, by exact path. */
  allowedPaths: string[]
}

/** Says that the engine is not installed; the package is optional. */
export class EngineMissing extends Error {}

/** Opens the engine, in memory. Only child processes may call this: its work would stop every file operation of the server. */
export async function openEngine(settings: EngineSettings): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await loadEngine()
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(settings.threads),
    memory_limit: `${Math.floor(settings.memoryBytes / 1024)}KiB`,
  })
  const connection = await instance.connect()
  await connection.run(`
    SET temp_directory = '';
    SET autoinstall_known_extensions = false;
    SET autoload_known_extensions = false;
    SET allow_community_extensions = false;
    SET enable_progress_bar = true;
    SET enable_progress_bar_print = false;
    SET allowed_paths = [${settings.allowedPaths.map(quoteText).join(', ')}];
    SET enable_external_access = false`)
  return connection
}

async function loadEngine() {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    // The package loads its binary for this system from another optional package.
    throw new EngineMissing('The package @duckdb/node-api cannot be loaded.', { cause: error })
  }
}
