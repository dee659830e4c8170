import { signal } from '@preact/signals'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Role } from '../../../protocol/roles.js'
import { me, signedOutBecause, signIn } from '../../account.js'
import { errorText, Refusal } from '../../api.js'
import { features } from '../../features.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { endUploads, keepUploadsOf } from '../../uploads/upload-queue.js'
import { say } from '../../words/say.js'

/** Names of the uploads that the end of the session has interrupted. */
const cutOff = signal<string[]>([])

me.subscribe((account) => {
  if (account === null) cutOff.value = endUploads()
  else if (account) {
    cutOff.value = []
    keepUploadsOf(account.account)
  }
})

/** The way in: signing in, or making an account where that is open. */
export function SignIn() {
  const signupRoles = features.value?.signupRoles ?? []
  const [signup, setSignup] = useState(false)
  const main = useRef<HTMLElement>(null)
  // Before painting: a user may type as soon as it is visible.
  useLayoutEffect(() => main.current?.querySelector<HTMLInputElement>('[name=username]')?.focus(), [])
  return (
    <main ref={main} class="sign-in">
      <div class="sign-in-card">
        <h1>
          <img src="/favicon.svg" alt="" width="40" height="40" />
          filejobs
        </h1>
        <p class="tagline">{say('signIn.tagline')}</p>
        <SessionEnded />
        {signupRoles.length > 0 && (
          <fieldset class="switch">
            <legend class="hidden">{say('signIn.whatToDo')}</legend>
            {[false, true].map((isSignup) => (
              <label key={String(isSignup)}>
                <input
                  type="radio"
                  name="mode"
                  class="hidden"
                  checked={signup === isSignup}
                  onChange={() => setSignup(isSignup)}
                />
                <span>{say(isSignup ? 'signIn.create' : 'signIn.signIn')}</span>
              </label>
            ))}
          </fieldset>
        )}
        <Credentials key={String(signup)} signup={signup} signupRoles={signupRoles} />
      </div>
    </main>
  )
}

function Credentials({ signup, signupRoles }: { signup: boolean; signupRoles: readonly Role[] }) {
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  // Asked for only where accounts of several roles have this name and password.
  const [fitting, setFitting] = useState<readonly Role[]>([])
  const choices = signup ? signupRoles : fitting
  const form = useRef<HTMLFormElement>(null)
  useLayoutEffect(() => {
    if (fitting.length > 0) form.current?.querySelector<HTMLSelectElement>('[name=role]')?.focus()
  }, [fitting])

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const text = (name: string) => String(data.get(name) ?? '')
    const role = text('role')
    setBusy(true)
    setError(null)
    try {
      const credentials = { username: text('username').trim(), password: text('password') }
      await signIn({ ...credentials, ...(role === '' ? {} : { role }) }, signup)
    } catch (failure) {
      if (failure instanceof Refusal && failure.code === 'role-required') setFitting(failure.details.roles as Role[])
      else {
        setError(errorText(failure))
        form.current?.querySelector<HTMLInputElement>('[name=password]')?.focus()
      }
    } finally {
      setBusy(false)
    }
  }

  return (
    <form ref={form} onSubmit={submit} onInput={(event) => isName(event.target) && setFitting([])}>
      <label class="field">
        <span>{say('signIn.username')}</span>
        <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
      </label>
      <label class="field">
        <span>{say('signIn.password')}</span>
        <input
          name="password"
          type="password"
          autocomplete={signup ? 'new-password' : 'current-password'}
          required
          minLength={signup ? 8 : undefined}
          aria-describedby={signup ? 'password-hint' : undefined}
        />
        {signup && (
          <small id="password-hint" class="hint">
            {say('signIn.passwordHint')}
          </small>
        )}
      </label>
      {choices.length > 1 && (
        <label class="field">
          <span>{say(signup ? 'signIn.role' : 'signIn.whichAccount')}</span>
          <select name="role">
            {choices.map((role) => (
              <option key={role} value={role}>
                {role}
              </option>
            ))}
          </select>
        </label>
      )}
      {choices.length === 1 && <input type="hidden" name="role" value={choices[0]} />}
      {error && (
        <p class="form-error" role="alert">
          <Icon name="alert" />
          {error}
        </p>
      )}
      <button type="submit" class="primary" disabled={busy}>
        {say(busyWords(signup, busy))}
      </button>
    </form>
  )
}

function busyWords(signup: boolean, busy: boolean) {
  if (signup) return busy ? 'signIn.creating' : 'signIn.create'
  return busy ? 'signIn.busy' : 'signIn.signIn'
}

/** Another name or password is of other accounts. */
function isName(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.name !== 'role'
}

function SessionEnded() {
  if (signedOutBecause.value === null) return null
  return (
    <div class="session-ended" role="alert">
      <strong>{signedOutBecause.value}</strong>
      {cutOff.value.length > 0 && (
        <>
          <p>{say('signIn.cutOff')}</p>
          <ul>
            {cutOff.value.slice(0, 10).map((name) => (
              <li key={name}>
                <FileName name={name} />
              </li>
            ))}
            {cutOff.value.length > 10 && <li>{say('signIn.moreCutOff', { count: cutOff.value.length - 10 })}</li>}
          </ul>
        </>
      )}
    </div>
  )
}
