import { linkToParent } from './child-edge.js'
import type { QueryReport, QueryTask } from './query-messages.js'

const parent = linkToParent<QueryTask, QueryReport>({ niceness: 5 })
const run = import('./query-run.js').then(({ executeQuery }) => executeQuery)
parent.onTask(async (task) => parent.report(await (await run)(task)))
