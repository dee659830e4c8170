import type { Context } from './context.js'
import { Failure } from './exit-codes.js'
import { askNewPassword, readPasswords } from './password.js'

/** The options of a command that makes a link. */
export interface LinkPasswordOptions {
  password?: boolean
  passwordStdin?: boolean
}

/** Asks for the password of a new link, or reads it from stdin; undefined if it is to have none. Throws a Failure. */
export async function linkPasswordOf(
  context: Context,
  { password, passwordStdin }: LinkPasswordOptions,
): Promise<string | undefined> {
  if (password && passwordStdin) throw new Failure('wrongUse', 'Use either --password or --password-stdin.')
  if (password && !context.stdin.isTTY) {
    throw new Failure('wrongUse', 'No terminal to ask for the password: use --password-stdin.')
  }
  if (password) return askNewPassword(context, 'Password of the link')
  return passwordStdin ? (await readPasswords(context.stdin, ['password']))[0] : undefined
}
