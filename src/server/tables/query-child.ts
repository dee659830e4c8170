import { linkToParent } from './child-edge.js'
import type { QueryReport } from './query-messages.js'
import type { QueryMessage } from './query-work.js'
import type { ResultReport } from './result-messages.js'

const parent = linkToParent<QueryMessage, QueryReport | ResultReport>({ niceness: 5 })
const run = import('./query-work.js').then(({ openQueryWork }) => openQueryWork(parent.report))
parent.onTask(async (message) => (await run)(message))
