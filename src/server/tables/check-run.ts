import { open } from 'node:fs/promises'
import type { Fault, ImportPreview } from '../../protocol/import-checks.js'
import type { AdvisedOptions } from './advised-options.js'
import { checkCsv } from './csv-check.js'
import { maxFaults } from './csv-limits.js'
import type { CsvPlan } from './csv-plan.js'
import type { WarmEngine } from './engine.js'
import { adviseFurther } from './further-advice.js'
import type { CheckedFile, ImportTask } from './import-messages.js'
import { importProblem } from './import-problems.js'
import { importFile, type OnProgress } from './import-run.js'
import { prepareSource } from './import-source.js'
import { firstProblem, inOriginal, notesOf, planText } from './planned-file.js'
import { adviseShape } from './shape-advice.js'

/**
 * Reads a whole file as an import would, and lists what it would be refused for. Throws only what is no fault of the file. The
 * caller removes what it has written.
 */
export async function checkFile(task: ImportTask, onProgress: OnProgress, warm?: WarmEngine): Promise<CheckedFile> {
  try {
    return await check(task, onProgress, warm)
  } catch (error) {
    const problem = importProblem(error)
    if (problem.code !== 'malformed-csv') throw problem
    const { advice = null, fix, ...fault } = problem.details as { advice?: string; fix?: AdvisedOptions } & Fault
    return { rows: 0, columns: [], faults: { count: 1, first: [fault] }, advice, fix, notes: [], noteFixes: [] }
  }
}

async function check(task: ImportTask, onProgress: OnProgress, warm: WarmEngine | undefined): Promise<CheckedFile> {
  const original = await open(task.source)
  try {
    const { kind, file, converted, encoding } = await prepareSource(task, original, () => {})
    if (kind === 'parquet') return await checkParquet(task, onProgress, warm)
    const source = file === task.source ? original : await open(file)
    try {
      const plan = await planText(source, task, converted).catch(async (error) => {
        throw await adviseFurther(error, { task, source, converted })
      })
      const { size } = await source.stat()
      const planned = { task, plan, source, converted }
      const options = {
        skipBadLines: true,
        maxReported: maxFaults,
        onBytes: (bytes: number) => onProgress(bytes / size),
      }
      const checked = await checkCsv(source, plan, options)
      const problem = await adviseFurther(await firstProblem(checked, planned), planned)
      const first = await inOriginal(checked.bad.first, planned)
      // What would read more than one column is no fault, but advised by a note.
      const isOneColumn = plan.columns.length === 1 && !converted
      const shape = isOneColumn ? await adviseShape(source, task.csvOptions) : undefined
      const notes = notesOf(planned)
      return {
        rows: checked.rows,
        columns: plan.columns.filter(({ isDropped }) => !isDropped).map(({ name, type }) => ({ name, type })),
        faults: { count: checked.bad.count, first },
        advice: (problem?.details.advice as string | undefined) ?? null,
        fix: (problem?.details.fix as AdvisedOptions | undefined) ?? shape,
        preview: previewOf(plan, { isJson: converted !== undefined, encoding }),
        notes: notes.map(({ text }) => text),
        noteFixes: notes.map(({ fix: proposed }) => proposed ?? null),
      }
    } finally {
      if (source !== original) await source.close()
    }
  } finally {
    await original.close()
  }
}

function previewOf(plan: CsvPlan, { isJson, encoding }: { isJson: boolean; encoding: string | null }): ImportPreview {
  const { delimiter, quote, hasHeader, dateColumn, firstRows, columns } = plan
  const form = isJson ? { delimiter: null, quote: null } : { delimiter, quote }
  return {
    format: isJson ? 'json' : 'csv',
    encoding,
    ...form,
    header: hasHeader,
    dateColumn,
    dateFormats: columns
      .filter(({ isDropped }) => !isDropped)
      .map(({ type, dates }) => (type === 'date' || type === 'timestamp' ? dates.pattern : null)),
    rows: firstRows.map(({ line, values }) => ({ line, values: [...values] })),
  }
}

/** A file that says its types has no lines to be wrong: it can be read, or not. */
async function checkParquet(
  task: ImportTask,
  onProgress: OnProgress,
  warm: WarmEngine | undefined,
): Promise<CheckedFile> {
  const { rows, columns, notes } = await importFile(task, onProgress, warm)
  const named = columns.map(({ name, type }) => ({ name, type }))
  const noteFixes = notes.map(() => null)
  return { rows, columns: named, faults: { count: 0, first: [] }, advice: null, notes, noteFixes }
}
