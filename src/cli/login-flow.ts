import type { LoggedIn } from '../protocol/accounts.js'
import { roles } from '../protocol/roles.js'
import { routes } from '../protocol/routes.js'
import { createGotApi } from './api.js'
import { parseChoices } from './choices.js'
import type { Credential } from './credentials.js'
import { Failure, formatFailure } from './exit-codes.js'
import { askLine, askNewPassword, askPassword, readPasswords } from './password.js'
import type { Session } from './session.js'

export interface Who {
  username: string
  role?: string
}

/** Parses `ann` or `ops:ann`, the notation for accounts; prompts on the terminal if nothing was given. */
export async function askWho(session: Session, given: string | undefined, role: string | undefined): Promise<Who> {
  const text = given ?? (await askLine(session.context, 'Username: ', 'Say who you are: give a USERNAME.'))
  if (text === '') throw new Failure('wrongUse', 'A username is needed.')
  const colon = text.indexOf(':')
  if (role !== undefined) parseChoices(role, '--role', roles)
  if (colon < 0) return { username: text, ...(role === undefined ? {} : { role }) }
  const named = text.slice(0, colon)
  if (role !== undefined && role !== named) {
    throw new Failure('wrongUse', `${text} and --role ${role} contradict each other.`)
  }
  return { username: text.slice(colon + 1), role: named }
}

/** Prompts once for the password of an account that may exist. */
export async function askLoginPassword(session: Session, who: Who, fromStdin: boolean): Promise<string> {
  if (fromStdin) return readOne(session)
  return askPassword(session.context, `Password for ${who.username} on ${session.server}`)
}

/** Prompts twice for the password of a new account. */
export async function askSignupPassword(session: Session, who: Who, fromStdin: boolean): Promise<string> {
  const { context, server } = session
  if (fromStdin) return readOne(session)
  return context.env.FILEJOBS_PASSWORD || askNewPassword(context, `New password for ${who.username} on ${server}`)
}

/**
 * Stores a login and revokes the session that it replaces: a token that no client stores must not stay valid. Throws a
 * Failure if the login cannot be stored, and revokes the new session.
 */
export async function rememberLogin(session: Session, login: LoggedIn): Promise<void> {
  const { server, output, context } = session
  const account = `${login.role}:${login.username}`
  const old = await replaceCredential(session, { account, token: login.token, expiresAt: login.expiresAt })
  if (old && old.token !== login.token) await endSession(session, old.token)
  if (context.env.FILEJOBS_TOKEN) {
    output.note('FILEJOBS_TOKEN is set and takes precedence over this login: unset it to use the login.')
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
    const words = `The login to ${server} worked, but could not be saved: ${formatFailure(error)}\n${advice}`
    throw new Failure('unexpected', words, { cause: error })
  }
}

/** Best effort: the old token may have expired, or the server may have changed. */
async function endSession({ server, userAgent }: Session, token: string): Promise<void> {
  await createGotApi({ server, userAgent, token })
    .send('POST', routes.logout, { timeoutMs: 5_000 })
    .catch(() => {})
}

async function readOne({ context }: Session): Promise<string> {
  const [password] = await readPasswords(context.stdin, ['password'])
  return password!
}
