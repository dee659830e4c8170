import type { DuckDBInstance } from '@duckdb/node-api'
import { quoteText } from './sql-text.js'

export interface EngineSettings {
  threads: number
  memoryBytes: number
  /** The only files that it may open, by exact path, or all files of a folder. */
  allowed: { paths: string[] } | { folder: string }
}

/** The engine, an optional package, is not installed. */
export class EngineMissing extends Error {}

/** An engine that has no settings of a task yet: it is what takes most of the time. */
export type WarmEngine = Promise<DuckDBInstance>

/** Loads the engine and starts it in memory. A failure is reported by `openEngine`. */
export function warmEngine(): WarmEngine {
  const warm = startEngine()
  warm.catch(() => {})
  return warm
}

/**
 * An engine with these settings, which the SQL of a task can no longer widen. Only in child processes: its work would block all file
 * operations of the server. It is made of `warm`, which can be used once.
 */
export async function openEngine(
  { threads, memoryBytes, allowed }: EngineSettings,
  warm: WarmEngine = startEngine(),
): Promise<DuckDBInstance> {
  const instance = await warm
  const access =
    'folder' in allowed
      ? `SET allowed_directories = [${quoteText(allowed.folder)}]`
      : `SET allowed_paths = [${allowed.paths.map(quoteText).join(', ')}]`
  const connection = await instance.connect()
  await connection.run(`
    SET threads = ${threads};
    SET memory_limit = '${Math.floor(memoryBytes / 1024)}KiB';
    ${access};
    SET enable_external_access = false`)
  connection.closeSync()
  return instance
}

async function startEngine(): WarmEngine {
  const { DuckDBInstance } = await loadEngine()
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  await connection.run(`
    SET temp_directory = '';
    SET autoinstall_known_extensions = false;
    SET autoload_known_extensions = false;
    SET allow_community_extensions = false;
    SET GLOBAL TimeZone = 'UTC'`)
  connection.closeSync()
  return instance
}

async function loadEngine() {
  try {
    const engine = await import('@duckdb/node-api')
    await keepByteOrderMarks()
    return engine
  } catch (error) {
    // The package loads its binary for this system from another optional package.
    throw new EngineMissing('The package @duckdb/node-api cannot be loaded.', { cause: error })
  }
}

/**
 * The package decodes each text with a `TextDecoder` that drops U+FEFF at its start, without an option to change that.
 */
async function keepByteOrderMarks(): Promise<void> {
  const internal = '@duckdb/node-api/lib/vectors/dataAccessors.js'
  try {
    const { default: accessors } = (await import(internal)) as { default: { textDecoder: unknown } }
    accessors.textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
  } catch (error) {
    // A later version may not have this file.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
}
