import type { Publication } from '../../protocol/folder-jobs.js'
import type { FolderJobs } from '../folders/folder-jobs.js'
import type { FolderStream } from '../folders/folder-stream.js'
import type { Job } from '../jobs/job.js'
import type { Folders } from '../stores/folders.js'
import type { SmallFiles } from '../stores/small-files.js'
import type { ReceivingMemory } from '../transfers/partial-writer.js'
import { UploadRun } from '../transfers/upload-run.js'
import type { UploadServices } from '../transfers/upload-services.js'
import { readTar } from './tar-entries.js'
import { TarFiles } from './tar-files.js'
import type { TarUpload } from './tar-upload.js'

export interface TarServices extends UploadServices {
  folders: FolderJobs
  folderStore: Pick<Folders, 'create'>
  smallFiles: SmallFiles
  memory: ReceivingMemory
  /** The media type for a file name. */
  mediaTypeOf(name: string): string
}

/** Receives tars, file by file. */
export class TarUploads {
  readonly #services: TarServices

  constructor(services: TarServices) {
    this.#services = services
  }

  /**
   * Stores the files of a tar, as a job of its own or as one stream of the job `partOf`. A file that cannot be published,
   * because of its name, digest or precondition, fails alone, unless all are published together. Throws like `readTar`; what
   * was published before stays.
   */
  async receive(upload: TarUpload): Promise<{ job: Job; published: Publication }> {
    const { folders } = this.#services
    const request = { ...upload, kind: 'upload' as const, name: upload.prefix, files: null, totalBytes: null }
    const stream = await folders.carry({ ...request, rateLimit: upload.rateLimit ?? null }, async (stream) => {
      await this.#receive(upload, stream)
      return stream
    })
    const { job, files } = stream
    // Of a job of its own, the publish has removed files, too.
    return { job, published: (upload.partOf === null && job.files ? job.files : files).publication }
  }

  async #receive(upload: TarUpload, stream: FolderStream): Promise<void> {
    const run = new UploadRun(stream, upload, this.#services, this.#services.memory)
    const files = new TarFiles({ ...this.#services, upload, stream, run })
    // A stop is answered once it is known which files are published.
    stream.onEnd(() => files.close())
    upload.begin(stream.job)
    try {
      await readTar(upload.body, run.flow.signal, (entry) => files.add(entry))
    } catch (error) {
      await files.endEarly()
      throw error
    }
    await files.end()
  }
}
