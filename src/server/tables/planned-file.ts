import type { FileHandle } from 'node:fs/promises'
import type { Fault } from '../../protocol/import-checks.js'
import { Problem } from '../../protocol/problems.js'
import { wordsOf } from './advised-options.js'
import type { CsvCheck } from './csv-check.js'
import { type CsvOptions, type CsvPlan, headerNotUtf8, planCsv } from './csv-plan.js'
import { notUtf8 } from './csv-scanner.js'
import type { ImportTask } from './import-messages.js'
import { adviceOn, malformed } from './import-problems.js'
import { chunksOf } from './import-source.js'
import { invalidUtf8 } from './invalid-utf8.js'
import type { ConvertedFile } from './json-to-csv.js'
import { lineStart } from './line-start.js'
import type { Note } from './notes.js'
import { adviseShape } from './shape-advice.js'

/** A CSV, and how it is read. */
export interface PlannedFile {
  readonly task: ImportTask
  readonly plan: CsvPlan
  readonly source: FileHandle
  /** Set where the file is the CSV form of another one. */
  readonly converted: ConvertedFile | undefined
}

/** What was guessed. Of another file's form these are notes on all columns, of which those with a requested type are left out. */
export function notesOf({ task, plan, converted }: Omit<PlannedFile, 'source'>): Note[] {
  const { types = {} } = task.csvOptions
  const isRequested = ({ fix }: Note) => Object.keys(fix?.types ?? {}).some((column) => Object.hasOwn(types, column))
  return [...(converted?.notes.filter((note) => !isRequested(note)) ?? []), ...plan.notes]
}

/** Plans how to read a CSV. Throws like `planCsv`; of a header that is not UTF-8, it says what its bytes look like. */
export async function planText(
  source: FileHandle,
  task: ImportTask,
  converted: ConvertedFile | undefined,
): Promise<CsvPlan> {
  try {
    return await planCsv(source, converted ? convertedOptions(task, converted) : task.csvOptions)
  } catch (error) {
    if (!(error instanceof Problem) || converted) throw error
    const isBroken = error.details.reason === headerNotUtf8
    throw await located((isBroken && (await invalidUtf8(() => chunksOf(source)))) || error, source)
  }
}

/** The problem of a line, with the offset and the start of that line. */
async function located(problem: Problem, source: FileHandle): Promise<Problem> {
  const { code, message, details } = problem
  const { line, offset } = details
  if (typeof line !== 'number' || offset !== undefined) return problem
  return new Problem(code, message, { ...details, ...(await lineStart(() => chunksOf(source), line)) })
}

/** Returns the check, or throws the problem of its first bad line. */
export async function refuseBad(check: CsvCheck, file: PlannedFile): Promise<CsvCheck> {
  const problem = await firstProblem(check, file)
  if (problem) throw problem
  return check
}

/** The problem of the first bad line, with advice; undefined if there is none. */
export async function firstProblem(check: CsvCheck, file: PlannedFile): Promise<Problem | undefined> {
  const { source } = file
  const [first] = check.bad.first
  if (!first) return undefined
  const encoding = first.reason === notUtf8 ? await invalidUtf8(() => chunksOf(source), first.line) : undefined
  if (encoding) return located(encoding, source)
  const fix = first.column === null && !file.converted ? await adviseShape(source, file.task.csvOptions) : undefined
  const advice = fix ? ` ${wordsOf(fix)} would read the file.` : adviceOn(first, file.task, file.plan)
  return malformed((await inOriginal([first], file))[0]!, advice, fix)
}

/** With the lines of the file that was imported; where that was no CSV, the offsets are not those of it. */
export async function inOriginal(faults: readonly Fault[], { converted }: PlannedFile): Promise<Fault[]> {
  if (!converted || faults.length === 0) return [...faults]
  const lines = await converted.findLines(faults.map(({ line }) => line))
  return faults.map(({ column, reason }, at) => ({ line: lines[at]!, column, reason }))
}

function convertedOptions({ csvOptions }: ImportTask, converted: ConvertedFile): CsvOptions {
  return { ...csvOptions, delimiter: ',', quote: '"', header: true, converted }
}
