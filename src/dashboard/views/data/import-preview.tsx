import type { Fault, ImportCheck } from '../../../protocol/import-checks.js'
import { say } from '../../words/say.js'
import { dateChoices, typeNames } from './import-choices.js'
import type { ChosenImport } from './import-options.js'

export interface ImportPreviewProps {
  checked: ImportCheck
  options: ChosenImport
  /** Whether what is shown is being found out anew. */
  isChecking: boolean
  onChange(changes: Partial<ChosenImport>): void
}

/** The first rows under their columns, whose types and date formats can be changed; bad lines are marked in place. */
export function ImportPreviewTable({ checked, options, isChecking, onChange }: ImportPreviewProps) {
  const { preview, columns, rows, faults } = checked
  if (columns.length === 0) return null
  const faultAt = new Map(faults.first.map((fault) => [fault.line, fault]))
  const { types = {}, dateFormats = {} } = options
  const setType = (name: string, type: string) =>
    onChange({
      types: withEntry(types, name, type),
      // A format makes dates of a column, whatever its type was.
      ...(type === 'date' || type === 'timestamp' ? {} : { dateFormats: withEntry(dateFormats, name, '') }),
    })
  const setDates = (name: string, format: string) => onChange({ dateFormats: withEntry(dateFormats, name, format) })
  return (
    <section class="panel" aria-labelledby="preview" aria-busy={isChecking}>
      <header class="panel-head">
        <h2 id="preview">{say('import.preview')}</h2>
        <span class="dim" role="status">
          {isChecking
            ? say('import.checking')
            : say('import.summary', { count: rows, columns: say('import.columns', { count: columns.length }) })}
        </span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="scroll-x" tabIndex={0} aria-label={say('import.rows')}>
        <table class="list data import-preview">
          <thead>
            <tr>
              <th scope="col">{say('import.line')}</th>
              {columns.map(({ name, type }, at) => (
                <th key={name} scope="col">
                  <span class="column-name">{name}</span>
                  <TypeChoice column={name} type={type} asked={types[name]} onChoose={(next) => setType(name, next)} />
                  {preview?.dateFormats[at] && (
                    <DateFormatChoice
                      column={name}
                      pattern={preview.dateFormats[at]}
                      asked={dateFormats[name]}
                      onChoose={(format) => setDates(name, format)}
                    />
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview?.rows.map(({ line, values }) => (
              <PreviewRow
                key={line}
                line={line}
                values={values}
                columns={columns.map(({ name }) => name)}
                fault={faultAt.get(line)}
              />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

/** The record with a value of this name; without it, if the value is empty. */
function withEntry(record: Record<string, string>, name: string, value: string): Record<string, string> {
  const { [name]: _, ...others } = record
  return value === '' ? others : { ...others, [name]: value }
}

interface TypeChoiceProps {
  column: string
  type: string
  /** If it was chosen, not guessed. */
  asked: string | undefined
  onChoose(type: string): void
}

function TypeChoice({ column, type, asked, onChoose }: TypeChoiceProps) {
  const known = typeNames()
  const value = asked ?? type
  return (
    <select
      class="type-choice"
      aria-label={say('import.typeOf', { column })}
      value={value}
      onChange={(event) => onChoose(event.currentTarget.value)}
    >
      {asked !== undefined && <option value="">{say('import.guess')}</option>}
      {!(value in known) && <option value={value}>{value}</option>}
      {Object.entries(known).map(([name, words]) => (
        <option key={name} value={name}>
          {words}
        </option>
      ))}
    </select>
  )
}

interface DateFormatChoiceProps {
  column: string
  /** How its dates are read, as a pattern such as `%d.%m.%Y`. */
  pattern: string
  /** If it was chosen, not guessed. */
  asked: string | undefined
  onChoose(format: string): void
}

/** How the dates of a column are written. */
function DateFormatChoice({ column, pattern, asked, onChoose }: DateFormatChoiceProps) {
  const value = asked ?? patternNames[pattern] ?? pattern
  return (
    <select
      class="type-choice"
      aria-label={say('import.datesOf', { column })}
      value={value}
      onChange={(event) => onChoose(event.currentTarget.value)}
    >
      {asked !== undefined && <option value="">{say('import.guess')}</option>}
      {!(value in dateChoices) && <option value={value}>{value}</option>}
      {Object.entries(dateChoices).map(([format, example]) => (
        <option key={format} value={format}>
          {example}
        </option>
      ))}
    </select>
  )
}

/** What the server calls these patterns in requests. */
const patternNames: Record<string, string> = {
  '%Y-%m-%d': 'iso',
  '%m/%d/%Y': 'month-first',
  '%d/%m/%Y': 'day-first',
}

interface PreviewRowProps {
  line: number
  values: readonly string[]
  columns: readonly string[]
  fault: Fault | undefined
}

function PreviewRow({ line, values, columns, fault }: PreviewRowProps) {
  const cells = Array.from({ length: Math.max(columns.length, values.length) }, (_, at) => values[at])
  return (
    <>
      <tr class={fault ? 'bad-line' : ''}>
        <th scope="row" class="number">
          {line}
        </th>
        {cells.map((value, at) => (
          <td key={at} class={fault && fault.column !== null && fault.column === columns[at] ? 'bad-value' : ''}>
            {value === undefined ? '' : <bdi>{value}</bdi>}
          </td>
        ))}
      </tr>
      {fault && (
        <tr class="bad-line-words">
          <td colSpan={cells.length + 1}>{faultWords(fault)}</td>
        </tr>
      )}
    </>
  )
}

export function faultWords({ line, column, reason }: Fault): string {
  return column === null ? say('import.faultAt', { line, reason }) : say('import.faultIn', { line, column, reason })
}
