import { Problem } from '../../protocol/problems.js'
import type { BadLine } from '../../protocol/tables.js'
import { EngineMissing } from './engine.js'
import type { ImportTask } from './import-messages.js'
import { tablesUnavailable } from './unavailable.js'

/** The engine could not read what it was given, for a reason that may lie with the engine. */
export class EngineStumbled extends Error {}

/** The problem of a bad line; what to do about it follows its reason. */
export function malformed({ line, column, reason }: BadLine, advice = ''): Problem {
  const where = column === null ? `Line ${line}` : `Line ${line}, column "${column}"`
  return new Problem('malformed-csv', `${where}: ${reason}.${advice}`, { line, column, reason })
}

/** Names the options as the program and, in parentheses, as the JSON of a request has them. */
export function adviceOn({ column }: BadLine, { wishes, skipBadLines }: ImportTask): string {
  const ways: string[] = []
  // A wished date column is one of dates, whatever its type.
  if (column !== null && column !== wishes.dateColumn) {
    ways.push('"--types" (types) gives the column another type, such as text')
  }
  if (!skipBadLines) ways.push('"--skip-bad-lines" (skipBadLines) leaves such lines out')
  return ways.length === 0 ? '' : ` ${ways.join('; ')}.`
}

/** Throws what an error of the engine means: some are the machine's, the others the file's or the engine's. */
export function translateEngineError(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  if (/No space left on device|disk quota exceeded|disk.*full/i.test(message)) {
    throw new Problem('disk-full', 'The disk is full; nothing of the import was kept.', {}, { cause: error })
  }
  if (message.startsWith('Out of Memory')) {
    throw new Problem(
      'file-too-large',
      'The import needs more memory than it may have; "filejobs serve --import-memory" sets how much.',
      {},
      { cause: error },
    )
  }
  throw new EngineStumbled(message.split('\n')[0], { cause: error })
}

/** Words whatever ended an import as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof EngineMissing) return tablesUnavailable()
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
    return new Problem('disk-full', 'The disk is full; nothing of the import was kept.', {}, { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof EngineStumbled) {
    return new Problem('malformed-csv', `The file cannot be read: ${message}`, {
      line: null,
      column: null,
      reason: message,
    })
  }
  return new Problem('internal', 'The import failed for a reason that lies with the server.', {}, { cause: error })
}
