import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Account, type AccountStore, accountName, type Invitation } from '../stores/accounts.js'
import type { Authentication } from './authentication.js'
import { networkOf } from './networks.js'
import type { Requester } from './password-check.js'
import type { Passwords } from './passwords.js'

export interface InvitationServices {
  clock: Clock
  accounts: Pick<AccountStore, 'get' | 'update' | 'acceptInvitation'>
  passwords: Pick<Passwords, 'hash'>
  authentication: Pick<Authentication, 'revokeAll'>
}

/** An invitation with the secret that its link has, which is stored nowhere. */
export interface NewInvitation extends Invitation {
  secret: string
}

/** What the account keeps of it. */
export function storedInvitation({ digest, expiresAt }: NewInvitation): Invitation {
  return { digest, expiresAt }
}

/** The secret part of the link. */
export function invitationToken({ id }: Pick<Account, 'id'>, { secret }: Pick<NewInvitation, 'secret'>): string {
  return `${id}-${secret}`
}

/** Links by which owners of accounts set their passwords, once. An account has one at a time. */
export class Invitations {
  readonly #services: InvitationServices

  constructor(services: InvitationServices) {
    this.#services = services
  }

  /** An invitation that can be accepted for so many seconds, once an account has it. */
  draw(seconds: number): NewInvitation {
    const secret = randomBytes(secretBytes).toString('base64url')
    const expiresAt = new Date(this.#services.clock.now() + seconds * 1000).toISOString()
    return { secret, digest: digestOf(secret), expiresAt }
  }

  /** An earlier invitation of the account ends. Its password stays valid until the invitation is accepted. */
  async invite(account: Account, seconds: number): Promise<NewInvitation> {
    const invitation = this.draw(seconds)
    await this.#services.accounts.update(account.id, { invitation: storedInvitation(invitation) })
    return invitation
  }

  /** Throws `invitation-not-found`, whatever is wrong with the token, and `not-allowed` if the account is disabled. */
  async find(token: string): Promise<{ account: Account; invitation: Invitation }> {
    const { accounts, clock } = this.#services
    const [, id, secret] = /^(\d{1,15})-([\w-]{32})$/.exec(token) ?? []
    const account = id === undefined ? undefined : await accounts.get(Number(id))
    const invitation = account?.invitation
    // The secret is random, so that how far two digests are equal tells nothing.
    if (!account || !invitation || invitation.digest !== digestOf(secret!)) throw invitationNotFound()
    if (Date.parse(invitation.expiresAt) <= clock.now()) throw invitationNotFound()
    if (account.disabled)
      throw new Problem('not-allowed', `The account ${accountName(account)} is disabled: ask an admin.`)
    return { account, invitation }
  }

  /** Sets the password, and ends all sessions of the account. Throws like `find`, and what `Passwords.hash` throws. */
  async accept(token: string, password: string, { address, signal }: Requester): Promise<Account> {
    const { accounts, passwords, authentication } = this.#services
    const { account, invitation } = await this.find(token)
    const key = [networkOf(address), 'invitation']
    const passwordHash = await passwords.hash(password, { key, signal })
    const accepted = await accounts.acceptInvitation(account.id, invitation.digest, passwordHash)
    if (!accepted) throw invitationNotFound()
    await authentication.revokeAll(account.id, accountName(account))
    return accepted
  }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function invitationNotFound(): Problem {
  const reason = 'it was used, has expired, was replaced by another one, or never existed'
  return new Problem('invitation-not-found', `This invitation does not work: ${reason}. Ask an admin for another one.`)
}

const secretBytes = 24
