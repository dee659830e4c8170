import { linkToParent } from './child-edge.js'
import type { ImportMessage, ImportReport } from './import-messages.js'

const parent = linkToParent<ImportMessage, ImportReport>({ niceness: 5 })
const run = import('./import-work.js').then(({ openImportWork }) => openImportWork(parent.report))
parent.onTask(async (message) => (await run)(message))
