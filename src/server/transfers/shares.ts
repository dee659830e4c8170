import { setMaxListeners } from 'node:events'
import { Problem } from '../../protocol/problems.js'
import type { ShareRecord } from '../../protocol/shares.js'
import { Revocation } from '../auth/identity.js'
import type { Requester } from '../auth/password-check.js'
import type { Clock } from '../clock.js'
import type { Jobs } from '../jobs/jobs.js'
import type { Account, AccountStore } from '../stores/accounts.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Share, ShareStore } from '../stores/shares.js'
import type { GuardedLink, LinkCredentials, LinkPass, LinkPasswords } from './link-passwords.js'
import { endOfLink, type LinkExpiry, LinkTokens, newLinkId } from './link-tokens.js'
import { type CountedDownload, countedDownload } from './share-downloads.js'
import { checkLive, shareState } from './share-state.js'
import type { SharedFile, SharedFolder, SharedLink, SharedSelection } from './shared-link.js'

export interface ShareServices {
  clock: Clock
  shares: ShareStore
  accounts: Pick<AccountStore, 'get'>
  files: Pick<PublishedFiles, 'open' | 'find'>
  folders: Pick<Folders, 'exists'>
  jobs: Pick<Jobs, 'stopAllOf'>
  passwords: LinkPasswords
  /** As for `LinkTokens`. */
  secret: Uint8Array
  /** Called with the links that were revoked here. Default: ignored. */
  onRevoked?: (revoked: RevokedShares) => void
  /** Called with failures of the counts of a link, which no one waits for. */
  onFailure(error: unknown): void
}

/** What a link serves. */
export type ShareTarget = Pick<Share, 'filename' | 'names'>

/** What the creator of a link asks for. */
export interface ShareTerms {
  expires: LinkExpiry
  password: string | null
  maxDownloads: number | null
  note: string | null
}

export interface RevokedShares {
  shares: string[]
  /** `role:username` */
  by: string
}

export interface ListedShare extends Share {
  /** Whether a file or folder of its name exists. */
  available: boolean
  state: ShareRecord['state']
}

/** Links to files and folders that work without an account. */
export class Shares {
  readonly #services: ShareServices
  readonly #tokens: LinkTokens
  readonly #revocations = new Map<string, AbortController>()

  constructor(services: ShareServices) {
    this.#services = services
    this.#tokens = new LinkTokens(services.secret, 'share')
  }

