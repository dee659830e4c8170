import { signal } from '@preact/signals'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { roles, signupRoles } from '../../protocol/roles.js'
import { me, signedOutBecause, signIn } from '../account.js'
import { errorText } from '../api.js'
import { FileName } from '../parts/file-name.js'
import { Icon } from '../parts/icon.js'
import { endUploads, keepUploadsOf } from '../uploads/upload-queue.js'

/** Names of the uploads that the end of the session has interrupted. */
const cutOff = signal<string[]>([])

me.subscribe((account) => {
  if (account === null) cutOff.value = endUploads()
  else if (account) {
    cutOff.value = []
    keepUploadsOf(account.account)
  }
})

/** The way in: signing in, or making an account. */
export function SignIn() {
  const [signup, setSignup] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  // Before painting: a user may type as soon as it is visible.
  useLayoutEffect(() => form.current?.querySelector<HTMLInputElement>('[name=username]')?.focus(), [])

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const text = (name: string) => String(data.get(name) ?? '')
    setBusy(true)
    setError(null)
    try {
      await signIn({ username: text('username').trim(), password: text('password'), role: text('role') }, signup)
    } catch (failure) {
      setError(errorText(failure))
      form.current?.querySelector<HTMLInputElement>('[name=password]')?.focus()
    } finally {
      setBusy(false)
    }
  }

  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <h1>
          <img src="/favicon.svg" alt="" width="40" height="40" />
          filejobs
        </h1>
        <p class="tagline">Every transfer is a job: watch it, pause it, resume it, stop it.</p>
        <SessionEnded />
        <fieldset class="switch">
          <legend class="hidden">What to do</legend>
          {[false, true].map((isSignup) => (
            <label key={String(isSignup)}>
              <input
                type="radio"
                name="mode"
                class="hidden"
                checked={signup === isSignup}
                onChange={() => {
                  setSignup(isSignup)
                  setError(null)
                }}
              />
              <span>{isSignup ? 'Create account' : 'Sign in'}</span>
            </label>
          ))}
        </fieldset>
        <form ref={form} onSubmit={submit}>
          <label class="field">
            <span>Username</span>
            <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
          </label>
          <label class="field">
            <span>Password</span>
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
                8 characters or more.
              </small>
            )}
          </label>
          <label class="field">
            <span>Role</span>
            <select name="role">
              {(signup ? signupRoles : roles).map((role) => (
                <option key={role} value={role}>
                  {role}
                </option>
              ))}
            </select>
          </label>
          {error && (
            <p class="form-error" role="alert">
              <Icon name="alert" />
              {error}
            </p>
          )}
          <button type="submit" class="primary" disabled={busy}>
            {busy ? 'One moment …' : signup ? 'Create account' : 'Sign in'}
          </button>
        </form>
      </div>
    </main>
  )
}

function SessionEnded() {
  if (signedOutBecause.value === null) return null
  return (
    <div class="session-ended" role="alert">
      <strong>{signedOutBecause.value}</strong>
      {cutOff.value.length > 0 && (
        <>
          <p>Its transfers were stopped. Sign in, and they are listed under Files, to be tried again:</p>
          <ul>
            {cutOff.value.slice(0, 10).map((name) => (
              <li key={name}>
                <FileName name={name} />
              </li>
            ))}
            {cutOff.value.length > 10 && <li>and {cutOff.value.length - 10} more</li>}
          </ul>
        </>
      )}
    </div>
  )
}
