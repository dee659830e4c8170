import type { FileRequestRecord } from '../../protocol/file-requests.js'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Requester } from '../auth/password-check.js'
import type { Clock } from '../clock.js'
import type { Jobs } from '../jobs/jobs.js'
import type { Account, AccountStore } from '../stores/accounts.js'
import type { FileRequest, FileRequestStore, RequestReservation } from '../stores/file-requests.js'
import type { PublishedFiles } from '../stores/files.js'
import { requestAccount, requestOfJob } from '../stores/request-account.js'
import type { GuardedLink, LinkCredentials, LinkPass, LinkPasswords } from './link-passwords.js'
import { endOfLink, type LinkExpiry, LinkTokens, newLinkId } from './link-tokens.js'
import { checkOpen, requestRevoked, requestState, takesNoMore } from './request-state.js'
import type { RequestLimits } from './room.js'
import { checkFoldersOf } from './same-file.js'

export interface FileRequestServices {
  clock: Pick<Clock, 'now'>
  requests: FileRequestStore
  accounts: Pick<AccountStore, 'get'>
  files: Pick<PublishedFiles, 'checkName'>
  jobs: Pick<Jobs, 'stopAllOf' | 'observe'>
  passwords: LinkPasswords
  /** As for `LinkTokens`. */
  secret: Uint8Array
  /** Called with failures of the counts of a link, which no one waits for. */
  onFailure(error: unknown): void
}

/** What the creator of a link for uploads asks for. */
export interface RequestTerms extends Pick<FileRequest, 'maxFiles' | 'maxBytes' | 'maxFileBytes' | 'note'> {
  expires: LinkExpiry
  password: string | null
}

export interface ListedRequest extends FileRequest {
  state: FileRequestRecord['state']
}

/** A link for uploads that a sender uses. */
export interface OpenedRequest {
  request: FileRequest
  /** The owner, in whose name it works. */
  identity: Identity
  /** The account of its jobs: `request:ID`. */
  account: string
}

/** Links by which people without an account upload into a folder. */
export class FileRequests implements RequestLimits {
  readonly #services: FileRequestServices
  readonly #tokens: LinkTokens

  constructor(services: FileRequestServices) {
    const { secret, jobs, requests, onFailure } = services
    this.#services = services
    this.#tokens = new LinkTokens(secret, 'request')
    jobs.observe((job, change) => {
      if (change !== 'state' || !job.isEnded || requestOfJob(job) === undefined) return
      const end = job.state === 'done' ? requests.receive(job.id, job.bytes) : requests.release(job.id)
      end.catch(onFailure)
    })
  }

  /**
   * Throws `name-conflict` if the folder is a file, `quota-exceeded` if the account has too many links, and `invalid-request` for
   * a wrong expiry.
   */
  async create(account: Account, folder: string, terms: RequestTerms, requester: Requester): Promise<ListedRequest> {
    const { requests, clock, passwords, files } = this.#services
    const now = clock.now()
    const { expires, password, ...limits } = terms
    const expiresAt = endOfLink(expires, now).toISOString()
    await checkFoldersOf(files, account, folder)
    const own = await requests.list(account.id)
    const ended = own.filter((request) => requestState(request, now) !== 'open')
    if (own.length - ended.length >= maxRequests) {
      throw new Problem('quota-exceeded', `An account has ${maxRequests} links for uploads at most: revoke one first.`)
    }
    const request: FileRequest = {
      id: newLinkId(),
      accountId: account.id,
      folder,
      createdAt: new Date(now).toISOString(),
      expiresAt,
      revokedAt: null,
      passwordHash: password === null ? null : await passwords.hash(password, account, requester),
      ...limits,
      files: 0,
      bytes: 0,
      opened: 0,
    }
    const surplus = ended.slice(0, Math.max(0, own.length + 1 - maxRequests))
    if (surplus.length > 0) await requests.remove(surplus.map(({ id }) => id))
    await requests.create(request)
    return { ...request, state: 'open' }
  }

  /** Newest first. */
  async list(account: Account): Promise<ListedRequest[]> {
    const now = this.#services.clock.now()
    const own = await this.#services.requests.list(account.id)
    return own.reverse().map((request) => ({ ...request, state: requestState(request, now) }))
  }

  /** The secret part of the link. */
  tokenOf({ id }: Pick<FileRequest, 'id'>): string {
    return this.#tokens.of(id)
  }

  /**
   * Resolves a token. Throws `request-not-found` for every invalid one, `request-revoked`, what `LinkPasswords.check` throws and,
   * unless it is to continue an upload that has begun, `request-expired` and `request-full`.
   */
  async find(
    token: string,
    credentials: LinkCredentials,
    requester: Requester,
    isContinued = false,
  ): Promise<OpenedRequest> {
    const { requests, accounts, passwords, clock } = this.#services
    const id = this.#tokens.idOf(token)
    const request = id === undefined ? undefined : await requests.find(id)
    const account = request && (await accounts.get(request.accountId))
    if (!request || !account || account.disabled) throw requestNotFound()
    if (request.revokedAt !== null) throw requestRevoked()
    if (!isContinued) checkOpen(request, clock.now())
    await passwords.check(guarded(request), credentials, requester)
    const sessionId = requestAccount(request.id)
    return { request, identity: { account, sessionId, revoked: neverRevoked }, account: sessionId }
  }

  /** Counts that the page of a link was shown. Does not wait for it. */
  countOpening({ id }: Pick<FileRequest, 'id'>): void {
    const { requests, onFailure } = this.#services
    requests.countOpening(id).catch(onFailure)
  }

  /** For a browser that has sent the password; null if the link has none. */
  passOf(request: FileRequest): LinkPass | null {
    return this.#services.passwords.passOf(guarded(request))
  }

  /**
   * Revokes a link and stops its uploads, also those that are interrupted. Repeating it is not an error. Throws
   * `request-not-found` for a missing link and for one of another account.
   */
  async revoke(account: Account, id: string, by: string): Promise<void> {
    const { requests, clock, jobs } = this.#services
    const request = await requests.find(id)
    if (request?.accountId !== account.id) throw new Problem('request-not-found', 'You have no such link for uploads.')
    // First: an upload whose job begins later finds it revoked when it reserves its room.
    await requests.revoke([id], new Date(clock.now()).toISOString())
    await jobs.stopAllOf(account.id, by, (job) => requestOfJob(job) === id)
  }

  /** Removes all links of an account, whose jobs have been stopped. */
  async removeAll(account: Account): Promise<void> {
    const { requests } = this.#services
    const own = await requests.list(account.id)
    await requests.remove(own.map(({ id }) => id))
  }

  async reserve(id: string, reservation: RequestReservation): Promise<void> {
    const { requests } = this.#services
    const refusal = await requests.reserve(id, reservation)
    const request = refusal === null || refusal === 'revoked' ? undefined : await requests.find(id)
    if (refusal !== null) throw request ? takesNoMore(refusal, request, reservation) : requestRevoked()
  }

  async restore(id: string, reservation: RequestReservation): Promise<void> {
    await this.#services.requests.restore(id, reservation)
  }
}

function guarded({ id, passwordHash }: FileRequest): GuardedLink {
  return { account: requestAccount(id), passwordHash }
}

function requestNotFound(): Problem {
  const words = 'This link for uploads does not work: it ended long ago, or never existed.'
  return new Problem('request-not-found', words)
}

/** A revocation stops the jobs of a link, by `Jobs.stopAllOf`. */
const neverRevoked = new AbortController().signal
const maxRequests = 1000
