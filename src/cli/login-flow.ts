import type { LoggedIn } from '../protocol/accounts.js'
import { routes } from '../protocol/routes.js'
import { createApi } from './api.js'
import type { Credential } from './credentials.js'
import { Failure, wordingOf } from './exit-codes.js'
import { askLine, askNewPassword, askPassword, readPasswords } from './password.js'
import type { Session } from './session.js'

export interface Who {
  username: string
  role?: string
}

/** Reads `ann`, or `ops:ann`, which is how accounts are written; asks on the terminal when nothing was given. */
export async function askWho(session: Session, given: string | undefined, role: string | undefined): Promise<Who> {
  const text = given ?? (await askLine(session.context, 'Username: ', 'Say who you are: give a USERNAME.'))
  if (text === '') throw new Failure('wrongUse', 'A username is needed.')
  const colon = text.indexOf(':')
  if (colon < 0) return { username: text, ...(role === undefined ? {} : { role }) }
  const named = text.slice(0, colon)
  if (role !== undefined && role !== named) {
    throw new Failure('wrongUse', `${text} and --role ${role} contradict each other.`)
  }
  return { username: text.slice(colon + 1), role: named }
}

/** The password of an account that is there, or may be: asked for once. */
export async function askLoginPassword(session: Session, who: Who, fromStdin: boolean): Promise<string> {
  if (fromStdin) return readOne(session)
  return askPassword(session.context, `Password for ${who.username} on ${session.server}`)
}

/** The password of an account to be made: asked for twice. */
export async function askSignupPassword(session: Session, who: Who, fromStdin: boolean): Promise<string> {
  const { context, server } = session
  if (fromStdin) return readOne(session)
  return context.env.FILEJOBS_PASSWORD || askNewPassword(context, `New password for ${who.username} on ${server}`)
}

/**
 * Remembers a login and ends the session that it replaces: a token that nobody knows any more must not live on. Throws a
 * Failure where it cannot be saved, and ends it again.
 */
export async function rememberLogin(session: Session, login: LoggedIn): Promise<void> {
  const { server, output, context } = session
  const account = `${login.role}:${login.username}`
  const old = await replaceCredential(session, { account, token: login.token, expiresAt: login.expiresAt })
  if (old && old.token !== login.token) await endSession(session, old.token)
  if (context.env.FILEJOBS_TOKEN) {
    output.note('FILEJOBS_TOKEN is set and goes before this login: unset it to use what was remembered now.')
  }
  const { username, role, expiresAt } = login
  output.result({ account, username, role, expiresAt, server }, `Logged in to ${server} as ${account}.`)
}

async function replaceCredential(session: Session, login: Credential): Promise<Credential | undefined> {
  const { credentials, server } = session
  try {
    const old = await credentials.find(server)
    await credentials.save(server, login)
    return old
  } catch (error) {
    await endSession(session, login.token)
    const advice = `Until it can be, set FILEJOBS_TOKEN to a token that "filejobs tokens ${login.account}" prints.`
    const words = `The login to ${server} worked, but could not be saved: ${wordingOf(error)}\n${advice}`
    throw new Failure('unexpected', words, { cause: error })
  }
}

/** Best effort: the old token may have expired, or its server may be another one by now. */
async function endSession({ server, userAgent }: Session, token: string): Promise<void> {
  await createApi({ server, userAgent, token })
    .send('POST', routes.logout, { timeoutMs: 5_000 })
    .catch(() => {})
}

async function readOne({ context }: Session): Promise<string> {
  const [password] = await readPasswords(context.stdin, ['password'])
  return password!
}
