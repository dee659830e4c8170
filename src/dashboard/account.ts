import { batch, signal } from '@preact/signals'
import type { AccountRecord, CookieLoggedIn } from '../protocol/accounts.js'
import { routes } from '../protocol/routes.js'
import { Refusal, send, whenNotSignedIn } from './api.js'

/** Who is signed in; null: nobody; undefined: not known yet. */
export const me = signal<AccountRecord | null | undefined>(undefined)

/** Why the sign-in page is shown, where it was not wished for. */
export const signedOutBecause = signal<string | null>(null)

/** True while the server does not answer the first question. */
export const unreachable = signal(false)

export interface Credentials {
  username: string
  password: string
  role?: string
}

const channel = new BroadcastChannel('filejobs-account')
channel.onmessage = ({ data }: MessageEvent<'in' | 'out'>) => {
  if (data === 'in') loadAccount()
  else if (me.peek()) endSession(null)
}

/** Finds out who is signed in, asking again while the server does not answer. */
export async function loadAccount(): Promise<void> {
  try {
    const account = await send<AccountRecord>('GET', routes.me)
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

/** Throws what the server says where it refuses. */
export async function signIn(credentials: Credentials, signup: boolean): Promise<void> {
  await send<CookieLoggedIn>('POST', routes.cookie, { json: { ...credentials, signup } })
  await loadAccount()
  channel.postMessage('in')
}

/** What is to be done as the account before it is signed out. */
let finishWork = async () => {}

export function beforeSignOut(finish: () => Promise<void>): void {
  finishWork = finish
}

export async function signOut(): Promise<void> {
  await finishWork()
  await send('POST', routes.logout).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error
  })
  endSession(null)
  channel.postMessage('out')
}

/** The session is over: the sign-in page comes. */
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
