import { isFull } from '../../protocol/file-errors.js'
import type { Fault } from '../../protocol/import-checks.js'
import { Problem } from '../../protocol/problems.js'
import type { BadLine } from '../../protocol/tables.js'
import { shortageOf } from '../shortage.js'
import type { AdvisedOptions } from './advised-options.js'
import type { CsvPlan } from './csv-plan.js'
import { notUtf8 } from './csv-scanner.js'
import { EngineMissing } from './engine.js'
import type { ImportTask } from './import-messages.js'
import { tablesUnavailable } from './unavailable.js'

/** The engine failed to read its input, possibly because of its own limits. */
export class EngineStumbled extends Error {}

/** The problem of a bad line; its reason is followed by advice. `fix`: the options that it advises. */
export function malformed(fault: Fault, advice = '', fix?: AdvisedOptions): Problem {
  const { line, column, reason } = fault
  const where = column === null ? `Line ${line}` : `Line ${line}, column "${column}"`
  const more = advice === '' ? {} : { advice: advice.trim() }
  return new Problem('malformed-csv', `${where}: ${reason}.${advice}`, { ...fault, ...more, ...(fix ? { fix } : {}) })
}

/**
 * Advice for a bad line, with the options of the program and, in parentheses, of the JSON of a request. Skipping lines
 * is advised only if few of them are bad and no other option would read them.
 */
export function adviceOn({ column, reason }: BadLine, { csvOptions, skipBadLines }: ImportTask, plan: CsvPlan): string {
  if (reason === notUtf8) return ' Save the file as UTF-8.'
  const found = plan.columns.find(({ name }) => name === column)
  if (found?.type === 'date') {
    const format = '"--date-format" (dateFormat) names another format of dates'
    return column === csvOptions.dateColumn ? ` ${format}.` : ` ${format}; ${otherType}.`
  }
  if (column !== null) return ` ${otherType}.`
  const { lines, of } = plan.ragged
  if (lines === of || lines > Math.max(1, of / 10)) {
    const share = `${lines.toLocaleString('en')} of the first ${of.toLocaleString('en')} rows cannot be read`
    return ` ${share}: look for lines above the header, or for another delimiter.`
  }
  return skipBadLines ? '' : ' "--skip-bad-lines" (skipBadLines) leaves such lines out.'
}

const otherType = '"--types" (types) gives the column another type, such as text'

/** Converts an error of the engine: some are caused by the machine, the others by the file or the engine. */
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

/** The problem to report for an error that ended an import. */
export function importProblem(error: unknown): Problem {
  const shortage = shortageOf(error)
  if (shortage) return shortage
  if (error instanceof Problem) return error
  if (error instanceof EngineMissing) return tablesUnavailable()
  if (isFull(error)) {
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
