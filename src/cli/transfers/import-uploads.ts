import { filePath } from '../../protocol/routes.js'
import { visible } from '../escape.js'
import { formatFailure } from '../exit-codes.js'
import type { Progress } from '../progress.js'
import { defaultRetries } from '../rate-option.js'
import type { Session } from '../session.js'
import { exchange } from './exchange.js'
import { oneByOne } from './one-by-one.js'
import { type UploadTools, upload } from './upload.js'
import type { PlannedUpload } from './upload-plan.js'
import { openUploadTools } from './upload-tools.js'

interface NewFile {
  readonly name: string
  readonly entityTag: string | undefined
}

/** The uploads of an import, which can be undone: files that were on the server before stay. */
export class ImportUploads {
  readonly #session: Session
  readonly #tools: UploadTools
  readonly #waitSeconds: number | null
  readonly #added: NewFile[] = []

  private constructor(session: Session, tools: UploadTools, waitSeconds: number | null) {
    this.#session = session
    this.#tools = tools
    this.#waitSeconds = waitSeconds
  }

  static async open(session: Session, progress: Progress, waitSeconds: number | null): Promise<ImportUploads> {
    return new ImportUploads(session, await openUploadTools(session, progress), waitSeconds)
  }

  /** Throws what `oneByOne` throws. */
  async upload(item: PlannedUpload): Promise<string> {
    const settings = { keepExisting: false, allowEmpty: false, waitSeconds: this.#waitSeconds }
    const before = await this.#entityTag(item.name)
    await oneByOne(this.#session, [item], async (_, job) => {
      const { name } = await upload(this.#tools, item, { ...settings, rateLimit: null, retries: defaultRetries }, job)
      const entityTag = before === null ? await this.#entityTag(name) : null
      if (entityTag !== null) this.#added.push({ name, entityTag })
    })
    return item.name
  }

  /** Removes the files that came by these uploads, unless they were changed since. Says which ones stay. */
  async remove(): Promise<void> {
    const api = await this.#session.api()
    for (const { name, entityTag } of this.#added.splice(0)) {
      try {
        await api.send('DELETE', filePath(name), { headers: entityTag === undefined ? {} : { 'if-match': entityTag } })
      } catch (error) {
        this.#session.output.note(`${visible(name)} stays on the server: ${formatFailure(error)}`)
      }
    }
  }

  /** The names of the files that came by these uploads. */
  get added(): string[] {
    return this.#added.map(({ name }) => name)
  }

  close(): void {
    this.#tools.http.close()
  }

  /** Of the file of this name; null if there is none, undefined if it has none. */
  async #entityTag(name: string): Promise<string | undefined | null> {
    const request = this.#tools.http.open('HEAD', filePath(name))
    const { status, headers } = await exchange(request, AbortSignal.timeout(headTimeoutMs), async () => {})
    return status === 404 ? null : headers.etag
  }
}

const headTimeoutMs = 30_000
