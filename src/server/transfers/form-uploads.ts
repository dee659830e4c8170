import type { Readable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { DeclaredDigests, PublishedFiles, StoredFile } from '../stores/files.js'
import type { PartialFile } from '../stores/partials.js'
import type { Precondition } from '../stores/precondition.js'
import { findKnownFile, isByRequest } from './same-file.js'
import type { UploadRequest } from './upload-request.js'
import type { Uploads } from './uploads.js'

/** One file of a form, its name validated by `parseName`. */
export interface FormFile {
  name: string
  type: string
  /** As declared in its headers. */
  digests: DeclaredDigests
  body: Readable
  /** The received bytes. */
  bytes(): number
}

/** Reads a form. */
export interface FormReader {
  onFile(file: FormFile): Promise<void>
  signal: AbortSignal
}

export interface FormUpload extends UploadRequest {
  /** Bytes of the whole body, null if unknown. */
  bodySize: number | null
  /** Must hold for each file of the form. */
  precondition: Precondition
  /** Reads the form and passes on its files, each as soon as it starts. Resolves at the form's end. */
  read(reader: FormReader): Promise<void>
}

/**
 * Receives all files of a form as one job, and publishes them in order after all have arrived. If one cannot be
 * published, the previous ones stay; the error lists both.
 */
export async function receiveForm(
  uploads: Uploads,
  files: Pick<PublishedFiles, 'checkName' | 'find'>,
  form: FormUpload,
): Promise<{ files: StoredFile[]; job: Job }> {
  const space = form.identity.account
  // A link counts files, not the lines between them.
  const bytes = isByRequest(form) ? 0 : (form.bodySize ?? 0)
  return uploads.run(form, bytes, async (run) => {
    const arrived: { file: FormFile; partial?: PartialFile }[] = []
    let last: string | null = null
    run.bring({
      get last() {
        return last
      },
      has: (name) => arrived.some(({ file }) => file.name === name),
    })
    const onFile = async (file: FormFile) => {
      // Registered synchronously: the next file may start meanwhile, and responses keep the form's order.
      for (const { file: other } of arrived) checkBeside(file.name, other.name)
      const entry: (typeof arrived)[number] = { file }
      arrived.push(entry)
      run.job.file ??= file.name
      run.checkName(file.name)
      last = file.name
      await run.coverFiles(arrived.length)
      const { name, digests } = file
      await findKnownFile(files, { ...form, name, size: null, digests })
      entry.partial = await run.createPartial()
      await run.receive(file.body, entry.partial)
      if (entry.partial.size !== file.bytes()) throw new Error(`"${file.name}" was not received whole.`)
    }
    form.begin(run.job)
    await form.read({ onFile, signal: run.flow.signal })
    if (arrived.length === 0) throw new Problem('invalid-request', 'The form has no file in it.', { field: 'file' })

    const settled: { file: FormFile; partial: PartialFile; sha256: string }[] = []
    for (const { file, partial } of arrived) {
      if (partial) settled.push({ file, partial, sha256: await run.settle(partial, file.digests) })
    }
    await run.commit()
    const published: StoredFile[] = []
    for (const { file, partial, sha256 } of settled) {
      try {
        const { precondition } = form
        published.push(
          (await run.publish(partial, { space, name: file.name, type: file.type, sha256, precondition })).file,
        )
      } catch (error) {
        throw listing(
          error,
          published,
          settled.slice(published.length).map((entry) => entry.file.name),
        )
      }
    }
    return { files: published, job: run.job }
  })
}

/** Throws if two files of a form cannot be stored side by side: with the same name, or one below the other. */
function checkBeside(name: string, other: string): void {
  if (name === other) {
    throw new Problem('invalid-request', `The form has two files named "${name}".`, { field: 'filename', name })
  }
  if (name.startsWith(`${other}/`) || other.startsWith(`${name}/`)) {
    throw new Problem('name-conflict', `The form has "${other}" and "${name}": one of them would be a folder.`, {
      name,
    })
  }
}

function listing(error: unknown, published: StoredFile[], failed: string[]): Problem {
  const problem = asProblem(error)
  const details = { ...problem.details, published: published.map((file) => file.name), failed }
  return new Problem(problem.code, problem.message, details, { cause: problem.cause })
}