  /** Throws `file-not-found`, `quota-exceeded` if the account has too many links, and `invalid-request` for a wrong expiry. */
  async create(account: Account, target: ShareTarget, terms: ShareTerms, requester: Requester): Promise<ListedShare> {
    const { shares, clock, passwords } = this.#services
    const now = clock.now()
    const { expires, password, maxDownloads, note } = terms
    const expiresAt = endOfLink(expires, now)
    const { filename, names } = target
    for (const name of names ?? [filename]) if (!(await this.#exists(account, name))) throw notFound(name)
    const own = await shares.list(account.id)
    const ended = own.filter((share) => shareState(share, now) !== 'live')
    if (own.length - ended.length >= maxShares) {
      throw new Problem('quota-exceeded', `An account has ${maxShares} links at most: revoke one first.`)
    }
    const share: Share = {
      id: newLinkId(),
      accountId: account.id,
      filename,
      names,
      createdAt: new Date(now).toISOString(),
      expiresAt: expiresAt.toISOString(),
      passwordHash: password === null ? null : await passwords.hash(password, account, requester),
      maxDownloads,
      downloads: 0,
      opened: 0,
      note,
    }
    const surplus = ended.slice(0, Math.max(0, own.length + 1 - maxShares))
    if (surplus.length > 0) await shares.remove(surplus.map(({ id }) => id))
    await shares.create(share)
    return { ...share, available: true, state: 'live' }
  }

  /** Newest first. */
  async list(account: Account): Promise<ListedShare[]> {
    const now = this.#services.clock.now()
    const shares = (await this.#services.shares.list(account.id)).reverse()
    const isThere = new Map<string, boolean>()
    const isAvailable = async ({ filename, names }: Share) => {
      for (const name of names ?? [filename]) {
        if (!isThere.has(name)) isThere.set(name, await this.#exists(account, name))
        if (isThere.get(name)) return true
      }
      return false
    }
    const listed: ListedShare[] = []
    for (const share of shares) {
      listed.push({ ...share, available: await isAvailable(share), state: shareState(share, now) })
    }
    return listed
  }

  /** The secret part of the link. */
  tokenOf({ id }: Pick<Share, 'id'>): string {
    return this.#tokens.of(id)
  }

  /**
   * Resolves a token. Throws `share-not-found` for every invalid one, `share-expired`, `share-exhausted`, and what
   * `LinkPasswords.check` throws.
   */
  async find(token: string, credentials: LinkCredentials, requester: Requester): Promise<SharedLink> {
    const link = await this.#find(token)
    checkLive(link.share, this.#services.clock.now())
    await this.#services.passwords.check(guarded(link.share), credentials, requester)
    return link
  }

  /**
   * Opens what a link serves, or a file or folder below: a name that is empty or ends with a slash is a folder. Throws
   * `file-not-found`.
   */
  async open(link: SharedLink, below = ''): Promise<SharedFile | SharedFolder | SharedSelection> {
    const { filename: root, names } = link.share
    const { account } = link.identity
    const name = root + below
    if (names && below === '') return { ...link, names, root }
    if (below !== '' && !(names ?? [root]).some((shared) => isWithin(name, shared))) throw notFound(below)
    // Without the folders above.
    const shown = below || root.slice(root.lastIndexOf('/', root.length - 2) + 1)
    if (isFolder(name)) {
      if (!(await this.#exists(account, name))) throw notFound(shown)
      return { ...link, folder: name, root }
    }
    const file = await this.#services.files.open(account, name)
    if (!file) throw notFound(shown)
    return { ...link, file }
  }

  /** Counts that the page or the list of a link was shown. Does not wait for it. */
  countOpening({ id }: Pick<Share, 'id'>): void {
    const { shares, onFailure } = this.#services
    shares.countOpening(id).catch(onFailure)
  }

  /** For a browser that has sent the password; null if the link has none. */
  passOf(share: Share): LinkPass | null {
    return this.#services.passwords.passOf(guarded(share))
  }

  countedDownload(share: Share): CountedDownload {
    return countedDownload(share, this.#services)
  }

  /**
   * Revokes a link and stops its downloads. Throws `share-not-found` for a missing link and for one of another account.
   */
  async revoke(account: Account, id: string, by: string): Promise<void> {
    const share = await this.#services.shares.find(id)
    if (share?.accountId !== account.id) throw new Problem('share-not-found', 'You have no such link.')
    await this.#end(account, [id], by)
  }

  /** Revokes all links of an account and stops their downloads. */
  async revokeAll(account: Account, by: string): Promise<void> {
    const shares = await this.#services.shares.list(account.id)
    const ids = shares.map(({ id }) => id)
    await this.#end(account, ids, by)
  }

  /** Ends the downloads of links that were revoked. */
  endDownloads({ shares, by }: RevokedShares): void {
    for (const id of shares) {
      this.#revocations.get(id)?.abort(new Revocation(by, `The link was revoked by ${by}.`))
      this.#revocations.delete(id)
    }
  }

  async #exists(account: Account, name: string): Promise<boolean> {
    const { files, folders } = this.#services
    return isFolder(name) ? folders.exists(account, name) : (await files.find(account, name)) !== undefined
  }

  async #find(token: string): Promise<SharedLink> {
    const id = this.#tokens.idOf(token)
    if (id === undefined) throw shareNotFound()
    const { shares, accounts } = this.#services
    // Before the link is looked up, so that a later revocation aborts this very signal.
    const revocation = this.#revocations.get(id) ?? new AbortController()
    // Every reader of the link adds a listener: this is no leak, but Node would warn.
    setMaxListeners(0, revocation.signal)
    this.#revocations.set(id, revocation)
    const share = await shares.find(id)
    if (!share) this.#revocations.delete(id)
    const account = share && (await accounts.get(share.accountId))
    if (!share || !account || account.disabled || revocation.signal.aborted) throw shareNotFound()
    const sessionId = jobAccount(id)
    return { share, identity: { account, sessionId, revoked: revocation.signal }, account: sessionId }
  }

  async #end(owner: Account, ids: string[], by: string): Promise<void> {
    const { shares, jobs } = this.#services
    try {
      await shares.remove(ids)
    } finally {
      this.endDownloads({ shares: ids, by })
      this.#services.onRevoked?.({ shares: ids, by })
    }
    const accounts = ids.map(jobAccount)
    await jobs.stopAllOf(owner.id, by, (job) => accounts.includes(job.account))
  }
}

/** The account of a link's jobs in the job map; it cannot log in. */
function jobAccount(id: string): string {
  return `share:${id}`
}

function guarded({ id, passwordHash }: Share): GuardedLink {
  return { account: jobAccount(id), passwordHash }
}

function isFolder(name: string): boolean {
  return name.endsWith('/')
}

/** Nothing is below a file: its name with more behind it is that of another file. */
function isWithin(name: string, shared: string): boolean {
  return name === shared || (isFolder(shared) && name.startsWith(shared))
}

function notFound(name: string): Problem {
  return new Problem('file-not-found', `There is no ${isFolder(name) ? 'folder' : 'file'} "${name}".`, { name })
}

function shareNotFound(): Problem {
  return new Problem(
    'share-not-found',
    'This link does not work: it was revoked, or expired long ago, or never existed.',
  )
}

const maxShares = 1000
