import { batch, signal } from '@preact/signals'
import type { AccountRecord, CookieLoggedIn } from '../protocol/accounts.js'
import { routes } from '../protocol/routes.js'
import { callApi, Refusal, whenNotSignedIn } from './api.js'

/** The signed-in account; null: signed out; undefined: not known yet. */
export const me = signal<AccountRecord | null | undefined>(undefined)

/** Why the sign-in page is shown, unless the user signed out. */
export const signedOutBecause = signal<string | null>(null)

/** True while the server does not answer the first request. */
export const unreachable = signal(false)

export interface SignInData {
  username: string
  password: string
  role?: string
}

const channel = new BroadcastChannel('filejobs-account')
channel.onmessage = ({ data }: MessageEvent<'in' | 'out'>) => {
  if (data === 'in') loadAccount()
  else if (me.peek()) endSession(null)
}

/** Loads the signed-in account; retries while the server does not answer. */
export async function loadAccount(): Promise<void> {
  try {
    const account = await callApi<AccountRecord>('GET', routes.me)
    batch(() => {
      me.value = account
      signedOutBecause.value = null
      unreachable.value = false
    })
  } catch (error) {
    if (error instanceof Refusal && error.status < 500) me.value = null
    else {
      unreachable.value = true
      setTimeout(loadAccount, askAgainMs)
    }
  }
}

/** Throws the server's error. */
export async function signIn(credentials: SignInData, signup: boolean): Promise<void> {
  await callApi<CookieLoggedIn>('POST', routes.cookie, { json: { ...credentials, signup } })
  await loadAccount()
  channel.postMessage('in')
}

/** Work to finish before the account is signed out. */
let finishWork = async () => {}

export function beforeSignOut(finish: () => Promise<void>): void {
  finishWork = finish
}

export async function signOut(): Promise<void> {
  await finishWork()
  await callApi('POST', routes.logout).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error
  })
  endSession(null)
  channel.postMessage('out')
}

/** Ends the session and shows the sign-in page. */
export function endSession(reason: string | null): void {
  if (me.peek() === null) return
  batch(() => {
    signedOutBecause.value = reason
    me.value = null
  })
}

whenNotSignedIn(() => {
  if (me.peek()) endSession('Your session has ended: it was revoked, or it expired.')
})

const askAgainMs = 1500
