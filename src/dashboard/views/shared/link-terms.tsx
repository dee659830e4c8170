import { useState } from 'preact/hooks'
import { formatDay } from '../../words/format.js'
import { say } from '../../words/say.js'

/** What a person chooses for any link. */
export interface ChosenTerms {
  /** Seconds, or `untilDate`. */
  time: string
  /** The last day, such as `2026-12-24`. */
  date: string
  password: string
  note: string
}

const times = [
  { name: 'terms.hour', seconds: 3600 },
  { name: 'terms.day', seconds: 86_400 },
  { name: 'terms.week', seconds: 7 * 86_400 },
  { name: 'terms.month', seconds: 30 * 86_400 },
] as const
const untilDate = 'date'

export function useLinkTerms(): { terms: ChosenTerms; change(changes: Partial<ChosenTerms>): void } {
  const [terms, setTerms] = useState<ChosenTerms>({ time: String(7 * 86_400), date: '', password: '', note: '' })
  return { terms, change: (changes) => setTerms((before) => ({ ...before, ...changes })) }
}

/** The terms as members of a request; what is empty is left out. */
export function termsOf({ time, date, password, note }: ChosenTerms): Record<string, unknown> {
  return {
    ...(time === untilDate ? { expiresAt: endOf(date) } : { expiresIn: Number(time) }),
    ...(password === '' ? {} : { password }),
    ...(note.trim() === '' ? {} : { note: note.trim() }),
  }
}

export interface LinkTermsProps {
  terms: ChosenTerms
  change(changes: Partial<ChosenTerms>): void
}

/** How long a link works, and its password. */
export function AccessFields({ terms: { time, date, password }, change }: LinkTermsProps) {
  return (
    <>
      <div class="field-row">
        <label class="field">
          <span>{say('terms.until')}</span>
          <select value={time} onChange={(event) => change({ time: event.currentTarget.value })}>
            {times.map(({ name, seconds }) => (
              <option key={seconds} value={seconds}>
                {say(name)}
              </option>
            ))}
            <option value={untilDate}>{say('terms.date')}</option>
          </select>
        </label>
        {time === untilDate && (
          <label class="field">
            <span>{say('terms.lastDay')}</span>
            <input
              type="date"
              required
              min={formatDay(new Date())}
              max={formatDay(new Date(Date.now() + longestMs))}
              value={date}
              onInput={(event) => change({ date: event.currentTarget.value })}
            />
          </label>
        )}
      </div>
      <PasswordField value={password} onChange={(text) => change({ password: text })} />
    </>
  )
}

/** Shown as it is typed: the person who chooses it has to pass it on. */
function PasswordField({ value, onChange }: { value: string; onChange(text: string): void }) {
  return (
    <div class="field">
      <label for="link-password">{say('terms.password')}</label>
      <div class="with-button">
        <input
          id="link-password"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-describedby="link-password-hint"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        <button type="button" onClick={() => onChange(suggestPassword())}>
          {say('terms.suggest')}
        </button>
      </div>
      <small id="link-password-hint" class="hint">
        {say('terms.passwordHint')}
      </small>
    </div>
  )
}

export function NoteField({ label, terms: { note }, change }: LinkTermsProps & { label: string }) {
  return (
    <label class="field">
      <span>
        {label} ({say('terms.optional')})
      </span>
      <textarea
        rows={2}
        maxLength={500}
        value={note}
        onInput={(event) => change({ note: event.currentTarget.value })}
      />
    </label>
  )
}

/** Twelve characters that are not mistaken for others, which are 60 bits. */
function suggestPassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  const text = [...bytes].map((byte) => letters[byte % letters.length]).join('')
  return text.replace(/(.{4})(?=.)/g, '$1-')
}

/** The whole day counts, where the user is. */
function endOf(date: string): string {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  return new Date(year, month - 1, day + 1).toISOString()
}

/** A link ends within 366 days; its last day does, too. */
const longestMs = 365 * 86_400_000
