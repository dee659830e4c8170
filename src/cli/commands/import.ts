import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import { isUnreachable } from '../../protocol/file-errors.js'
import type { Context } from '../context.js'
import { addCsvOptions, type CsvOptionValues, csvOptionsOf } from '../csv-options.js'
import { visible } from '../escape.js'
import { Failure } from '../exit-codes.js'
import { openProgress, type Progress } from '../progress.js'
import { defaultRetries } from '../rate-option.js'
import { remoteName } from '../remote-name.js'
import { openSession, type Session } from '../session.js'
import { type Imported, requestImport } from '../transfers/import.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { upload } from '../transfers/upload.js'
import { planUpload } from '../transfers/upload-plan.js'
import { openUploadTools } from '../transfers/upload-tools.js'
import { addWaitOptions, parseWait, type WaitValue } from '../wait-option.js'

interface Options extends CsvOptionValues {
  remote?: boolean
  table?: string
  wait?: WaitValue
}

export function importCommand(context: Context): Command {
  const command = new Command('import')
    .argument('<file>', 'a local CSV, which is uploaded first, or else a file on the server')
    .option('--remote', 'import the file on the server, even if there is a local file of that name')
    .option('--table <table>', 'the table to add the rows to (default: derived from the file name)')
    .addHelpText('after', examples)
  return addWaitOptions(addCsvOptions(command)).action(async (given: string, options: Options, command: Command) => {
    const session = await openSession(context, command)
    const waitSeconds = parseWait(options.wait, context.stderr)
    const request = { table: options.table, ...csvOptionsOf(options) }
    const progress = await openProgress(session.output)
    const filename = (await isLocal(given, options))
      ? await uploadFirst(session, progress, given, waitSeconds)
      : remoteName(given)
    const api = await session.api()
    await oneByOne(session, [{ name: filename }], async ({ name }, job) => {
      const imported = await requestImport(
        { api, progress, note: session.output.note },
        { ...request, filename: name },
        waitSeconds,
        job,
      )
      tellOf(session, imported)
    })
  })
}

const examples = `
A line that cannot be read fails the import: it names the line, and no row is there. Ctrl-C stops it, and no
row is there either. A file that is imported again is added to the table: to import it with other options, first remove
its rows by "filejobs tables rm TABLE IMPORT".

Examples:
  $ filejobs import sales.csv
  $ filejobs import sales.csv --table orders --date-column "Order Date"
  $ filejobs import teams.csv --types phone=text,budget='decimal(12,2)' --skip-bad-lines
  $ filejobs rows sales --from 2014-10-08`

/** `import X` prefers a local file to one on the server. */
async function isLocal(given: string, { remote }: Options): Promise<boolean> {
  if (remote) return false
  try {
    const found = await stat(given)
    if (!found.isDirectory()) return true
    throw new Failure('wrongUse', `${given} is a folder: import its files one at a time.`)
  } catch (error) {
    if (isUnreachable(error)) return false
    throw error
  }
}

async function uploadFirst(
  session: Session,
  progress: Progress,
  path: string,
  waitSeconds: number | null,
): Promise<string> {
  const { items } = await planUpload([path], undefined)
  const tools = await openUploadTools(session, progress)
  const settings = { keepExisting: false, allowEmpty: false, waitSeconds, rateLimit: null, retries: defaultRetries }
  try {
    await oneByOne(session, items, async (item, job) => {
      await upload(tools, item, settings, job)
    })
  } finally {
    tools.http.close()
  }
  return items[0]!.name
}

function tellOf({ output }: Session, imported: Imported): void {
  const { id, table, rows, file, columns, skipped, notes } = imported
  const count = (number: number, what: string) => `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
  const words = `Imported ${count(rows, 'row')} of ${count(columns.length, 'column')} from ${visible(file)} into ${table}`
  output.result(imported, words)
  for (const note of notes) output.note(note)
  if (notes.some((note) => note.includes('"--'))) {
    output.note(
      `Before you import it again with another option, remove these rows: "filejobs tables rm ${table} ${id}".`,
    )
  }
  if (skipped.count === 0) return
  output.note(`Skipped ${count(skipped.count, 'bad line')}${skipped.count > 10 ? ', the first ten' : ''}:`)
  for (const { line, column, reason } of skipped.first) {
    output.note(`  line ${line}${column === null ? '' : `, column "${column}"`}: ${reason}`)
  }
}
