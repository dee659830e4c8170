import type { LoggedIn } from '../protocol/accounts.js'
import type { FileRecord } from '../protocol/files.js'
import type { JobRecord, Receipt } from '../protocol/jobs.js'
import type { Role } from '../protocol/roles.js'
import { filePath, jobPath, routes } from '../protocol/routes.js'
import { createApi, type StreamingApi } from './api.js'
import { type ExportedStream, type ExportOptions, exportStream } from './export.js'
import { AccountJobs } from './jobs.js'
import { listFiles } from './listing.js'
import { type SavedExport, saveExport } from './saved-export.js'
import { type SyncOptions, type SyncResult, sendFolder } from './send-folder.js'
import { runStoppable } from './stoppable-job.js'
import type { Transport } from './transport.js'
import { uploadSource } from './upload.js'
import type { UploadSettings } from './upload-settings.js'
import { openSource, type UploadInput } from './upload-source.js'

export type { JobDetailsRecord, JobEvent, JobKind, JobRecord, JobState, Receipt } from '../protocol/jobs.js'
export { type ClientErrorCode, FilejobsError, type FilejobsErrorCode } from './errors.js'
export type { AccountJobs as Jobs, JobSelection as JobFilter, WatchSettings as WatchOptions } from './jobs.js'
export type { TransferOptions, TransferProgress } from './transfer-options.js'
export type { Transport, TransportRequest, TransportResponse } from './transport.js'
export type {
  ExportedStream,
  ExportOptions,
  FileRecord,
  LoggedIn,
  Role,
  SavedExport,
  SyncOptions,
  SyncResult,
  UploadInput,
  UploadSettings,
}

interface LoginRequest {
  username: string
  password: string
  /** Needed if several accounts of that name have the same password; default of a signup: `user`. */
  role?: Role
}

export interface FilejobsOptions {
  /** Such as `https://files.example.org`. */
  server: string | URL
  /** Of an account, or what returns the current one. */
  token?: string | (() => string | Promise<string>)
  /** In place of a token: logs in with the first request. */
  login?: LoginRequest
  /** Sends the requests; default `fetch`. */
  transport?: Transport
  /** Sent with every request, such as a `User-Agent`. */
  headers?: Record<string, string>
}

/** A job, or its id. */
export type JobReference = string | Pick<JobRecord, 'id'>

/** An account on a server. Its methods throw a FilejobsError, and a TypeError for wrong arguments. */
export class Filejobs {
  /** Without a slash at its end. */
  readonly server: string
  readonly jobs: AccountJobs
  readonly #api: StreamingApi
  /** Without a token. */
  readonly #openApi: StreamingApi
  #token: FilejobsOptions['token']
  #login: LoginRequest | undefined
  #loggingIn: Promise<LoggedIn> | undefined

  constructor({ server, token, login, transport = defaultTransport, headers = {} }: FilejobsOptions) {
    const url = new URL(server)
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`The server must be an http or https URL, not ${server}.`)
    if (token !== undefined && login) throw new TypeError('Pass a token or a login, not both.')
    this.server = (url.origin + url.pathname).replace(/\/+$/, '')
    this.#token = token
    this.#login = login
    this.#openApi = createApi({ server: this.server, transport, headers })
    this.#api = createApi({ server: this.server, transport, headers, token: () => this.#currentToken() })
    this.jobs = new AccountJobs(this.#api)
  }

  /** Uses the account from now on; its `token` may be kept for another `Filejobs`. Throws `invalid-credentials`. */
  login(login: LoginRequest): Promise<LoggedIn> {
    return this.#enter(routes.login, login)
  }

  /** Creates the account, and uses it from now on. Throws `username-taken`, and `not-allowed` if signup is closed. */
  signup(login: LoginRequest): Promise<LoggedIn> {
    return this.#enter(routes.signup, login)
  }

  /** Revokes the token, which stops what its requests move. */
  async logout(): Promise<void> {
    await this.#api.send('POST', routes.logout)
    this.#token = undefined
    this.#login = undefined
    this.#loggingIn = undefined
  }

