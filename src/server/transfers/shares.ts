import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import { type Identity, Revocation } from '../auth/identity.js'
import type { Jobs } from '../jobs/jobs.js'
import type { Account, AccountStore } from '../stores/accounts.js'
import type { FileStore, OpenFile } from '../stores/files.js'
import type { Share, ShareStore } from '../stores/shares.js'

export interface ShareServices {
  shares: ShareStore
  accounts: Pick<AccountStore, 'get'>
  files: Pick<FileStore, 'open' | 'find'>
  jobs: Pick<Jobs, 'unfinished'>
  /** 32 bytes or more; the links die with it. */
  secret: Uint8Array
}

/** A file that somebody asks for by a link. */
export interface SharedFile {
  /** Closed by whoever asked for it. */
  file: OpenFile
  /** The owner, in the name of the link. */
  identity: Identity
  /** The account of the link's jobs: `share:ID`. */
  account: string
}

/**
 * Links to single files that work without an account. A link's token is its id with a signature of ours, so that
 * the store holds no secret and the owner can be shown the link again.
 */
export class Shares {
  readonly #services: ShareServices
  readonly #revocations = new Map<string, AbortController>()

  constructor(services: ShareServices) {
    this.#services = services
  }

  /** Throws `file-not-found`, and `quota-exceeded` where the account has too many links. */
  async create(account: Account, filename: string, expiresInSeconds: number): Promise<Share> {
    const { files, shares } = this.#services
    if (!(await files.find(account, filename))) throw fileNotFound(filename)
    if ((await shares.list(account.id)).length >= maxShares) {
      throw new Problem('quota-exceeded', `An account has ${maxShares} links at most: revoke one first.`)
    }
    const now = Date.now()
    const share: Share = {
      // Without a dash in front, which a command line would take for an option.
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
  async list(account: Account): Promise<Share[]> {
    return (await this.#services.shares.list(account.id)).reverse()
  }

  /** The secret part of the link. */
  tokenOf({ id }: Pick<Share, 'id'>): string {
    return id + this.#sign(id)
  }

  /** What the token leads to. Throws `share-not-found` for every token that does not work, `file-not-found` where the file is gone. */
  async open(token: string): Promise<SharedFile> {
    const { filename, identity } = await this.#find(token)
    const file = await this.#services.files.open(identity.account, filename)
    if (!file) throw fileNotFound(filename)
    return { file, identity, account: jobAccount(token.slice(0, idLength)) }
  }

  /** Ends a link and the downloads by it. Throws `share-not-found` for a missing one and for someone else's. */
  async revoke(account: Account, id: string, by: string): Promise<void> {
    const share = await this.#services.shares.find(id)
    if (share?.accountId !== account.id) throw new Problem('share-not-found', 'You have no such link.')
    await this.#end([id], by)
  }

  /** Ends all links of an account and the downloads by them. */
  async revokeAll(account: Account, by: string): Promise<void> {
    const shares = await this.#services.shares.list(account.id)
    const ids = shares.map(({ id }) => id)
    await this.#end(ids, by)
  }

  async #find(token: string): Promise<{ filename: string; identity: Identity }> {
    const id = token.slice(0, idLength)
    if (!isSame(token.slice(idLength), this.#sign(id))) throw shareNotFound()
    const { shares, accounts } = this.#services
    // Before the link is looked up, so that one revoked from here on aborts this very signal.
    const revocation = this.#revocations.get(id) ?? new AbortController()
    this.#revocations.set(id, revocation)
    const share = await shares.find(id)
    if (!share) this.#revocations.delete(id)
    const account = share && (await accounts.get(share.accountId))
    if (!share || !account || account.disabled || revocation.signal.aborted) throw shareNotFound()
    return { filename: share.filename, identity: { account, sessionId: jobAccount(id), revoked: revocation.signal } }
  }

  async #end(ids: string[], by: string): Promise<void> {
    const { shares, jobs } = this.#services
    try {
      await shares.remove(ids)
    } finally {
      for (const id of ids) {
        this.#revocations.get(id)?.abort(new Revocation(by, `The link was revoked by ${by}.`))
        this.#revocations.delete(id)
      }
    }
    const accounts = ids.map(jobAccount)
    const running = jobs.unfinished().filter((job) => accounts.includes(job.account))
    await Promise.all(running.map((job) => job.ended))
  }

  #sign(id: string): string {
    const mac = createHmac('sha256', this.#services.secret).update(`filejobs share ${id}`).digest()
    return mac.subarray(0, signatureBytes).toString('base64url')
  }
}

/** The account of a link's jobs, as the job map knows it; not one that can log in. */
function jobAccount(id: string): string {
  return `share:${id}`
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function fileNotFound(name: string): Problem {
  return new Problem('file-not-found', `There is no file "${name}".`, { name })
}

function shareNotFound(): Problem {
  return new Problem('share-not-found', 'This link does not work: it has expired, or was revoked, or never existed.')
}

const maxShares = 1000
const idBytes = 9
const idLength = (idBytes * 4) / 3
const signatureBytes = 24
