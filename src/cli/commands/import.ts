import { Command } from 'commander'
import { Problem } from '../../protocol/problems.js'
import { countOf } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { addCsvOptions, type CsvOptionValues, csvOptionsOf } from '../csv-options.js'
import { visible } from '../escape.js'
import { Failure } from '../exit-codes.js'
import type { Output } from '../output.js'
import { askLine } from '../password.js'
import { openProgress, type Progress } from '../progress.js'
import { openSession, type Session } from '../session.js'
import { type FilesToImport, type Imported, requestImport } from '../transfers/import.js'
import { checkAll } from '../transfers/import-check.js'
import { commonTable, type ImportSource, planSources } from '../transfers/import-sources.js'
import { ImportUploads } from '../transfers/import-uploads.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { addWaitOptions, parseWait, type WaitValue } from '../wait-option.js'

interface Options extends CsvOptionValues {
  remote?: boolean
  table?: string
  append?: boolean
  replace?: boolean
  once?: boolean
  check?: boolean
  keep?: boolean
  fromCommand?: boolean
  wait?: WaitValue
}

export function importCommand(context: Context): Command {
  const command = new Command('import')
    .argument(
      '<file...>',
      'local CSV, JSON or Parquet files, which are uploaded first, or files on the server; patterns; - is stdin; after -- the command',
    )
    .option('--remote', 'import the files on the server, even if there are local ones of these names')
    .option(
      '--table <table>',
      'the table to add the rows to (default: derived from the name of the file, or of the folder of several)',
    )
    .option('--append', 'add the rows to the table (default)')
    .option('--replace', 'replace the rows of the table, in one step')
    .option('--once', 'fail if the table has the rows of a file with the same bytes')
    .option('--check', 'import nothing, and list the faults of the file, up to 1,000')
    .option('--from-command', 'import what a command writes to stdout, and only if it exits with 0; needs --table')
    .option('--keep', 'keep the uploaded file if the import fails, and that of stdin or a command in any case')
    .addHelpText('after', examples)
  return addWaitOptions(addCsvOptions(command)).action(async (words: string[], options: Options, command: Command) => {
    const { table, replace, once, append, check = false, fromCommand = false, remote = false, keep = false } = options
    if (append && replace) throw new Failure('wrongUse', 'Use either --append or --replace.')
    const session = await openSession(context, command)
    const waitSeconds = parseWait(options.wait, context.stderr)
    const csv = csvOptionsOf(options)
    const sources = await planSources(words, { remote, fromCommand, table }, session.api)
    const isStream = sources.some((source) => 'upload' in source && source.isStream)
    const progress = await openProgress(session.output)
    const uploads = await ImportUploads.open(session, progress, waitSeconds)
    try {
      const filenames = await bring(sources, uploads)
      const into = table ?? (sources.length > 1 ? commonTable(sources) : undefined)
      if (check) await checkAll(session, progress, { ...csv, table: into, replace }, filenames, waitSeconds)
      else {
        const request = { ...csv, table: into, replace, once, filenames }
        const send = (names: { renameColumns?: boolean }) =>
          importAll(session, progress, { ...request, ...names }, { waitSeconds, isStream })
        await send({}).catch(async (error) => {
          if (!(await wantsNewNames(context, session.output, error))) throw error
          await send({ renameColumns: true })
        })
      }
      if (!keep && (check || isStream)) await uploads.remove()
    } catch (error) {
      if (!keep) await uploads.remove()
      else for (const name of uploads.added) session.output.note(`${visible(name)} stays on the server.`)
      throw error
    } finally {
      uploads.close()
    }
  })
}

const examples = `
A line that cannot be read fails the import: it names the line, and no row is there, nor the file that was uploaded for
it, unless --keep is given. Ctrl-C stops it, with the same result. Several files are one import: all of their rows are
there, or none.

With --check, all faults are listed instead of the first, and nothing is imported: the exit code is 0 if there are none, else 10.
The uploaded file is removed.

A file that is imported again is added to the table once more, and a note says so; --once refuses it. With --replace, others read
the old rows until the new ones are there.

Examples:
  $ filejobs import sales.csv
  $ filejobs import sales.csv --table orders --date-column "Order Date"
  $ filejobs import sales.csv --replace
  $ filejobs import 'logs/*.csv' --once
  $ filejobs import --check export.csv
  $ filejobs import export.csv --encoding windows-1252
  $ filejobs import events.ndjson.gz
  $ filejobs import teams.csv --types phone=text,budget='decimal(12,2)' --skip-bad-lines
  $ zcat log.csv.gz | filejobs import - --table logs
  $ filejobs import --table shops --from-command -- psql shop -c "copy shops to stdout csv header"
  $ filejobs rows sales --from 2014-10-08`

/** The names of the files on the server, once all of them are there. */
async function bring(sources: readonly ImportSource[], uploads: ImportUploads): Promise<string[]> {
  const names: string[] = []
  for (const source of sources) names.push('upload' in source ? await uploads.upload(source.upload) : source.name)
  return names
}

async function importAll(
  session: Session,
  progress: Progress,
  request: FilesToImport,
  { waitSeconds, isStream }: { waitSeconds: number | null; isStream: boolean },
): Promise<void> {
  const api = await session.api()
  const tools = { api, progress, note: session.output.note }
  const name = request.filenames.length === 1 ? request.filenames[0]! : `${request.filenames.length} files`
  await oneByOne(session, [{ name }], async (_, job) => {
    for (const imported of await requestImport(tools, request, waitSeconds, job)) tellOf(session, imported, isStream)
  })
}

/** Whether columns whose names are missing or taken are to get others: asked on a terminal. A script is told of the option. */
async function wantsNewNames(context: Context, output: Output, error: unknown): Promise<boolean> {
  if (!output.interactive || !context.stdin.isTTY) return false
  if (!(error instanceof Problem) || !error.message.includes('(renameColumns)')) return false
  output.note(error.message)
  return /^y(es)?$/i.test(await askLine(context, 'Give such columns names? [y/N] ', ''))
}

/** `isStream`: it was stdin or the output of a command, whose file has a name of its own on the server. */
function tellOf({ output }: Session, imported: Imported, isStream: boolean): void {
  const { id, table, rows, file, columns, skipped, notes } = imported
  const words = `Imported ${countOf(rows, 'row')} of ${countOf(columns.length, 'column')} ${isStream ? '' : `from ${visible(file)} `}into ${table}`
  output.result(imported, words)
  for (const note of notes) output.note(note)
  if (notes.some((note) => note.includes('"--'))) {
    output.note(
      `To import it again with another option, add "--replace", or first remove these rows: "filejobs tables rm ${table} ${id}".`,
    )
  }
  if (skipped.count === 0) return
  output.note(`Skipped ${countOf(skipped.count, 'bad line')}${skipped.count > 10 ? ', the first ten' : ''}:`)
  for (const { line, column, reason } of skipped.first) {
    output.note(`  line ${line}${column === null ? '' : `, column "${column}"`}: ${reason}`)
  }
}