  /**
   * Uploads a file, bytes or a stream, whole or not at all, and returns the record of the published file. Throws `aborted`
   * with the receipt after the signal has stopped it, and `job-stopped` after someone else has.
   */
  async upload(input: UploadInput, options: UploadSettings = {}): Promise<FileRecord> {
    const source = await openSource(input)
    try {
      return await runStoppable(this.#api, options.signal, (job) => uploadSource(this.#api, source, options, job))
    } finally {
      await source.close()
    }
  }

  /** Exports a file, or a folder (`photos/`) as an archive: to a path, or as a stream. Throws like `upload`. */
  export(name: string, options: ExportOptions & { to: string | URL }): Promise<SavedExport>
  export(name: string, options?: ExportOptions): Promise<ExportedStream>
  async export(name: string, options: ExportOptions & { to?: string | URL } = {}) {
    const exported = await exportStream(this.#api, name, options)
    return options.to === undefined ? exported : saveExport(exported, options.to)
  }

  /** The files whose names begin by `prefix`, in the order of their names; fetched a page at a time. */
  list(prefix = ''): AsyncGenerator<FileRecord> {
    return listFiles(this.#api, prefix)
  }

  /** Removes a file, or a folder (`photos/`) with everything in it. Throws `file-not-found`. */
  async remove(name: string): Promise<void> {
    await this.#api.send('DELETE', filePath(name))
  }

  /** Moves a file, or a folder (`photos/`) with everything in it, in one step. Throws `file-not-found` and `name-conflict`. */
  async move(from: string, to: string): Promise<void> {
    const isFolder = from.endsWith('/')
    const target = isFolder ? to.replace(/\/*$/, '/') : to
    await this.#api.send('POST', `${filePath(isFolder ? from.slice(0, -1) : from)}/move`, { json: { to: target } })
  }

  /**
   * Makes a folder on the server like one of this machine, as one job: only what differs is sent. Needs Node. Throws like
   * `upload`; files that failed alone are in the result.
   */
  sync(folder: string, to: string, options: SyncOptions = {}): Promise<SyncResult> {
    const prefix = to === '' || to.endsWith('/') ? to : `${to}/`
    return runStoppable(this.#api, options.signal, (job) => sendFolder(this.#api, folder, prefix, options, job))
  }

  /**
   * Stops a job. Resolves after it has ended and its partial data is removed. Throws `job-not-found`, and
   * `already-published` if it is too late.
   */
  stop(job: JobReference): Promise<Receipt> {
    return this.#api.send('POST', jobPath(idOf(job), 'stop'))
  }

  /** Throws `not-pausable`. */
  pause(job: JobReference): Promise<JobRecord> {
    return this.#api.send('POST', jobPath(idOf(job), 'pause'))
  }

  resume(job: JobReference): Promise<JobRecord> {
    return this.#api.send('POST', jobPath(idOf(job), 'resume'))
  }

  /** Bytes per second; null lifts the limit. */
  limit(job: JobReference, rateLimit: number | null): Promise<JobRecord> {
    return this.#api.send('PATCH', jobPath(idOf(job)), { json: { rateLimit } })
  }

  async #enter(path: string, login: LoginRequest): Promise<LoggedIn> {
    const loggedIn = await this.#openApi.send<LoggedIn>('POST', path, { json: login })
    this.#token = loggedIn.token
    return loggedIn
  }

  async #currentToken(): Promise<string | undefined> {
    if (typeof this.#token === 'function') return this.#token()
    if (this.#token === undefined && this.#login) {
      this.#loggingIn ??= this.login(this.#login).catch((error: unknown) => {
        this.#loggingIn = undefined
        throw error
      })
      await this.#loggingIn
    }
    return this.#token as string | undefined
  }
}

const defaultTransport: Transport = (url, request) => fetch(url, request)

function idOf(job: JobReference): string {
  return typeof job === 'string' ? job : job.id
}
