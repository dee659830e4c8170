import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../protocol/problems.js'
import { type Child, type ChildOptions, notStarted, type StartChild, startChild } from './child.js'
import type { ImportedCsv, ImportReport, ImportTask } from './import-messages.js'

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
 * Imports a CSV in a child process. When the promise rejects, the process has ended and all its files except the source
 * are removed. Throws the signal's reason if it aborts, otherwise `malformed-csv`, `invalid-request`, `disk-full`,
 * `file-too-large`, `busy` or `tables-unavailable`.
 */
export async function importCsv(options: ImportOptions): Promise<ImportedCsv> {
  const { folder, signal, onProgress, start = startChild, ...task } = options
  signal.throwIfAborted()
  const child = start<ImportTask, ImportReport>(importProcess(folder))
  let imported = false
  try {
    const result = await outcome(child, task, signal, onProgress)
    imported = true
    return result
  } finally {
    await child.kill()
    const left = imported ? [task.copy, task.text] : [task.copy, task.text, task.output]
    await Promise.all(left.map((name) => rm(join(folder, name), { force: true })))
  }
}

function outcome(
  child: Child<ImportTask, ImportReport>,
  task: ImportTask,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<ImportedCsv> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    child.onReport((report) => {
      if (report.type === 'progress') onProgress(report.part)
      else if (report.type === 'done') resolve(report.result)
      else reject(reportedProblem(report))
    })
    child.gone.then((end) => {
      const cause = new Error(end.lastWords || 'It said nothing.')
      reject(
        notStarted(end) ??
          new Problem('internal', 'The process of the import died; nothing of it was kept.', {}, { cause }),
      )
    })
    child.send(task)
  })
}

function reportedProblem({ code, message, details, trace }: Extract<ImportReport, { type: 'failed' }>): Problem {
  return new Problem(code, message, details, trace === null ? undefined : { cause: new Error(trace) })
}
