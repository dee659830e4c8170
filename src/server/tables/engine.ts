import type { DuckDBInstance } from '@duckdb/node-api'
import { quoteText } from './sql-text.js'

export interface EngineSettings {
  threads: number
  memoryBytes: number
  /** The only files that it may touch, by exact path, or all below a folder. */
  allowed: { paths: string[] } | { folder: string }
}

/** Says that the engine is not installed; the package is optional. */
export class EngineMissing extends Error {}

/** Opens the engine, in memory. Only child processes may call this: its work would stop every file operation of the server. */
export async function openEngine({ threads, memoryBytes, allowed }: EngineSettings): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await loadEngine()
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
  })
  const access =
    'folder' in allowed
      ? `SET allowed_directories = [${quoteText(allowed.folder)}]`
      : `SET allowed_paths = [${allowed.paths.map(quoteText).join(', ')}]`
  const connection = await instance.connect()
  await connection.run(`
    SET temp_directory = '';
    SET autoinstall_known_extensions = false;
    SET autoload_known_extensions = false;
    SET allow_community_extensions = false;
    SET GLOBAL TimeZone = 'UTC';
    ${access};
    SET enable_external_access = false`)
  connection.closeSync()
  return instance
}

async function loadEngine() {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    // The package loads its binary for this system from another optional package.
    throw new EngineMissing('The package @duckdb/node-api cannot be loaded.', { cause: error })
  }
}
