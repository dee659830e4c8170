import { linkToParent } from './child-edge.js'
import type { ImportReport, ImportTask } from './import-messages.js'

const parent = linkToParent<ImportTask, ImportReport>({ niceness: 5 })
const loaded = Promise.all([import('./import-run.js'), import('./import-problems.js'), import('./engine.js')])
const warm = loaded.then(([, , { warmEngine }]) => warmEngine())
warm.catch(() => {})
parent.onTask(async (task) => {
  const [{ importFile }, { importProblem }] = await loaded
  try {
    const result = await importFile(task, (part) => parent.report({ type: 'progress', part }), warm)
    parent.report({ type: 'done', result })
  } catch (error) {
    const { code, message, details } = importProblem(error)
    const trace = code === 'internal' && error instanceof Error ? (error.stack ?? null) : null
    parent.report({ type: 'failed', code, message, details, trace })
  }
})
