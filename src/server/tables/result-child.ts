import { linkToParent } from './child-edge.js'
import type { ResultMessage, ResultReport } from './result-messages.js'

const parent = linkToParent<ResultMessage, ResultReport>({ niceness: 5 })
const run = import('./result-run.js').then(({ openResults }) => openResults(parent.report))
parent.onTask(async (message) => (await run)(message))
