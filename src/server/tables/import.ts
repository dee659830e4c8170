import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../protocol/problems.js'
import { type Child, type ChildOptions, notStarted, type StartChild, startChild } from './child.js'
import type { CheckedFile, ImportedCsv, ImportMessage, ImportReport, ImportTask } from './import-messages.js'

export interface ImportOptions extends ImportTask {
  /** The folder of its files. */
  folder: string
  signal: AbortSignal
  /** Called at least twice a second with the progress, from 0 to 1. */
  onProgress: (part: number) => void
  /** Starts the process; default: `startChild`. */
  start?: StartChild | undefined
}

/** The process of an import of files in this folder. */
export function importProcess(folder: string): ChildOptions {
  return { script: './import-child.js', folder, memoryBytes: null }
}

/**
 * Imports a file in a child process. When the promise rejects, the process has ended and all its files except the source
 * are removed. Throws the signal's reason if it aborts, otherwise `malformed-csv`, `invalid-request`, `disk-full`,
 * `file-too-large`, `busy` or `tables-unavailable`.
 */
export async function importCsv(options: ImportOptions): Promise<ImportedCsv> {
  const report = await runTask('import', options)
  if (report.type !== 'done') throw new Error('The process has not imported the file.')
  return report.result
}

/** Lists the faults of a file in a child process, and leaves nothing but the source. Throws like `importCsv`, but for faults. */
export async function checkImport(options: ImportOptions): Promise<CheckedFile> {
  const report = await runTask('check', options)
  if (report.type !== 'checked') throw new Error('The process has not checked the file.')
  return report.result
}

type Result = Extract<ImportReport, { type: 'done' | 'checked' }>

async function runTask(type: ImportMessage['type'], options: ImportOptions): Promise<Result> {
  const { folder, signal, onProgress, start = startChild, ...task } = options
  signal.throwIfAborted()
  const child = start<ImportMessage, ImportReport>(importProcess(folder))
  let isImported = false
  try {
    const result = await outcome(child, { type, task }, signal, onProgress)
    isImported = result.type === 'done'
    return result
  } finally {
    await child.kill()
    const left = isImported ? [task.copy, task.text] : [task.copy, task.text, task.output]
    await Promise.all(left.map((name) => rm(join(folder, name), { force: true })))
  }
}

function outcome(
  child: Child<ImportMessage, ImportReport>,
  message: ImportMessage,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    child.onReport((report) => {
      if (report.type === 'progress') onProgress(report.part)
      else if (report.type === 'failed') reject(reportedProblem(report))
      else resolve(report)
    })
    child.gone.then((end) => {
      const cause = new Error(end.lastWords || 'It said nothing.')
      reject(
        notStarted(end) ??
          new Problem('internal', 'The process of the import died; nothing of it was kept.', {}, { cause }),
      )
    })
    child.send(message)
  })
}

function reportedProblem({ code, message, details, trace }: Extract<ImportReport, { type: 'failed' }>): Problem {
  return new Problem(code, message, details, trace === null ? undefined : { cause: new Error(trace) })
}
