import { useState } from 'preact/hooks'
import type { SessionList, SessionRecord } from '../../../protocol/accounts.js'
import { publishes } from '../../../protocol/roles.js'
import { routes } from '../../../protocol/routes.js'
import { me, signOut } from '../../account.js'
import { callApi, errorText } from '../../api.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { toast, toastError } from '../../parts/toasts.js'
import { formatShortTime, formatWholeTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { AccountSpace } from './space.js'

/** The signed-in account, its sessions, and its password. */
export default function AccountView() {
  const account = me.value
  return (
    <>
      <header class="view-head">
        <h1>{say('view.account')}</h1>
        <button type="button" onClick={() => signOut().catch((error) => toastError(say('shell.notSignedOut'), error))}>
          {say('shell.signOut')}
        </button>
      </header>
      {account && (
        <section class="panel" aria-label={say('account.whoIAm')}>
          <dl class="facts">
            <div>
              <dt>{say('account.name')}</dt>
              <dd>{account.account}</dd>
            </div>
            {account.email && (
              <div>
                <dt>{say('account.email')}</dt>
                <dd>{account.email}</dd>
              </div>
            )}
            <div>
              <dt>{say('account.since')}</dt>
              <dd>{formatWholeTime(account.createdAt)}</dd>
            </div>
          </dl>
        </section>
      )}
      {account && publishes[account.role] && <Publishes />}
      <AccountSpace />
      <Sessions />
      <Password />
    </>
  )
}

/** What an ops account has to know before it uploads. */
function Publishes() {
  return (
    <section class="panel" aria-labelledby="publishes">
      <header class="panel-head">
        <h2 id="publishes">{say('account.publishes')}</h2>
      </header>
      <p class="dim">{say('account.publishesText')}</p>
    </section>
  )
}

function Sessions() {
  const { value, error, reload } = useLoaded(
    'sessions',
    (signal) => callApi<SessionList>('GET', routes.sessions, { signal }),
    { watch: true },
  )

  async function revoke({ id, client }: SessionRecord) {
    try {
      await callApi('DELETE', `${routes.sessions}/${encodeURIComponent(id)}`)
      toast({ tone: 'good', title: say('sessions.revoked'), text: nameOf(client) })
    } catch (failure) {
      toastError(say('sessions.notRevoked'), failure)
    }
    reload()
  }

  return (
    <section class="panel loads-first" aria-labelledby="sessions">
      <header class="panel-head">
        <h2 id="sessions">{say('sessions.title')}</h2>
      </header>
      <p class="dim">{say('sessions.hint')}</p>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading rows={2} />}
      {value && (
        <ul class="plain-list sessions">
          {value.sessions.map((session) => (
            <li key={session.id} data-session={session.id}>
              <div>
                <strong>{nameOf(session.client)}</strong>
                {session.current && <span class="state done">{say('sessions.current')}</span>}
                <div class="dim">
                  {say('sessions.times', {
                    created: formatShortTime(session.createdAt),
                    used: formatShortTime(session.lastUsedAt),
                  })}
                </div>
              </div>
              {!session.current && (
                <button
                  type="button"
                  class="danger"
                  aria-label={say('sessions.revokeOne', { client: nameOf(session.client) })}
                  onClick={() => revoke(session)}
                >
                  {say('sessions.revoke')}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Password() {
  const [error, setError] = useState<string | null>(null)

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const data = new FormData(form)
    setError(null)
    try {
      await callApi('POST', routes.password, { json: { current: data.get('current'), new: data.get('new') } })
      form.reset()
      toast({ tone: 'good', title: say('password.changed'), text: say('password.changedText') })
    } catch (failure) {
      setError(errorText(failure))
    }
  }

  return (
    <section class="panel" aria-labelledby="password">
      <header class="panel-head">
        <h2 id="password">{say('password.title')}</h2>
      </header>
      <form class="password-form" onSubmit={submit}>
        <label class="field">
          <span>{say('password.current')}</span>
          <input name="current" type="password" autocomplete="current-password" required />
        </label>
        <label class="field">
          <span>{say('password.new')}</span>
          <input name="new" type="password" autocomplete="new-password" minLength={8} required />
        </label>
        <button type="submit">{say('password.change')}</button>
      </form>
      {error && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
    </section>
  )
}

/** A short name for a User-Agent. */
function nameOf(client: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/[\d.]+/.exec(client)?.[1]
  const system = /Windows|Mac OS X|Android|iPhone|iPad|Linux/.exec(client)?.[0]
  if (browser && system) return say('sessions.browserOn', { browser: browserWords[browser] ?? browser, system })
  return client || say('sessions.unknownProgram')
}

const browserWords: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' }
