import { batch, signal } from '@preact/signals'
import type { CookieLoggedIn, OwnAccountRecord, PageAccountRecord } from '../protocol/accounts.js'
import { routes } from '../protocol/routes.js'
import { callApi, Refusal, whenNotSignedIn } from './api.js'
import { loadFeatures } from './features.js'
import { say } from './words/say.js'

/** The signed-in account; null: signed out; undefined: not known yet. */
export const me = signal<OwnAccountRecord | null | undefined>(undefined)

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

/** Loads the signed-in account, and what the server offers; retries while it does not answer. */
export async function loadAccount(): Promise<void> {
  try {
    const [account] = await Promise.all([findMe(), loadFeatures()])
    batch(() => {
      me.value = account
      if (account) signedOutBecause.value = null
      unreachable.value = false
    })
  } catch {
    unreachable.value = true
    setTimeout(loadAccount, askAgainMs)
  }
}

/** null if no account is signed in. Throws if the server does not answer. */
async function findMe(): Promise<OwnAccountRecord | null> {
  try {
    return (await callApi<PageAccountRecord>('GET', routes.cookie)).account
  } catch (error) {
    if (error instanceof Refusal && error.status < 500) return null
    throw error
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
  if (me.peek()) endSession(say('signIn.sessionEnded'))
})

const askAgainMs = 1500
