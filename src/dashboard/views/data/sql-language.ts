import { type Completion, type CompletionSource, ifNotIn } from '@codemirror/autocomplete'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { tags } from '@lezer/highlight'
import type { TableRecord } from '../../../protocol/tables.js'

/** SQL as the engine reads it, whose dialect is close to that of PostgreSQL; the names of tables and columns come before keywords. */
export function sqlLanguage(tables: readonly TableRecord[]): Extension {
  const schema = Object.fromEntries(tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]))
  const keyword = (label: string, type: string): Completion => ({ label, type, boost: -1 })
  return [
    sql({ dialect: PostgreSQL, schema, keywordCompletion: keyword }),
    PostgreSQL.language.data.of({ autocomplete: columnNames(tables) }),
  ]
}

/** Completes the columns of all tables, where no table stands before them. */
function columnNames(tables: readonly TableRecord[]): CompletionSource {
  const tablesOf = new Map<string, string[]>()
  for (const { name: table, columns } of tables)
    for (const { name } of columns) tablesOf.set(name, [...(tablesOf.get(name) ?? []), table])
  const names = [...tablesOf].map(([label, owners]): Completion => {
    const apply = /^[a-z_][a-z_\d]*$/i.test(label) ? label : `"${label.replaceAll('"', '""')}"`
    return { label, apply, type: 'property', detail: owners.slice(0, 3).join(', ') }
  })
  return ifNotIn(['QuotedIdentifier', 'String', 'LineComment', 'BlockComment'], (context) => {
    const word = context.matchBefore(/[\p{L}\p{N}_]+/u)
    const from = word?.from ?? context.pos
    const isOfTable = context.state.sliceDoc(Math.max(0, from - 1), from) === '.'
    if (isOfTable || (!word && !context.explicit)) return null
    return { from, options: names, validFor: /^[\p{L}\p{N}_]*$/u }
  })
}

/** The colours of the page, in both themes. */
export const sqlColours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.keyword, color: 'var(--import)', fontWeight: '600' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--query)' },
    { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--export)' },
    { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
  ]),
)
