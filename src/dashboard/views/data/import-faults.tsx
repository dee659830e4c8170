import type { ImportCheck, NoteFix } from '../../../protocol/import-checks.js'
import { Icon } from '../../parts/icon.js'
import { say } from '../../words/say.js'
import { withFix, wordsOfFix } from './import-fixes.js'
import type { ChosenImport } from './import-options.js'
import { faultWords } from './import-preview.js'

export interface ImportFaultsProps {
  checked: ImportCheck
  options: ChosenImport
  /** Whether it is being found out anew. */
  isChecking: boolean
  onChange(changes: Partial<ChosenImport>): void
}

/** The lines that cannot be read, each way to mend them as a button, and what was guessed. */
export function ImportFaults({ checked, options, isChecking, onChange }: ImportFaultsProps) {
  const { faults, notes, noteFixes, advice } = checked
  const skips = options.skipBadLines === true
  const offered = mendings(checked, options)
  return (
    <section class="panel stack" aria-live="polite">
      {faults.count === 0 && isChecking && <p class="dim">{say('import.checking')}</p>}
      {faults.count === 0 && !isChecking && (
        <p class="state done">
          <Icon name="check" /> {say('import.good')}
        </p>
      )}
      {faults.count > 0 && (
        <>
          <h2 class={skips ? '' : 'state failed'}>
            {say(skips ? 'import.badSkipped' : 'import.bad', { count: faults.count })}
          </h2>
          <ul class="faults">
            {faults.first.slice(0, faultsShown).map((fault) => (
              <li key={fault.line}>
                {faultWords(fault)}
                {fault.text !== undefined && <code class="fault-text">{fault.text}</code>}
              </li>
            ))}
            {faults.count > faultsShown && <li>{say('import.more', { count: faults.count - faultsShown })}</li>}
          </ul>
          {advice !== null && offered.length === 0 && <p class="dim small">{advice}</p>}
        </>
      )}
      {offered.length > 0 && (
        <div class="buttons start">
          {offered.map(({ words, changes }) => (
            <button key={words} type="button" onClick={() => onChange(changes)}>
              {words}
            </button>
          ))}
        </div>
      )}
      {notes.length > 0 && (
        <details open>
          <summary>{say('import.notes')}</summary>
          <ul class="faults">
            {notes.map((note, at) => (
              <li key={note}>
                {note}
                {noteFixes[at] && <NoteFixButton fix={noteFixes[at]} options={options} onChange={onChange} />}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

interface NoteFixButtonProps extends Pick<ImportFaultsProps, 'options' | 'onChange'> {
  fix: NoteFix
}

/** What a note proposes, by one click. */
function NoteFixButton({ fix, options, onChange }: NoteFixButtonProps) {
  return (
    <div>
      <button type="button" class="note-fix" onClick={() => onChange(withFix(options, fix))}>
        {wordsOfFix(fix)}
      </button>
    </div>
  )
}

interface Mending {
  words: string
  changes: Partial<ChosenImport>
}

/** What would read the file, the likeliest first. */
function mendings({ fix, faults, columns }: ImportCheck, options: ChosenImport): Mending[] {
  if (options.skipBadLines && faults.count > 0)
    return [{ words: say('import.fix.keep'), changes: { skipBadLines: false } }]
  const named = [...new Set(faults.first.map(({ column }) => column))].filter((name) => name !== null)
  const dated = columns.some(({ name, type }) => named.includes(name) && (type === 'date' || type === 'timestamp'))
  return [
    ...(fix && Object.keys(fix).length > 0 ? [{ words: wordsOfFix(fix), changes: withFix(options, fix) }] : []),
    ...(dated && options.dateFormat !== 'day-first'
      ? [{ words: say('import.fix.dayFirst'), changes: { dateFormat: 'day-first' } }]
      : []),
    ...named.slice(0, columnsOffered).map((column) => ({
      words: say('import.fix.text', { column }),
      changes: { types: { ...options.types, [column]: 'text' } },
    })),
    ...(columns.length > 0 && faults.count > 0
      ? [{ words: say('import.fix.skip', { count: faults.count }), changes: { skipBadLines: true } }]
      : []),
  ]
}

const faultsShown = 5
const columnsOffered = 3
