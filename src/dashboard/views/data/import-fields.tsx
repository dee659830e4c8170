import type { ComponentChildren } from 'preact'
import type { ImportCheck } from '../../../protocol/import-checks.js'
import { tableNameOf } from '../../../protocol/table-name.js'
import { say, type WordKey } from '../../words/say.js'
import { dateChoices, delimiterName, delimiters } from './import-choices.js'
import type { ChosenImport } from './import-options.js'

export interface ImportFieldsProps {
  file: string
  options: ChosenImport
  /** What was detected; undefined before the file was read. */
  checked: ImportCheck | undefined
  onChange(changes: Partial<ChosenImport>): void
}

/** Where the rows go, and how the file is written. */
export function ImportFields({ file, options, checked, onChange }: ImportFieldsProps) {
  const { preview } = checked ?? {}
  const dated = checked?.columns.filter(({ type }) => type === 'date' || type === 'timestamp') ?? []
  return (
    <section class="panel stack" aria-label={say('import.how')}>
      <div class="field-grid">
        <label class="field">
          <span>{say('import.table')}</span>
          <input
            value={options.table ?? ''}
            placeholder={tableNameOf(file) ?? say('import.tablePlaceholder')}
            pattern="[a-z_][a-z0-9_]{0,62}"
            title={say('import.tableHint')}
            autocapitalize="none"
            spellcheck={false}
            onChange={(event) => onChange({ table: event.currentTarget.value.trim() || undefined })}
          />
        </label>
        <Choice
          label="import.mode"
          value={options.replace ? 'replace' : ''}
          choices={{ '': say('import.add'), replace: say('import.replace') }}
          onChoose={(value) => onChange({ replace: value === 'replace' })}
        />
        <Choice
          label="import.dateColumn"
          value={options.dateColumn ?? ''}
          choices={{
            '': detected(preview?.dateColumn ?? say('import.dateColumnAuto')),
            ...Object.fromEntries(dated.map(({ name }) => [name, name])),
          }}
          onChoose={(value) => onChange({ dateColumn: value || undefined })}
        />
      </div>
      {preview?.format !== 'json' && (
        <div class="field-grid">
          <FormFields options={options} checked={checked} onChange={onChange} />
        </div>
      )}
    </section>
  )
}

/** What only a CSV has. */
function FormFields({ options, checked, onChange }: Omit<ImportFieldsProps, 'file'>) {
  const { preview } = checked ?? {}
  const { header } = options
  return (
    <>
      <Choice
        label="import.delimiter"
        value={options.delimiter ?? ''}
        choices={{ '': detected(preview?.delimiter && delimiterName(preview.delimiter)), ...delimiters() }}
        onChoose={(value) => onChange({ delimiter: value || undefined })}
      />
      <Choice
        label="import.encoding"
        value={options.encoding ?? ''}
        choices={{ '': detected(preview?.encoding), ...Object.fromEntries(encodings.map((name) => [name, name])) }}
        onChoose={(value) => onChange({ encoding: value || undefined })}
      />
      <Choice
        label="import.header"
        value={header === undefined ? '' : String(header)}
        choices={{
          '': detected(preview && say(`import.header.${preview.header}`)),
          true: say('import.header.true'),
          false: say('import.header.false'),
        }}
        onChoose={(value) => onChange({ header: value === '' ? undefined : value === 'true' })}
      />
      <Choice
        label="import.decimal"
        value={options.decimal ?? ''}
        choices={{ '': say('import.decimal.point'), ',': say('import.decimal.comma') }}
        onChoose={(value) => onChange({ decimal: value === ',' ? ',' : undefined })}
      />
      <Choice
        label="import.thousands"
        value={options.thousands ?? ''}
        choices={{
          '': say('import.thousands.none'),
          '.': '1.000',
          ',': '1,000',
          ' ': '1 000',
          "'": "1'000",
          _: '1_000',
        }}
        onChoose={(value) => onChange({ thousands: (value || undefined) as ChosenImport['thousands'] })}
      />
      <Choice
        label="import.dates"
        value={options.dateFormat ?? ''}
        choices={{ '': say('import.detected'), ...dateChoices }}
        onChoose={(value) => onChange({ dateFormat: value || undefined })}
      />
      <label class="field">
        <span>{say('import.skipLines')}</span>
        <input
          type="number"
          min="0"
          max="10000"
          step="1"
          value={options.skipLines ?? 0}
          onChange={(event) => onChange({ skipLines: Number(event.currentTarget.value) || undefined })}
        />
      </label>
      <Choice
        label="import.percent"
        value={options.percent ? 'true' : ''}
        choices={{ '': say('import.percent.none'), true: say('import.percent.number') }}
        onChoose={(value) => onChange({ percent: value === 'true' })}
      />
      <WordsField
        label="import.currency"
        example="import.currencyPlaceholder"
        words={options.currency}
        onChange={(currency) => onChange({ currency })}
      />
      <WordsField
        label="import.nulls"
        example="import.nullsPlaceholder"
        words={options.nulls}
        onChange={(nulls) => onChange({ nulls })}
      />
      <WordsField
        label="import.booleans"
        example="import.booleansPlaceholder"
        words={options.booleans}
        onChange={(booleans) => onChange({ booleans })}
      />
    </>
  )
}

interface WordsFieldProps {
  label: WordKey & `import.${string}`
  example: WordKey & `import.${string}`
  words: readonly string[] | undefined
  onChange(words: string[]): void
}

/** Words, with commas between them. */
function WordsField({ label, example, words, onChange }: WordsFieldProps) {
  return (
    <label class="field">
      <span>{say(label as 'import.table')}</span>
      <input
        value={words?.join(', ') ?? ''}
        placeholder={say(example as 'import.table')}
        onChange={(event) => onChange(wordsIn(event.currentTarget.value))}
      />
    </label>
  )
}

interface ChoiceProps {
  label: WordKey & `import.${string}`
  value: string
  /** The texts by value, in their order. */
  choices: Record<string, ComponentChildren>
  onChoose(value: string): void
}

function Choice({ label, value, choices, onChoose }: ChoiceProps) {
  // What the address has need not be among them.
  const all = value in choices ? choices : { ...choices, [value]: value }
  return (
    <label class="field">
      <span>{say(label as 'import.table')}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {Object.entries(all).map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

function detected(what: string | null | undefined): string {
  return what ? say('import.detectedAs', { what }) : say('import.detected')
}

function wordsIn(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

const encodings = [
  'utf-8',
  'windows-1252',
  'iso-8859-15',
  'windows-1250',
  'windows-1251',
  'shift_jis',
  'gb18030',
  'utf-16le',
]
