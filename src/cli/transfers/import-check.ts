import { waitHeaders } from '../../client/transfer-options.js'
import type { Fault, ImportCheck, ImportCheckBody } from '../../protocol/import-checks.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { countOf } from '../../protocol/units.js'
import { visible } from '../escape.js'
import { Exit, exitCodes } from '../exit-codes.js'
import type { Progress } from '../progress.js'
import type { Session } from '../session.js'
import { oneByOne } from './one-by-one.js'
import { waitForSlot } from './slot-wait.js'

/** Lists the faults of files on the server, one after the other. Throws an Exit if there are any. */
export async function checkAll(
  session: Session,
  progress: Progress,
  options: Omit<ImportCheckBody, 'filename'>,
  filenames: readonly string[],
  waitSeconds: number | null,
): Promise<void> {
  const { output } = session
  const api = await session.api()
  let faults = 0
  const items = filenames.map((name) => ({ name }))
  await oneByOne(session, items, async ({ name }, job) => {
    job.begun = true
    const waiting = { name, waitSeconds, signal: job.signal }
    const checked = await waitForSlot({ progress, note: output.note }, waiting, (seconds) => {
      progress.say(`${visible(name)}: checking`)
      const headers = { ...waitHeaders(seconds), [jobHeader]: job.id }
      const request = { json: { ...options, filename: name }, headers, timeoutMs: longestCheckMs, signal: job.signal }
      return api.send<ImportCheck>('POST', routes.importCheck, request)
    }).finally(() => progress.end())
    faults += checked.faults.count
    output.result(checked, words(checked))
    for (const note of checked.notes) output.note(note)
    if (checked.advice !== null) output.note(checked.advice)
  })
  if (faults > 0) throw new Exit(exitCodes.badData)
}

/** The server ends it earlier, with `--import-timeout`. */
const longestCheckMs = 24 * 3_600_000

function words({ file, rows, columns, faults }: ImportCheck): string {
  const read = `${countOf(rows, 'row')} of ${countOf(columns.length, 'column')}`
  if (faults.count === 0) return `${visible(file)} can be imported: ${read}.`
  const more =
    faults.count > faults.first.length
      ? `, of which these are the first ${faults.first.length.toLocaleString('en')}`
      : ''
  return [`${visible(file)} has ${countOf(faults.count, 'fault')}${more}:`, ...faults.first.map(line)].join('\n')
}

function line({ line, column, offset, reason, text }: Fault): string {
  const where = [
    `line ${line}`,
    column === null ? '' : `, column "${visible(column)}"`,
    offset === undefined ? '' : `, at byte ${offset}`,
  ]
  return `  ${where.join('')}: ${visible(reason)}${text === undefined || column !== null ? '' : ` in ${JSON.stringify(visible(text))}`}`
}
