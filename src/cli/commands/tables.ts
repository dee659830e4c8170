import { Command } from 'commander'
import { routes, tablePath } from '../../protocol/routes.js'
import type { Column as TableColumn, TableImport, TableList, TableRecord } from '../../protocol/tables.js'
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
        output.result(table, formatOne(table))
        return
      }
      const { tables } = await (await api()).send<TableList>('GET', routes.tables)
      if (output.json) for (const table of tables) output.result(table, '')
      else if (tables.length === 0) output.note('There are no tables yet: "filejobs import FILE" makes one.')
      else output.result(tables, formatTable(tableColumns, tables))
    })
    .addCommand(removeCommand(context))
}

const examples = `
Examples:
  $ filejobs tables
  $ filejobs tables sales
  $ filejobs tables rm sales
  $ filejobs tables rm sales 12`

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

const columnColumns: TextColumn<TableColumn>[] = [
  { title: 'COLUMN', cell: ({ name }) => name },
  { title: 'TYPE', cell: ({ type }) => type },
]

const importColumns: TextColumn<TableImport>[] = [
  { title: 'IMPORT', align: 'right', cell: ({ id }) => String(id) },
  { title: 'ROWS', align: 'right', cell: ({ rows }) => rows.toLocaleString('en') },
  { title: 'LEFT OUT', align: 'right', cell: ({ skipped }) => String(skipped.count || '') },
  { title: 'IMPORTED', cell: ({ importedAt }) => formatTime(importedAt) },
  { title: 'FILE', cell: ({ file }) => file },
]

function formatOne({ name, rows, columns, dateColumn, imports }: TableRecord): string {
  const dates = dateColumn === null ? '' : `, dates in "${dateColumn}"`
  const head = `${name}: ${rows.toLocaleString('en')} rows${dates}`
  return [head, formatTable(columnColumns, columns), formatTable(importColumns, imports)].join('\n\n')
}
