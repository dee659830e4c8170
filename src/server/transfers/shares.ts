import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { Problem } from '../../protocol/problems.js'
import { type Identity, Revocation } from '../auth/identity.js'
import { networkOf } from '../auth/networks.js'
import type { Clock } from '../clock.js'
import { type Release, Semaphore } from '../concurrency/semaphore.js'
import type { Jobs } from '../jobs/jobs.js'
import type { Account, AccountStore } from '../stores/accounts.js'
import type { OpenFile, PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Share, ShareStore } from '../stores/shares.js'

export interface ShareServices {
  clock: Clock
  shares: ShareStore
  accounts: Pick<AccountStore, 'get'>
  files: Pick<PublishedFiles, 'open' | 'find'>
  folders: Pick<Folders, 'exists'>
  jobs: Pick<Jobs, 'stopAllOf'>
  /** 32 bytes or more; if it is lost, all links become invalid. */
  secret: Uint8Array
  /** Called with the links that were revoked here. Default: ignored. */
  onRevoked?: (revoked: RevokedShares) => void
}

export interface RevokedShares {
  shares: string[]
  /** `role:username` */
  by: string
}

/** A file that is requested by a link. */
export interface SharedFile {
  /** The caller closes it. */
  file: OpenFile
  /** The owner, in whose name the link works. */
  identity: Identity
  /** The account of the link's jobs: `share:ID`. */
  account: string
}

/** A shared folder, or one in it, that is requested by a link. */
export interface SharedFolder {
  folder: string
  /** The shared folder: names above it must not be shown. */
  root: string
  identity: Identity
  account: string
}

export interface ListedShare extends Share {
  /** Whether a file or folder of its name exists. */
  available: boolean
}

/**
 * Links to files and folders that work without an account. A link's token is its id with our signature, so that the store
 * holds no secret and the owner can be shown the link again.
 */
export class Shares {
  readonly #services: ShareServices
  readonly #revocations = new Map<string, AbortController>()
  readonly #readers = new Semaphore({ slotsPerKey: 32 })
  readonly #readersPerNetwork = new Semaphore({ slotsPerKey: 12 })

  constructor(services: ShareServices) {
    this.#services = services
  }

  /** Throws `file-not-found`, and `quota-exceeded` if the account has too many links. */
  async create(account: Account, filename: string, expiresInSeconds: number): Promise<Share> {
    const { shares } = this.#services
    if (!(await this.#exists(account, filename))) throw notFound(filename)
    if ((await shares.list(account.id)).length >= maxShares) {
      throw new Problem('quota-exceeded', `An account has ${maxShares} links at most: revoke one first.`)
    }
    const now = this.#services.clock.now()
    const share: Share = {
      // Without a leading dash, which a command line would take for an option.
      id: randomBytes(idBytes).toString('base64url').replace(/^-/, 'A'),
      accountId: account.id,
      filename,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + expiresInSeconds * 1000).toISOString(),
    }
    await shares.create(share)
    return share
  }

  /** Newest first. */
  async list(account: Account): Promise<ListedShare[]> {
    const shares = (await this.#services.shares.list(account.id)).reverse()
    const names = new Set(shares.map(({ filename }) => filename))
    const isThere = new Map<string, boolean>()
    for (const name of names) isThere.set(name, await this.#exists(account, name))
    return shares.map((share) => ({ ...share, available: isThere.get(share.filename)! }))
  }

  /** The secret part of the link. */
  tokenOf({ id }: Pick<Share, 'id'>): string {
    return id + this.#sign(id)
  }

  /**
   * Resolves a token, and a name below a shared folder; one that is empty or ends with a slash is a folder. Throws
   * `share-not-found` for every invalid token, and `file-not-found` if the file or folder is missing.
   */
  async open(token: string, below = ''): Promise<SharedFile | SharedFolder> {
    const { filename: root, identity } = await this.#find(token)
    const account = jobAccount(token.slice(0, idLength))
    const name = root + below
    // Nothing is below a file: its name with more behind it is that of another file.
    if (below !== '' && !isFolder(root)) throw notFound(below)
    if (isFolder(name)) {
      if (!(await this.#exists(identity.account, name))) throw notFound(below)
      return { folder: name, root, identity, account }
    }
    const file = await this.#services.files.open(identity.account, name)
    if (!file) throw notFound(below || root)
    return { file, identity, account }
  }

  /**
   * Takes a slot for a reader of a link; each address has a share of them. Throws `busy`. `account` is that of the
   * link's jobs.
   */
  enter(account: string, address: string): Release {
    const network = networkOf(address)
    const release = this.#readers.tryAcquire(account)
    const releaseShare = this.#readersPerNetwork.tryAcquire(`${account} ${network}`)
    if (release && releaseShare) {
      return () => {
        release()
        releaseShare()
      }
    }
    release?.()
    releaseShare?.()
    throw new Problem('busy', 'This link is being downloaded too often at once: try again later.', { retryAfter: 5 })
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

  async #find(token: string): Promise<{ filename: string; identity: Identity }> {
    const id = token.slice(0, idLength)
    if (!isSame(token.slice(idLength), this.#sign(id))) throw shareNotFound()
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
    return { filename: share.filename, identity: { account, sessionId: jobAccount(id), revoked: revocation.signal } }
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

  #sign(id: string): string {
    const mac = createHmac('sha256', this.#services.secret).update(`filejobs share ${id}`).digest()
    return mac.subarray(0, signatureBytes).toString('base64url')
  }
}

/** The account of a link's jobs in the job map; it cannot log in. */
function jobAccount(id: string): string {
  return `share:${id}`
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function isFolder(name: string): boolean {
  return name.endsWith('/')
}

function notFound(name: string): Problem {
  return new Problem('file-not-found', `There is no ${isFolder(name) ? 'folder' : 'file'} "${name}".`, { name })
}

function shareNotFound(): Problem {
  return new Problem('share-not-found', 'This link does not work: it has expired, or was revoked, or never existed.')
}

const maxShares = 1000
const idBytes = 9
const idLength = (idBytes * 4) / 3
const signatureBytes = 24
