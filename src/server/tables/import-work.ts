import { checkFile } from './check-run.js'
import { warmEngine } from './engine.js'
import type { ImportMessage, ImportReport } from './import-messages.js'
import { importProblem } from './import-problems.js'
import { importFile } from './import-run.js'

/** Starts the engine, and handles the message of a process that imports or checks a file. */
export function openImportWork(report: (report: ImportReport) => void): (message: ImportMessage) => Promise<void> {
  const warm = warmEngine()
  const onProgress = (part: number) => report({ type: 'progress', part })
  return async ({ type, task }) => {
    try {
      if (type === 'import') report({ type: 'done', result: await importFile(task, onProgress, warm) })
      else report({ type: 'checked', result: await checkFile(task, onProgress, warm) })
    } catch (error) {
      const { code, message, details } = importProblem(error)
      const trace = code === 'internal' && error instanceof Error ? (error.stack ?? null) : null
      report({ type: 'failed', code, message, details, trace })
    }
  }
}
