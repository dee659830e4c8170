import { Command } from 'commander'
import type { Api } from '../../client/api.js'
import { routes, tablePath } from '../../protocol/routes.js'
import type { TableChange, TableImport, TableList, TableRecord, TableSummary } from '../../protocol/tables.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'
import { formatTable, formatTime, type TextColumn } from '../table.js'

export function tablesCommand(context: Context): Command {
  return new Command('tables')
    .argument('[table]', 'show its columns and imports')
    .addHelpText('after', examples)
    .action(async (name: string | undefined, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      if (name !== undefined) {
        const table = await (await api()).send<TableRecord>('GET', tablePath(name))
        const ranges = await (await api()).send<TableSummary>('GET', tablePath(name, 'summary'), {
          timeoutMs: summaryMs,
        })
        output.result({ ...table, summary: ranges.columns }, formatOne(table, ranges))
        return
      }
      const { tables } = await (await api()).send<TableList>('GET', routes.tables)
      if (output.json) for (const table of tables) output.result(table, '')
      else if (tables.length === 0) output.note('There are no tables yet: "filejobs import FILE" makes one.')
      else output.result(tables, formatTable(tableColumns, tables))
    })
    .addCommand(removeCommand(context))
    .addCommand(moveCommand(context))
    .addCommand(renameColumnCommand(context))
}

/** Reading millions of rows takes seconds. */
const summaryMs = 10 * 60_000

const examples = `
Examples:
  $ filejobs tables
  $ filejobs tables sales
  $ filejobs tables rm sales
  $ filejobs tables rm sales 12
  $ filejobs tables mv sales orders
  $ filejobs tables rename-column orders "Units Sold" units`

function moveCommand(context: Context): Command {
  return new Command('mv')
    .description('rename a table')
    .argument('<table>', 'the table')
    .argument('<new-name>', 'its new name')
    .action(async (table: string, name: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const renamed = await change(await api(), table, { name })
      output.result(renamed, `Renamed the table ${table} to ${name}`)
    })
}

function renameColumnCommand(context: Context): Command {
  return new Command('rename-column')
    .description('rename a column of a table')
    .argument('<table>', 'the table')
    .argument('<column>', 'the column')
    .argument('<new-name>', 'its new name')
    .action(async (table: string, from: string, to: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const renamed = await change(await api(), table, { renameColumn: { from, to } })
      output.result(renamed, `Renamed the column "${from}" of ${table} to "${to}"`)
    })
}

function change(api: Api, table: string, json: TableChange): Promise<TableRecord> {
  return api.send<TableRecord>('PATCH', tablePath(table), { json })
}

function removeCommand(context: Context): Command {
  return new Command('rm')
    .description('remove a table, or the rows of one import')
    .argument('<table>', 'the table')
    .argument('[import]', 'the number of an import, as "filejobs tables TABLE" shows it')
    .action(async (name: string, part: string | undefined, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const id = part === undefined ? undefined : parseCount(part, '<import>', 1)
      await (await api()).send('DELETE', id === undefined ? tablePath(name) : tablePath(name, `imports/${id}`))
      const words = id === undefined ? `Removed the table ${name}` : `Removed the rows of import ${id} from ${name}`
      output.result({ table: name, import: id ?? null, removed: true }, words)
    })
}

const tableColumns: TextColumn<TableRecord>[] = [
  { title: 'TABLE', cell: ({ name }) => name },
  { title: 'ROWS', align: 'right', cell: ({ rows }) => rows.toLocaleString('en') },
  { title: 'COLUMNS', align: 'right', cell: ({ columns }) => String(columns.length) },
  { title: 'IMPORTS', align: 'right', cell: ({ imports }) => String(imports.length) },
  { title: 'NEWEST', cell: ({ imports }) => formatTime(imports[0]?.importedAt ?? null) },
  { title: 'DATES', cell: ({ dateColumn }) => dateColumn ?? '' },
]

const columnColumns: TextColumn<TableSummary['columns'][number]>[] = [
  { title: 'COLUMN', cell: ({ name }) => name },
  { title: 'TYPE', cell: ({ type }) => type },
  { title: 'NULLS', align: 'right', cell: ({ nulls }) => nulls.toLocaleString('en') },
  { title: 'MIN', cell: ({ min }) => shorten(min) },
  { title: 'MAX', cell: ({ max }) => shorten(max) },
]

function shorten(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  return text.length > 30 ? `${text.slice(0, 29)}…` : text
}

const importColumns: TextColumn<TableImport>[] = [
  { title: 'IMPORT', align: 'right', cell: ({ id }) => String(id) },
  { title: 'ROWS', align: 'right', cell: ({ rows }) => rows.toLocaleString('en') },
  { title: 'LEFT OUT', align: 'right', cell: ({ skipped }) => String(skipped.count || '') },
  { title: 'IMPORTED', cell: ({ importedAt }) => formatTime(importedAt) },
  { title: 'FILE', cell: ({ file }) => file },
]

function formatOne({ name, rows, dateColumn, imports }: TableRecord, { columns }: TableSummary): string {
  const dates = dateColumn === null ? '' : `, dates in "${dateColumn}"`
  const head = `${name}: ${rows.toLocaleString('en')} rows${dates}`
  return [head, formatTable(columnColumns, columns), formatTable(importColumns, imports)].join('\n\n')
}
