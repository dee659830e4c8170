import { linkToParent } from './child-edge.js'
import type { RowsReport, RowsTask } from './rows-messages.js'

const parent = linkToParent<RowsTask, RowsReport>({ niceness: 0 })
const run = import('./rows-run.js').then(({ openRows }) => openRows(parent.report))
parent.onTask(async (task) => (await run)(task))
